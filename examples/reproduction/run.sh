#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The paper's experiments on photos of one's own, one after the other, and one page of all of them.
#
#     examples/reproduction/run.sh TRAIN VAL OUT [PHOTO...]
#
# TRAIN and VAL are folders of photos, one a class. What was done is not done again. Table 3 trains 18
# small nets: 70 minutes for 5 000 photos on two cores.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
zfscope=${ZFSCOPE:-zfscope}
if [ $# -lt 3 ]; then
    sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
train=$1 val=$2 out=$3
shift 3

# Train once, go on after an interruption.
resume=
[ ! -e "$out/run/checkpoint" ] || resume=--resume
"$zfscope" train zfnet64 --data "$train" --val "$val" -o "$out/run" $resume
model=$out/run/model.safetensors

"$zfscope" top "$model" --data "$val" --maps 16 -o "$out/top"                  # figure 2
"$zfscope" evolve "$out/run" --data "$val" --maps 8 -o "$out/evolve"           # figure 4
"$zfscope" diagnose "$model" --data "$val" -o "$out/diagnose"                  # figure 6
if [ $# -gt 0 ]; then
    "$zfscope" invariance "$model" "$@" -o "$out/invariance"                   # figure 5
    "$zfscope" occlude "$model" "$@" -o "$out/occlude"                         # figure 7
fi

resume=
[ ! -d "$out/ablate" ] || resume=--resume
"$zfscope" ablate --nets zfnet32 "$here"/zfnet32-*.ini --data "$train" --val "$val" \
    --epochs 60 --seeds 3 -o "$out/ablate" $resume                             # table 3

"$zfscope" report "$out" -o "$out/report.html"
echo "open $out/report.html"
