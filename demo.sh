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
version=$("$zfscope" --version | cut -d' ' -f2)
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

if [ ! -f "$run/projection.png" ]; then
    say "projecting one picture's strongest activation"
    if [ ! -f demo/pictures/truth.json ]; then
        rm -rf demo/pictures
        "$zfscope" synth demo/pictures --images 20
    fi
    picture=$(find demo/pictures/val -name '*.png' | sort | head -1)
    "$zfscope" project "$model" "$picture" -o "$run/projection.png"
    cp "$picture" "$run/picture.png"
fi

python3 - "$run/eval.json" <<'END'
import json
import sys

found = json.load(open(sys.argv[1]))
print("\ntop-1 error %.4f on %d generated pictures that it never saw"
      % (found["models"][0]["top1_error"], found["images"]))
END
echo "one picture, and its strongest activation projected: $run/picture.png, $run/projection.png"
echo "the page of every feature map: file://$root/$run/top/index.html"
