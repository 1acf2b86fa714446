#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Data made, checked and packed; nets trained, from whatever data, and trained on.
. "$(dirname "$0")/common.sh"

succeeds "synth" "$zfscope" synth data --images 50
[ -f data/truth.json ] && [ -d data/train ] && [ -d data/val ] && pass "synth's files" ||
    fail "synth's files" "train, val, truth.json" "$(ls data)"
succeeds "check" "$zfscope" check data/val --json
json "check finds nothing bad" 'j["bad"] == [] and j["images"] == 10'
succeeds "pack" "$zfscope" pack data/train train.pack --net tiny.ini --json
json "pack counts" 'j["images"] == 50 and j["left_out"] == 0'
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
    eval '"$zfscope" pack data/train closed.pack --net tiny.ini' "$closed" 2>/dev/null
    cmp -s train.pack closed.pack && pass "packing with $closed prints nothing into the file" ||
        fail "packing with $closed" "the same file" "$(ls -l train.pack closed.pack 2>&1)"
    rm -f closed.pack
done
refuses "a stdout that is closed" 1 'stdout: Bad file descriptor' sh -c '"$@" >&-' - "$zfscope" info zfnet
succeeds "train --epochs 0" "$zfscope" train tiny.ini --data data/train --epochs 0 -o untrained
succeeds "info of a model" "$zfscope" info untrained/model.safetensors
succeeds "train" "$zfscope" train tiny.ini --data train.pack --val data/val --epochs 2 --batch 10 \
    --keep 1 -o run --json
json "train's result" 'j["epoch"] == 2 and 0 <= j["val_top1_error"] <= 1'
[ "$(wc -l <run/log.jsonl)" -eq 2 ] && [ -f run/epochs/0001.safetensors ] && [ -f $model ] &&
    pass "the run's files" || fail "the run's files" "log, epochs, model" "$(find run)"
mkdir shards
python3 - <<'END'
import os, random, tarfile
files = [os.path.join(d, f) for d, _, names in os.walk("data/train") for f in names]
random.Random(1).shuffle(files)
for k in range(3):
    with tarfile.open(f"shards/{k:02}.tar", "w") as tar:
        for path in files[k::3]:
            label, name = path.split("/")[-2:]
            stem = f"{label}-{name[:-4]}"
            open("label", "w").write(label)
            tar.add("label", stem + ".cls")
            tar.add(path, stem + ".png")
END
succeeds "train on shards" "$zfscope" train tiny.ini --data 'shards/{00..02}.tar' --val data/val --epochs 2 --batch 10 \
    --keep 1 -o sharded
cmp -s $model sharded/model.safetensors && pass "shards train to the bits of the folder" ||
    fail "shards train to the bits of the folder" "the same model" "$(cat err)"
succeeds "check of shards" "$zfscope" check shards
refuses "pictures in tars as IMAGE" 3 'holds tars' "$zfscope" classify $model shards
refuses "braces that the shell took apart" 2 'in quotes' "$zfscope" train tiny.ini --data shards/{00..02}.tar -o no
rm -r shards sharded
succeeds "train --resume" "$zfscope" train tiny.ini --data train.pack --val data/val --epochs 3 \
    --batch 10 -o run --resume
[ "$(wc -l <run/log.jsonl)" -eq 3 ] && pass "resume goes on" || fail "resume goes on" "3 lines" "$(cat run/log.jsonl)"
if ! $slow && [[ " $(instruction_sets) " == *" sse41 "* ]]; then
    cp -r run held
    succeeds "resume within sse41" "$zfscope" train tiny.ini --data train.pack --val data/val --epochs 4 \
        --batch 10 -o held --resume --cpu sse41
    grep -q 'begun on the engine onednn .* goes on with onednn .* on sse41' err &&
        pass "and says that the last bits may differ" || fail "resume within sse41" "a line" "$(cat err)"
fi
succeeds "check of a model" "$zfscope" check $model
grep -q 'all good' out && pass "which is good" || fail "check of a model" "all good" "$(cat out)"
cp -r run hurt
succeeds "check of a run" "$zfscope" check hurt --json
json "a run that is whole" 'j["bad"] == [] and j["resumes_from"] == "checkpoint" and j["epochs"] == 3 and {f["file"] for f in j["good"]} >= {"checkpoint", "checkpoint.previous", "model.safetensors", "epochs/0001.safetensors", "log.jsonl"}'
python3 - <<'END'
import os
with open("hurt/checkpoint", "r+b") as file:
    file.seek(-5, 2)
    file.write(b"\x55")
os.truncate("hurt/epochs/0001.safetensors", 100)
with open("hurt/log.jsonl", "a") as file:
    file.write("half a li")
END
run "$zfscope" check hurt
[ $code -eq 3 ] && grep -q '^checkpoint: damaged: .*CRC' out && grep -q '^epochs/0001.safetensors: damaged: .*truncated' out &&
    grep -q '^log.jsonl: damaged: .*line 4' out && grep -q 'goes on from checkpoint.previous, after' out &&
    grep -q '3 of [0-9]* files are damaged$' err &&
    pass "check names what is damaged in a run, and what is left" ||
    fail "check of a damaged run" "three files, and checkpoint.previous" "$code: $(cat out err)"
rm -rf hurt
succeeds "train a model further" "$zfscope" train $model --data data/train --freeze conv1 --epochs 1 --batch 10 -o further --json
json "what is frozen is said" 'j["frozen"] == ["conv1"] and j["from"] == "run/model.safetensors" and "new_layer" not in j'
grep -q '"from":"model.safetensors, crc32c ' further/log.jsonl && pass "and logged" || fail "and logged" "from" "$(cat further/log.jsonl)"
python3 -c '
import json, struct, sys
def tensors(path):
    with open(path, "rb") as file:
        head = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: data[slice(*head[name]["data_offsets"])] for name in head if name.endswith("weight")}
was, now = (tensors(path) for path in sys.argv[1:])
sys.exit(not (was["conv1.weight"] == now["conv1.weight"] and sum(was[n] != now[n] for n in was) == len(was) - 1))
' $model further/model.safetensors && pass "it keeps every bit" || fail "it keeps every bit" "conv1 as it was, the rest not" "$($zfscope info further/model.safetensors)"
mkdir -p two && cp -r data/train/boat data/train/cup two
succeeds "train a model on other classes" "$zfscope" train $model --data two --epochs 1 --batch 5 -o anew
grep -q '^the last layer, .*, is new: 2 classes of two in place of 10 outputs$' err && pass "its last layer is new" ||
    fail "its last layer is new" "a line" "$(cat err)"
succeeds "convert what came of it" "$zfscope" convert anew/model.safetensors anew.onnx
succeeds "and classify" "$zfscope" classify anew.onnx data/train/cup --json
json "by the new names" '{p["label"] for i in j["images"] for p in i["predictions"]} == {"boat", "cup"}'
succeeds "train an ONNX file further, a new layer on a cut net" "$zfscope" train anew.onnx --until conv1 --data data/train \
    --epochs 1 --batch 10 -o cut-on
succeeds "info says from what" "$zfscope" info further/model.safetensors
grep -q '^trained further from: model.safetensors, crc32c .*; 1 of its layers frozen$' out && pass "and how many are frozen" ||
    fail "and how many are frozen" "a line" "$(cat out)"
refuses "freezing what has no weights" 2 'no weights to freeze' "$zfscope" train $model --data two --freeze relu1 -o bad
refuses "freezing a NET" 2 'is a NET' "$zfscope" train tiny.ini --data data/train --freeze conv1 -o bad
succeeds "resume by the directory alone" "$zfscope" train -o run --resume --epochs 4
[ "$(wc -l <run/log.jsonl)" -eq 4 ] && pass "goes on as it was begun" || fail "goes on as it was begun" "4 lines" "$(cat run/log.jsonl)"
grep -q 'zfscope eval run/model.safetensors --data data/val -o' err && grep -q 'zfscope top ' err &&
    pass "and proposes what to do next" || fail "and proposes what to do next" "two commands" "$(cat err)"
mkdir elsewhere
cd elsewhere
refuses "resume from elsewhere" 3 'begun in .*, where its paths begin' "$zfscope" train -o ../run --resume
cd ..
for words in '{}' '{"words":' '{"words":1}' ''; do
    echo "$words" >run/command.json
    refuses "resume of a run begun by '$words'" 3 'does not hold a command line' "$zfscope" train -o run --resume
done
rm run/command.json
refuses "resume of a run that does not say how it was begun" 3 'whole command line' "$zfscope" train -o run --resume
refuses "train over a run" 2 'resume' "$zfscope" train tiny.ini --data train.pack -o run

# ---- Parts of a data set to validate on. ----

mkdir -p split
cp -r data/train data/val split
refuses "train and val for classes" 3 'split/train' "$zfscope" check split
succeeds "train --val-split" "$zfscope" train tiny.ini --data data/train --val-split 0.3 --epochs 1 --batch 10 --seed 5 -o parted
grep -q '"share": 0.3.*"seed": 5' parted/val-split.json && pass "the split is recorded" ||
    fail "the split is recorded" "0.3 by seed 5" "$(cat parted/val-split.json)"
cp parted/val-split.json before.json
succeeds "--resume repeats the split" "$zfscope" train tiny.ini --data data/train --epochs 2 --batch 10 --seed 5 --resume -o parted
cmp -s parted/val-split.json before.json && [ "$(grep -c val_top1 parted/log.jsonl)" -eq 2 ] &&
    pass "it validates on the same" || fail "it validates on the same" "two epochs" "$(cat parted/log.jsonl)"
refuses "another split" 2 'split of 0.3 by seed 5' "$zfscope" train tiny.ini --data data/train --val-split 0.2 --seed 5 --resume -o parted
refuses "a split and --val" 2 'not both' "$zfscope" train tiny.ini --data data/train --val data/val --val-split 0.2 -o bad

finish
