#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What zfscope writes as ONNX: judged by ONNX's own checker, run by ONNX Runtime, and held against
# what zfscope itself computes.
# Usage: onnx.sh ZFSCOPE [MODEL...]; without models, nets made here.
# Exits 0 when all agree, 1 when something does not, 77 (skipped) when neither is installed.
set -u
zfscope=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
shift
if [ -n "${ZFSCOPE_ONNXRUNTIME-}" ]; then
    ZFSCOPE_ONNXRUNTIME=$(realpath "$ZFSCOPE_ONNXRUNTIME")
    export ZFSCOPE_ONNXRUNTIME
fi
models=()
for model in "$@"; do
    models+=("$(realpath "$model")")
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# Debian's onnx belongs to the system's python3, which need not be the first in the path.
python=/usr/bin/python3
[ -x $python ] || python=python3
bound=1e-5
worst=0

# Who can judge: ONNX's checker, ONNX Runtime.
checker=1 runtime=1
$python "$here/onnx_check.py" || checker=0
if ! command -v node >/dev/null; then
    echo "skipped: no node; on Debian: apt-get install nodejs npm"
    runtime=0
else
    node "$here/onnxruntime.mjs" find || runtime=0
fi
[ $checker$runtime != 00 ] || exit 77

try() { # command...: one that is to succeed
    "$@" >out 2>err && return 0
    echo "FAIL  $*"
    cat err
    worst=1
    return 1
}

compare() { # name, model, deviation of its inputs
    local shape last
    echo "$1"
    try "$zfscope" info "$2" --json || return
    read -r shape last < <($python -c 'import json
j = json.load(open("out"))
print(",".join(map(str, [3] + j["input"])), j["layers"][-1]["name"])')
    try "$zfscope" convert "$2" model.onnx || return
    [ $checker = 0 ] || $python "$here/onnx_check.py" model.onnx || worst=1
    [ $runtime = 1 ] || return
    try node "$here/onnxruntime.mjs" make "$shape" "$3" input.npy || return
    try "$zfscope" activations "$2" input.npy --layer "$last" -o expected.npy || return
    node "$here/onnxruntime.mjs" compare model.onnx input.npy expected.npy $bound || worst=1
}

for model in "${models[@]}"; do
    compare "$model" "$model" 2
done
make_and_compare() { # net, deviation of its inputs, options of train
    local net=$1 deviation=$2
    shift 2
    # He's draw, so that the answers differ; N(0, 0.01) gives all classes the same probability.
    try "$zfscope" train "$net" --data synth:train:40 --init he --init-std 1 -o run "$@" &&
        compare "${net##*/}" run/model.safetensors "$deviation"
    rm -rf run
}

if [ ${#models[@]} -eq 0 ]; then
    make_and_compare zfnet32 2 --epochs 0
    make_and_compare zfnet 64 --epochs 0
    make_and_compare alexnet 64 --epochs 0
    # Trained a little: some of its parameters begin all alike.
    make_and_compare "$here/every_type.ini" 2 --epochs 3 --batch 8 --lr 0.05
fi
exit $worst
