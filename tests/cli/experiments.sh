#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each experiment, and what `check` says of its results.
. "$(dirname "$0")/common.sh"

make_run
make_untrained
"$zfscope" project $model picture.png -o p.png --raw p.npy -q >/dev/null

succeeds "eval into a directory" "$zfscope" eval $model untrained/model.safetensors --data data/val -o v1.2 --explain 1 --json
json "what goes wrong" 'len(j["models"]) == 2 and sum(c["pictures"] for c in j["classes"]) == 10 and sum(b["pictures"] for b in j["calibration"]["bins"]) == 10'
wc -l v1.2/pictures.csv | grep -q '^11 ' && ls v1.2/index.html v1.2/matrix.png v1.2/eval.json v1.2/classes.csv \
    v1.2/confusion.csv >/dev/null && pass "its files" || fail "its files" "six" "$(ls v1.2)"
refuses "eval of other classes into a directory" 3 'class' "$zfscope" eval "$root/tests/onnx/open_size.onnx" --input-size 28 --prepare none --data data/val -o none
[ -e none ] && fail "leaves nothing" "no directory" "$(ls none)" || pass "leaves nothing"
succeeds "compare" "$zfscope" compare $model untrained/model.safetensors --data data/val --explain 1 -o compared --json
json "compare's keys" 'j["both_right"] + j["only_first_right"] + j["only_second_right"] + j["both_wrong"] == j["images"] == 10 and len(j["pictures_only_first_right"]) == j["only_first_right"] and 0 < j["chance"] <= 1'
refuses "one model to compare" 2 'takes MODEL MODEL' "$zfscope" compare $model --data data/val -o compared
succeeds "top" "$zfscope" top $model --data data/val --layer conv1 conv2 -k 3 --maps 0,2 -o top --json
json "top's keys" '[l["name"] for l in j["layers"]] == ["conv1", "conv2"] and [m["map"] for m in j["layers"][0]["maps"]] == [0, 2] and len(j["layers"][0]["maps"][0]["top"]) == 3 and set(j["layers"][0]["maps"][0]["top"][0]) >= {"image", "label", "activation", "y", "x", "patch"} and j["images"] == 10'
[ -f top/index.html ] && [ -f top/top.json ] && [ -f top/conv1.png ] && pass "top's files" ||
    fail "top's files" "index.html, top.json, conv1.png" "$(ls top)"
succeeds "occlude" "$zfscope" occlude $model picture.png p.npy --size 8 --stride 8 --class 3 \
    --data data/val --colour 1,2,3 -o occlude --json
json "occlude's keys" '[i["path"] for i in j["images"]] == ["picture.png", "p.npy"] and all(set(i) >= {"path", "class", "probability", "size", "stride", "grid", "probability_map", "class_map", "layer", "map", "activation_map"} and i["class"] == 3 and i["grid"] == [len(i["class_map"]), len(i["class_map"][0])] and len(i["probability_map"]) == len(i["activation_map"]) == i["grid"][0] for i in j["images"]) and j["seconds"] > 0'
mkdir -p boat && cp picture.png boat
for said in "" "--class true" "--class BOAT"; do
    succeeds "occlude a picture of a class $said" "$zfscope" occlude $model boat/picture.png --size 28 $said -o boats --json
    json "follows it" 'all(i["label"] == "boat" and 0 <= i["raised_share"] <= 1 and "projection_dependence" in i for i in j["images"])'
done
succeeds "or what the net says" "$zfscope" occlude $model boat/picture.png --size 28 --class predicted -o boats --json
json "follows that" 'j["images"][0]["class"] == j["images"][0]["predicted"]'
succeeds "invariance" "$zfscope" invariance $model picture.png photo.jpg -o invariance --json
json "invariance's keys" '[[t["kind"] for t in i["transforms"]] for i in j["images"]] == [["translation", "scale", "rotation"]] * 2 and all(list(t["distance"]) == ["norm1", "relu7"] and all(len(d) == len(t["values"]) == len(t["probability"]) for d in t["distance"].values()) for i in j["images"] for t in i["transforms"]) and j["images"][0]["transforms"][1]["distance"]["relu7"][0] == 0'
printf 'file\tpart\tx\ty\npicture.png\teye\t18\t9\nphoto.jpg\teye\t30\t31\t9\n' >parts.tsv
succeeds "correspond" "$zfscope" correspond $model parts.tsv --layer conv5 fc7 --permutations 50 -o correspond --json
json "correspond's keys" '[[l["name"]] + [p["part"] for p in l["parts"]] for l in j["layers"]] == [["conv5", "eye", "random"], ["fc7", "eye", "random"]] and all(set(p) >= {"part", "mean", "std"} and 0 <= p["mean"] <= 1 for l in j["layers"] for p in l["parts"])'
mkdir -p nofonts
echo '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>nofonts</dir></fontconfig>' \
    >nofonts.conf
succeeds "occlude without a font" env FONTCONFIG_FILE="$PWD/nofonts.conf" "$zfscope" occlude $model \
    picture.png photo.jpg --size 8 --stride 16 -o wordless
[ "$(grep -c 'No font is installed' out)" = 1 ] && pass "a missing font is said once" ||
    fail "a missing font is said once" "one line: No font is installed" "$(cat out)"
for name in occlude invariance correspond; do
    [ -s $name/index.html ] && [ -s $name/$name.json ] && pass "$name's files" ||
        fail "$name's files" "index.html, $name.json" "$(ls $name)"
done
succeeds "evolve" "$zfscope" evolve run --data data/val --layer conv1 conv2 --maps 2 -o evolve --json
json "evolve's keys" 'len(j["epochs"]) >= 2 and [l["name"] for l in j["layers"]] == ["conv1", "conv2"] and len(j["layers"][0]["maps"]) == 2 and set(j["layers"][0]["maps"][0]["epochs"][0]) >= {"epoch", "image", "activation", "changed", "similarity_projection", "similarity_filter"} and j["layers"][0]["settled_epoch"] in j["epochs"] and j["start"] == "drawn" and j["layers"][1]["maps"][0]["epochs"][-1]["share"] == 1'
mkdir -p single/epochs && cp $model single/epochs/0003.safetensors
refuses "the evolution of a single epoch" 3 'keeps 1 epoch' "$zfscope" evolve single --data data/val -o bad
refuses "the evolution of no run" 3 'no run' "$zfscope" evolve data --data data/val -o bad
succeeds "diagnose" "$zfscope" diagnose $model --data data/val -o diagnose --json
json "diagnose's keys" 'all(set(l) >= {"name", "maps", "dead", "dominating", "aliasing", "mid_frequency_share", "verdict"} for l in j["layers"]) and j["layers"][0]["name"] == "conv1" and j["images"] == 10'
json "diagnose reads the log" 'j["training"]["epochs"] == sum(1 for line in open("run/log.jsonl")) >= 3 and {w["name"] for w in j["weights"]} >= {"conv1"}'
succeeds "diagnose without pictures" "$zfscope" diagnose $model -o diagnose
refuses "a diagnosis of no model" 3 'photo.jpg' "$zfscope" diagnose photo.jpg -o bad
mkdir -p results && cp -r top results/ && cp run/log.jsonl results/ && ln -s . results/loop
succeeds "report" "$zfscope" report results -o results/page.html
if grep -q '>Training<' results/page.html && grep -q 'data:image/' results/page.html &&
    ! grep -q 'src="[^d]' results/page.html; then
    pass "a report holds the run and the top pictures, and needs no other file"
else
    fail "a report holds the run and the top pictures" "both" "$(head -c 300 results/page.html)"
fi
mkdir -p nothing broken && echo '{"kind":' >broken/occlude.json
refuses "a report of nothing" 3 'no results below nothing' "$zfscope" report nothing -o page.html
refuses "a report of broken JSON" 3 'broken/occlude.json is no JSON' "$zfscope" report broken -o page.html
refuses "a report of no directory" 3 'nowhere' "$zfscope" report nowhere -o page.html
sed 's/name = tiny/name = tinier/; s/maps = 16/maps = 12/' tiny.ini >tinier.ini
succeeds "transfer --save" "$zfscope" transfer $model --data data/train --per-class 2 --folds 1 \
    --test-per-class 2 --save saved.onnx -o moved --json
json "transfer says what it saved" 'j["saved"]["path"] == "saved.onnx" and j["saved"]["images"] == 20 and abs(1 - j["saved"]["accuracy"] - j["saved"]["top1_error"]) < 1e-9'
cp out moved.json
succeeds "eval of what transfer saved" "$zfscope" eval saved.onnx --data moved/held-out.tsv --json
json "a saved model is as good as transfer said" 'json.load(open("moved.json"))["saved"]["top1_error"] == j["models"][0]["top1_error"]'
succeeds "classify by what transfer saved" "$zfscope" classify saved.onnx data/val/boat/*.png
succeeds "ablate" "$zfscope" ablate --nets tiny.ini tinier.ini --data train.pack --val data/val \
    --epochs 2 --batch 10 -o ablate
cp out ablate.txt
succeeds "ablate --resume" "$zfscope" ablate --nets tiny.ini tinier.ini --data train.pack \
    --val data/val --epochs 2 --batch 10 -o ablate --resume
cmp -s out ablate.txt && ! grep -q 'img/s' err && pass "finished runs are not done again" ||
    fail "finished runs are not done again" "the same table, at once" "$(cat out err)"
refuses "an ablation over another" 2 'resume' "$zfscope" ablate --nets tiny.ini --data train.pack --val data/val --epochs 1 -o ablate
python3 -m json.tool ablate/ablate.json >/dev/null && cp ablate/ablate.json out
json "ablate's keys" '[r["net"] for r in j["rows"]] == ["tiny", "tinier"] and set(j["rows"][0]) >= {"net", "train_top1_error", "val_top1_error", "val_top5_error", "parameters", "epochs"} and j["rows"][0]["epochs"] == 2'
succeeds "transfer" "$zfscope" transfer $model --data synth:train:80 --per-class 2,5 --folds 2 \
    --layer conv5 relu7 --overlap synth:train:20 -o transfer --json
json "transfer's keys" '[(r["layer"], r["per_class"]) for r in j["rows"]] == [("conv5", 2), ("conv5", 5), ("relu7", 2), ("relu7", 5)] and all(r["classifier"] == "softmax" and r["folds"] == 2 and 0 <= r["accuracy_mean"] <= 1 and r["accuracy_std"] >= 0 for r in j["rows"])'
json "transfer finds what was seen" 'j["overlap"]["images"] == 20 and j["overlap"]["pairs"][0]["path"] == j["overlap"]["pairs"][0]["seen"]'
[ -f transfer/index.html ] && [ -f transfer/seen.png ] && [ "$(ls -A transfer | grep -c features)" -eq 0 ] &&
    pass "transfer's files" || fail "transfer's files" "a page, and no features" "$(ls -A transfer)"

# ---- Folders as people have them. ----

mkdir -p flat
cp data/val/*/*.png flat
succeeds "classify a folder" "$zfscope" classify $model flat data/val --json
json "all of its pictures, in order" '[i["path"].split("/")[0] for i in j["images"]] == ["flat"] * 10 + ["data"] * 10'
succeeds "unit" "$zfscope" unit $model --data data/val --layer conv2 --map 3 -o unit --json
json "unit's keys" 'j["layer"] == "conv2" and j["map"] == 3 and len(j["strongest"]) > 0 and set(j["strongest"][0]) >= {"image", "activation", "patch", "predicted", "silenced_predicted", "silenced"} and set(j) >= {"above_zero", "mean", "median", "largest", "dependence", "middle", "weakest", "classes", "votes", "fed_by", "feeds"}'
grep -q '<h1>conv2, map 3</h1>' unit/index.html && pass "its title" || fail "its title" "conv2, map 3" "$(grep h1 unit/index.html)"
for name in v1.2 compared top occlude invariance correspond evolve diagnose ablate transfer unit; do
    succeeds "check of $name" "$zfscope" check $name --json
    json "which is whole" 'j["bad"] == [] and len(j["good"]) >= 2 and j["numbers"] and j["page"] and j["command"]'
done
cp -r v1.2 hurt
truncate -s -1 hurt/matrix.png
sed -i '4s/,.*//' hurt/classes.csv
truncate -s -9 hurt/index.html
run "$zfscope" check hurt
[ $code -eq 3 ] && grep -q '^eval.json: the numbers, and [0-9]* blocks$' out && grep -q '^matrix.png: damaged: ' out &&
    grep -q '^classes.csv: damaged: .*line 4: 1 cells, where the first line has' out && grep -q '^index.html: damaged: ' out &&
    grep -q '^the numbers are whole$' out && ! grep -q 'zfscope report' out && grep -q '^it was made by: .*eval' out &&
    grep -q '3 of [0-9]* files are damaged$' err && pass "check names what is damaged in a result, and what is left" ||
    fail "check of a damaged result" "three files, whole numbers" "$code: $(cat out err)"
cp v1.2/matrix.png hurt
run "$zfscope" check hurt
grep -q '^zfscope report hurt makes a page' out && "$zfscope" report hurt -o hurt.html 2>err && pass "a page can be made anew" ||
    fail "a page can be made anew" "by report" "$(cat out err)"
rm hurt/index.html
run "$zfscope" check hurt
[ $code -eq 3 ] && grep -q '^index.html: damaged: .*No such file' out && pass "a page that is gone" ||
    fail "a page that is gone" "index.html is damaged" "$code: $(cat out err)"
cp picture.png hurt/matrix.png
cp v1.2/index.html hurt
truncate -s -9 hurt/eval.json
run "$zfscope" check hurt
[ $code -eq 3 ] && grep -q '^eval.json: damaged: .*no JSON: it cannot be read from byte' out && grep -q '^the page is whole' out &&
    pass "numbers that are cut off leave the page" || fail "numbers that are cut off" "a whole page" "$code: $(cat out err)"
sed 's/"bins":/"pins":/; s/"models":/"nets":/' v1.2/eval.json >hurt/eval.json
run "$zfscope" check hurt
[ $code -eq 3 ] && grep -q "^eval.json: damaged: .*has no 'models'" out && grep -q '^matrix.png: damaged: .* px, where eval.json has ' out &&
    pass "and numbers of another kind, a picture of another size" ||
    fail "numbers of another kind" "no 'models', another size" "$code: $(cat out err)"
rm -r hurt
cp -r data/val beside
succeeds "eval into a file beside pictures" "$zfscope" eval $model --data beside -o beside/eval.json
succeeds "does not make a result of them" "$zfscope" check beside
grep -q '^beside: 10 pictures in ' out && pass "they are data" || fail "they are data" "10 pictures" "$(cat out)"
rm -r beside
refuses "a unit without its map" 2 'unit needs --map M' "$zfscope" unit $model --data data/val --layer conv2 -o bad
refuses "a unit that is not there" 2 'conv2' "$zfscope" unit $model --data data/val --layer conv2 --map 4000 -o bad
succeeds "top of a folder without classes" "$zfscope" top $model --data flat --layer conv1 --maps 2 -o flat-top
succeeds "check of one" "$zfscope" check flat
grep -q '^flat: 10 pictures, all good$' out && pass "it has no classes" || fail "it has no classes" "10 pictures" "$(cat out)"
refuses "train on one" 3 'folder for each class' "$zfscope" train tiny.ini --data flat -o bad
odd=$(printf 'odd/caf\351')
mkdir -p "$odd" && cp picture.png "$odd/$(printf 'a\nb\377').png"
succeeds "names that are no UTF-8" "$zfscope" check odd --json
json "are JSON all the same" 'j["images"] == 1 and "one class" in j["notes"][0]'
succeeds "and in classify" "$zfscope" classify $model "$odd" --json
json "with the way back" '__import__("os").fsencode(j["images"][0]["path"]) == b"odd/caf\xe9/a\nb\xff.png"'

finish
