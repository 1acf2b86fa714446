#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The examples, run one after the other on generated pictures, and held against what the program
# says. Usage: test_examples.sh ZFSCOPE CLASSIFY EVALUATE FEATURES PROJECT TRAIN
set -eu
zfscope=$(realpath "$1") classify=$(realpath "$2") evaluate=$(realpath "$3")
features=$(realpath "$4") project=$(realpath "$5") train=$(realpath "$6")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAIL  $*"
    exit 1
}

"$zfscope" synth drawings --images 60 --quiet
cat >tiny.ini <<'SPEC'
[net]
name = tiny
input = 3x24x24
classes = 10
size = 24
[conv1]
type = conv
maps = 6
kernel = 5
stride = 2
[relu1]
type = relu
[fc2]
type = fc
maps = 10
[prob]
type = softmax
SPEC
"$train" tiny.ini drawings/train run 2 >trained
grep -q '^epoch 2: loss [0-9.]*, validation error [01]\.[0-9]*' trained || fail "train: $(cat trained)"
picture=$(find drawings/val -name '*.png' | sort | head -1)
model=run/model.safetensors

"$classify" $model "$picture" >said
"$zfscope" classify $model "$picture" | sed -n 's/^  //p' >expected
diff said expected || fail "classify: other classes than the program's"
"$classify" $model "$picture" torchvision >prepared
"$zfscope" classify $model "$picture" --prepare torchvision --quiet | sed -n 's/^  //p' | diff prepared - ||
    fail "classify: other classes than the program's, prepared"
cmp -s said prepared && fail "classify: the preparation changed nothing"
printf 'name %s\n' 0 1 2 3 4 5 6 7 8 9 >names
"$classify" $model "$picture" torchvision names | grep -q 'name [0-9]$' || fail "classify: labels"
"$classify" $model "$picture" torchvison 2>err && fail "classify: a preparation that is none"
grep -q "no preparation 'torchvison'.*torchvision, caffe" err || fail "classify: $(cat err)"

"$evaluate" $model drawings/val >said
"$zfscope" eval $model --data drawings/val --json >expected
python3 - <<'PYTHON' || fail "evaluate: $(cat said)"
import json
said = open("said").read().splitlines()
expected = json.load(open("expected"))
assert said[0] == "top-1 error %.4f on %d pictures" % (
    expected["models"][0]["top1_error"], expected["images"]), said[0]
assert said[1:] == ["%s taken for %s: %d" % (c["label"], c["predicted"], c["pictures"])
                    for c in expected["confusions"][:3]], said
PYTHON

"$features" $model "$picture" relu1 features.npy
"$zfscope" activations $model "$picture" --layer relu1 -o expected.npy --quiet >/dev/null
python3 - <<'PYTHON' || fail "features: others than the program's"
import array
def values(path):
    raw = open(path, "rb").read()
    return array.array("f", raw[raw.index(b"\n") + 1:])
a, b = values("features.npy"), values("expected.npy")
assert len(a) == len(b) > 100 and max(b) > 0
assert max(abs(x - y) for x, y in zip(a, b)) < 1e-4 * max(b)
PYTHON
"$project" $model "$picture" conv1 pixels.npy
[ -s pixels.npy ] || fail "project: nothing written"
for example in "$classify" "$evaluate" "$features" "$project" "$train"; do
    "$example" 2>err && fail "$example without arguments"
    grep -q '^usage: ' err || fail "$example without arguments: $(cat err)"
done
echo "examples: all good"
