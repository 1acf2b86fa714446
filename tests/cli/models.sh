#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Errors of nets, models converted and prepared, pictures classified and projected.
. "$(dirname "$0")/common.sh"

make_run
make_untrained

succeeds "eval" "$zfscope" eval $model untrained/model.safetensors --data data/val --views 10 --json
json "eval's keys" 'len(j["models"]) == 2 and set(j["ensemble"]) >= {"top1_error", "top5_error"} and j["images"] == 10 and j["views"] == 10'
succeeds "eval of one" "$zfscope" eval $model --data data/val --json
json "no ensemble of one" 'j["ensemble"] is None and j["views"] == 1'
json "the classes that go wrong" 'sum(c["wrong"] for c in j["worst_classes"]) == round(j["models"][0]["top1_error"] * 10) and sum(c["pictures"] for c in j["confusions"]) == round(j["models"][0]["top1_error"] * 10)'
succeeds "eval into a file" "$zfscope" eval $model --data data/val -o errors.txt
[ -f errors.txt ] && grep -q '^10 pictures' errors.txt && pass "as its ending says" ||
    fail "as its ending says" "a file" "$(ls -d errors*)"
succeeds "convert to ONNX" "$zfscope" convert $model model.onnx --json
json "convert's keys" 'j["out"] == "model.onnx" and j["parameters"] > 0 and j["input"] == [3, 28, 28]'
succeeds "and back" "$zfscope" convert model.onnx again.safetensors
cmp -s $model again.safetensors && pass "the same bytes" || fail "the same bytes" "equal files" "other"
succeeds "convert a NET with weights" "$zfscope" convert tiny.ini w.safetensors --weights $model
succeeds "eval by the best recipe" "$zfscope" eval model.onnx --data data/val --prepare auto --json
json "is the best of all" '(lambda m: 7 <= len(m["recipes"]) <= 9 and m["recipes"][0]["prepare"] == "model" and m["recipes"][m["best"]]["top1_error"] == min(r["top1_error"] for r in m["recipes"]) == m["top1_error"])(j["models"][0])'
succeeds "and names it" "$zfscope" eval model.onnx --data data/val --prepare auto
grep -q 'on 10 pictures: best by --prepare [a-z]* --resize [a-z:0-9]*$' out && pass "in words" ||
    fail "in words" "best by" "$(cat out)"
refuses "a recipe without right answers" 2 'zfscope eval MODEL --data' "$zfscope" classify model.onnx picture.png --prepare auto
succeeds "eval of ONNX" "$zfscope" eval model.onnx $model --data data/val --json
json "ONNX errs alike" 'j["models"][0]["top1_error"] == j["models"][1]["top1_error"]'
succeeds "quiet" "$zfscope" eval model.onnx --data data/val --prepare none --quiet -o quiet.txt
[ -s err ] && fail "quiet" "nothing on stderr" "$(cat err)" || pass "says nothing"
"$zfscope" eval missing.onnx --data data/val -q 2>err
[ "$(wc -l <err)" -eq 1 ] && pass "but errors" || fail "but errors" "one line" "$(cat err)"
succeeds "a net as text" "$zfscope" info $model --spec
cp out spec.ini
succeeds "which makes the same net" "$zfscope" info spec.ini --json
cp out of_spec
succeeds "as that of the model" "$zfscope" info $model --json
python3 -c 'import json; a, b = (json.load(open(f))["layers"] for f in ("out", "of_spec")); assert a == b, (a, b)' &&
    pass "layer by layer" || fail "layer by layer" "equal layers" "others"
foreign=$root/tests/onnx
succeeds "info of a foreign ONNX model" "$zfscope" info "$foreign/batchnorm_folded.onnx" --json
json "its layers are its nodes" '[(l["name"], l["op"]) for l in j["layers"]] == [("features.0", "conv"), ("features.2", "relu")]'
succeeds "the part below a tensor" "$zfscope" info "$foreign/batchnorm_folded.onnx" --until c --json
json "ends there" '[l["name"] for l in j["layers"]] == ["features.0"]'
refuses "classes of a net that ends in maps" 3 'ends in features.0, in [0-9]* maps.*lacks' "$zfscope" classify "$foreign/batchnorm_folded.onnx" --until c --prepare none picture.png
refuses "errors of a net that ends in maps" 3 'ends in features.0, in [0-9]* maps.*lacks' "$zfscope" eval "$foreign/batchnorm_folded.onnx" --until c --prepare none --data data/val
succeeds "how fast that part is" "$zfscope" bench "$foreign/batchnorm_folded.onnx" --until c --batch 1 --runs 1 --warm-up 0 --json
succeeds "how fast an input of open size is" "$zfscope" bench "$foreign/open_size.onnx" --input-size 9x7 --batch 1 --runs 1 --warm-up 0
refuses "an input of open size" 3 'height open.*--input-size HxW' "$zfscope" info "$foreign/open_size.onnx"
succeeds "its size said" "$zfscope" info "$foreign/open_size.onnx" --input-size 9x7 --json
json "is its size" 'j["input"] == [3, 9, 7]'
succeeds "its crop said" "$zfscope" convert "$foreign/open_size.onnx" crop.onnx --crop 9x7 --resize short:9
succeeds "info of the crop" "$zfscope" info crop.onnx --json
json "is the input" 'j["preparation"]["crop"] == [9, 7] and j["input"] == [3, 9, 7]'
refuses "a crop that is not the input" 3 'crop.onnx.*9x7.*8x8' "$zfscope" convert crop.onnx no.onnx --crop 8
refuses "a crop that is not a NET's input" 3 'tiny takes 28x28.*8x8' "$zfscope" convert tiny.ini no.onnx \
    --weights $model --crop 8
refuses "a crop beside another size" 2 '9x9.*9x7' "$zfscope" convert "$foreign/open_size.onnx" no.onnx --crop 9 --input-size 9x7
refuses "a crop larger than the picture" 2 'crop of 9x7 px .*resized to 8x8' "$zfscope" convert crop.onnx no.onnx --resize short:8
succeeds "a warp to the input's size" "$zfscope" convert crop.onnx warp.onnx --resize warp --json
succeeds "info of the warp" "$zfscope" info warp.onnx --json
json "is no square" 'j["preparation"]["resize"] == "warp" and (j["preparation"]["size"], j["preparation"]["width"]) == (9, 7)'
succeeds "a picture of a foreign input's size" "$zfscope" info "$foreign/conv.onnx" --json
json "is not to be resized" 'j["preparation"]["resize"] == "fit"'
succeeds "values of 0 to 1 and a fit" "$zfscope" convert "$foreign/conv.onnx" unit.onnx --prepare unit --resize fit:9
succeeds "info of them" "$zfscope" info unit.onnx --json
json "are said by the file" 'j["preparation"]["resize"] == "fit" and j["preparation"]["size"] == 9 and abs(j["preparation"]["scale"][0] * 255 - 1) < 1e-6'
rm -f unit.onnx
refuses "squares for what wants none" 3 'warp.onnx wants pictures of 9x7 px' "$zfscope" pack data/val no.pack --net warp.onnx
refuses "a short side of two" 2 'warp:HxW' "$zfscope" convert crop.onnx no.onnx --resize short:9x7
rm -f crop.onnx warp.onnx
refuses "no size" 2 'input-size.*9x' "$zfscope" info "$foreign/open_size.onnx" --input-size 9x
succeeds "a projection through a foreign model" "$zfscope" project "$foreign/conv.onnx" picture.png \
    --layer conv_1 --prepare none -o foreign.png --json
json "from its node" 'j["layer"] == "conv_1"'
seq 10 >labels.txt
succeeds "convert with another preparation" "$zfscope" convert model.onnx other.onnx --labels labels.txt \
    --prepare caffe --scale 0.5 --resize warp:40
[ -s err ] && [ "$(wc -l <err)" -eq 1 ] && pass "no warning" || fail "no warning" "one line" "$(cat err)"
succeeds "info of it" "$zfscope" info other.onnx --json
json "info says the preparation" 'j["preparation"]["resize"] == "warp" and j["preparation"]["size"] == 40 and j["preparation"]["channels"] == "bgr" and j["preparation"]["scale"] == [0.5, 0.5, 0.5] and not j["preparation"]["mean_image"]'
succeeds "classify with it" "$zfscope" classify other.onnx picture.png --json
cp out stored.json
json "labels of a file" 'all(p["label"] == str(p["index"] + 1) for p in j["images"][0]["predictions"])'
succeeds "the same, said with the command" "$zfscope" classify $model picture.png --json --labels labels.txt \
    --mean 103.939,116.779,123.68 --scale 0.5 --channels bgr --resize warp:40
cmp -s out stored.json && pass "the same answer" || fail "the same answer" "$(cat stored.json)" "$(cat out)"
run "$zfscope" classify $model picture.png --mean 0.485,0.456,0.406
[ $code -eq 0 ] && grep -q 'warning: .*0 to 1' err && pass "means of 0 to 1 are told" ||
    fail "means of 0 to 1" "a warning" "exit $code: $(cat err)"
run "$zfscope" classify $model picture.png --mean 120 --std 0.2
[ $code -eq 0 ] && grep -q 'warning: .*reach 675' err && pass "values that are too large are told" ||
    fail "values that are too large" "a warning" "exit $code: $(cat err)"
seq 9 >labels.txt
refuses "too few labels" 3 "labels.txt: 9 labels for 10 classes" "$zfscope" classify $model picture.png --labels labels.txt
refuses "a mean of two numbers" 2 "not '1,2'" "$zfscope" classify $model picture.png --mean 1,2
refuses "a std of 0" 2 'std cannot be 0' "$zfscope" classify $model picture.png --std 0
refuses "a size that the mean is not for" 2 'per-pixel mean' "$zfscope" classify $model picture.png --resize short:40
refuses "a NET without weights" 3 'tiny.ini.*--weights' "$zfscope" convert tiny.ini bad.onnx
refuses "weights of another net" 3 'conv1.weight' "$zfscope" convert zfnet32 bad.onnx --weights $model
succeeds "classify" "$zfscope" classify $model picture.png photo.jpg --json
json "classify's keys" 'len(j["images"]) == 2 and [len(i["predictions"]) for i in j["images"]] == [5, 5] and set(j["images"][0]["predictions"][0]) >= {"index", "label", "probability"} and j["images"][1]["path"] == "photo.jpg"'
cp out both
seventeen=$(for i in $(seq 17); do printf 'photo.jpg '; done)
succeeds "classify more than a batch" "$zfscope" classify $model picture.png $seventeen --json
json "a picture's answer does not depend on its batch" 'len(j["images"]) == 18 and all(abs(p["probability"] - q["probability"]) < 1e-5 and p["index"] == q["index"] for i in j["images"][1:] for p, q in zip(i["predictions"], json.load(open("both"))["images"][1]["predictions"]))'
cp both out
json "classify is sorted" 'all(a["probability"] >= b["probability"] for i in j["images"] for a, b in zip(i["predictions"], i["predictions"][1:]))'
succeeds "activations" "$zfscope" activations $model picture.png --layer conv5 -o a.npy --json
json "activations' shape" 'j["shape"][:2] == [1, 8] and j["out"] == "a.npy"'
head -c 6 a.npy | grep -q NUMPY && pass "a .npy file" || fail "a .npy file" "NUMPY" "$(head -c 6 a.npy)"
succeeds "project" "$zfscope" project $model picture.png -o p.png --raw p.npy --json
json "project's keys" 'set(j) >= {"layer", "map", "y", "x", "activation", "rule", "receptive_field", "out"} and set(j["receptive_field"]) == {"x", "y", "width", "height"} and j["layer"] == "conv5"'
succeeds "project, all said" "$zfscope" project $model p.npy --layer conv2 --map 3 --at 1,2 \
    --rule guided -o p.png --json
json "project's place" '(j["map"], j["y"], j["x"], j["rule"]) == (3, 1, 2, "guided")'
succeeds "the projection is a picture" "$zfscope" classify $model p.png
width_of() { # PNG: its width in px
    python3 -c 'import struct, sys; print(*struct.unpack(">I", open(sys.argv[1], "rb").read()[16:20]))' "$1"
}
[ "$(width_of p.png)" -ge 1200 ] && pass "three panels" || fail "three panels" "1200 px or more" "$(width_of p.png)"
succeeds "project --plain" "$zfscope" project $model picture.png --plain -o plain.png --json
side=$("$zfscope" info $model --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["input"][2])')
[ "$(width_of plain.png)" = "$side" ] && pass "a bare projection" || fail "a bare projection" "$side" "$(width_of plain.png)"
succeeds "project --figure" "$zfscope" project $model picture.png --figure -o slide.png
[ "$(width_of slide.png)" = 1920 ] && pass "a slide" || fail "a slide" 1920 "$(width_of slide.png)"
[ "$(grep -c '<image ' slide.svg)" = 3 ] && grep -q 'framed: what the cell sees' slide.svg && pass "a slide as SVG" ||
    fail "a slide as SVG" "three pictures and words" "$(grep -c '<image ' slide.svg)"
refuses "a slide without words" 2 'figure makes a picture with words' "$zfscope" project $model picture.png --figure --plain -o slide.png
succeeds "unit --figure" "$zfscope" unit $model --data data/val --layer conv2 --map 1 --figure -o unit-slide
[ "$(width_of unit-slide/strongest+figure.png)" = 1920 ] && grep -q '</svg>' unit-slide/strongest+figure.svg &&
    pass "an experiment's slides" || fail "an experiment's slides" 1920 "$(ls unit-slide)"
succeeds "a projection as JPEG" "$zfscope" project $model picture.png -o p.JPG
[ "$(head -c 3 p.JPG | od -An -tx1)" = " ff d8 ff" ] && pass "JPEG by its name" || fail "JPEG by its name" "ff d8 ff" "$(head -c 3 p.JPG | od -An -tx1)"
succeeds "a projection as NumPy" "$zfscope" project $model picture.png -o values.npy --raw raw.npy
cmp -s values.npy raw.npy && pass "the same values" || fail "the same values" "equal files" "different ones"
refuses "a picture of no known kind" 2 'p.gif: a picture.s name ends in .png' "$zfscope" project $model picture.png -o p.gif

for mode in forward train project; do
    succeeds "bench --mode $mode" "$zfscope" bench tiny.ini --mode $mode --batch 4 --runs 2 --json
    json "bench's keys" 'set(j) >= {"mode", "net", "batch", "threads", "precision", "images_per_second", "seconds_median", "gflops", "peak_rss_mib"} and j["images_per_second"] > 0'
done
for engine in reference onednn; do
    "$zfscope" info zfnet --engine $engine >/dev/null 2>&1 || continue
    succeeds "project on $engine" "$zfscope" project $model picture.png --raw $engine.npy --engine $engine
done
succeeds "project, no engine named" "$zfscope" project $model picture.png --raw unnamed.npy
cmp -s unnamed.npy reference.npy && pass "that is in double" ||
    fail "that is in double" "the same bytes as on the engine reference" "others"
if [ -n "$example" ]; then
    succeeds "the README's program" "$example" $model picture.png conv5 example.npy
fi
for command in "info zfnet" "check data/val"; do
    # shellcheck disable=SC2086 # words are meant
    "$zfscope" $command >/dev/full 2>err
    code=$?
    [ $code -eq 1 ] && pass "$command on a full disk" ||
        fail "$command on a full disk" "exit 1" "exit $code"
done

finish
