#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Train a small ZFNet on generated pictures, and look inside. A few minutes the first time;
# what is done is not done again. Everything it makes is under ./demo.
set -eu
root=$(cd "$(dirname "$0")" && pwd)
cd "$root"
# shellcheck source=tools/setup.sh
. tools/setup.sh

net=zfnet64
epochs=${DEMO_EPOCHS:-12}
train_data=synth:train:4000
val_data=synth:val:1000

install_missing
build build -Dbuildtype=release
zfscope=$root/build/cli/zfscope
version=$("$zfscope" --version | sed -n "1s/^[^ ]* \([^ ]*\).*/\1/p")
run=demo/$net-$version
model=$run/model.safetensors
mkdir -p demo

if [ ! -f "$run/done" ]; then
    say "training $net on $train_data, about two minutes (Ctrl-C stops; run this again to go on)"
    resume=
    [ -f "$run/checkpoint" ] && resume=--resume
    # shellcheck disable=SC2086 # empty or one word
    "$zfscope" train $net --data $train_data --val $val_data --epochs "$epochs" --min-scale 1 \
        -o "$run" $resume
    touch "$run/done"
fi

if [ ! -f "$run/eval.json" ]; then
    say "evaluating on pictures that it never saw"
    "$zfscope" eval "$model" --data $val_data --json -o "$run/eval.json"
fi

if [ ! -f "$run/top/index.html" ]; then
    say "finding the nine strongest pictures of every map, and projecting them"
    "$zfscope" top "$model" --data $val_data -o "$run/top"
fi

if [ ! -f demo/pictures/truth.json ]; then
    rm -rf demo/pictures
    "$zfscope" synth demo/pictures --images 20
fi
pictures=$(find demo/pictures/val -name '*.png' | sort | sed -n '1p;2p;3p')

if [ ! -f "$run/projection.png" ]; then
    say "projecting one picture's strongest activation"
    picture=${pictures%%$'\n'*}
    "$zfscope" project "$model" "$picture" -o "$run/projection.png"
    cp "$picture" "$run/picture.png"
fi

# Each writes a folder of its name: analysis NAME WHAT ARGUMENT...
analysis() {
    local name=$1 what=$2
    shift 2
    if [ ! -f "$run/$name/index.html" ]; then
        say "$what"
        "$zfscope" "$name" "$@" -o "$run/$name" >/dev/null
    fi
}

analysis evolve "how the features grew in training" "$run" --data synth:val:300 --maps 8
analysis diagnose "what is wrong with the filters" "$model" --data synth:val:300
# shellcheck disable=SC2086 # a word a picture
analysis invariance "moving, enlarging and turning three pictures" "$model" $pictures
# shellcheck disable=SC2086
analysis occlude "hiding each place of them in turn" "$model" $pictures
"$zfscope" report "$run" -o "$run/report.html"

python3 - "$run/eval.json" <<'END'
import json
import sys

found = json.load(open(sys.argv[1]))
print("\ntop-1 error %.4f on %d generated pictures that it never saw"
      % (found["models"][0]["top1_error"], found["images"]))
END
echo "one picture, and its strongest activation projected: $run/picture.png, $run/projection.png"
echo "every feature map, to browse:          file://$root/$run/top/index.html"
echo "all of the paper's analyses, one page: file://$root/$run/report.html"
echo "the same net, live in the browser:     $zfscope serve $model --data synth:val:300 --open"
