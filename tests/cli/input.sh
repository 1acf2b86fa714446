#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bad input: one sentence each, and nothing left behind.
. "$(dirname "$0")/common.sh"

make_run

touch out err why # of what is run
before=$(ls -R)
refuses "data that is missing" 3 'nowhere' "$zfscope" train tiny.ini --data nowhere -o bad
mkdir empty classless classless/a
refuses "data that is empty" 3 'empty' "$zfscope" train tiny.ini --data empty -o bad
refuses "a class without pictures" 3 'class folders of classless hold no pictures' "$zfscope" train tiny.ini --data classless -o bad
: >empty.tsv
refuses "an empty list" 3 'empty.tsv' "$zfscope" eval $model --data empty.tsv
head -c 400 photo.jpg >cut.jpg
refuses "a truncated JPEG" 3 'cut.jpg.*truncated' "$zfscope" classify $model cut.jpg
echo "this is no picture" >text.jpg
run "$zfscope" classify $model picture.png cut.jpg photo.jpg --json
[ $code -eq 3 ] && grep -q 'left out: cut.jpg.*truncated' err && grep -q '1 of 3 pictures cannot be read' err &&
    pass "among others it is named" || fail "among others it is named" "exit 3" "exit $code: $(cat err)"
json "and these are answered" '[i["path"] for i in j["images"]] == ["picture.png", "photo.jpg"] and [b["path"] for b in j["left_out"]] == ["cut.jpg"]'
refuses "a text named .jpg" 3 'text.jpg' "$zfscope" classify $model text.jpg
: >empty.jpg
refuses "an empty picture" 3 'empty.jpg' "$zfscope" classify $model empty.jpg
png dot.png 1 1
refuses "a 1x1 picture" 3 'dot.png.*1 x 1' "$zfscope" classify $model dot.png
png vast.png 30000 30000 header
refuses "a 30000x30000 picture" 3 'vast.png.*30000 x 30000' "$zfscope" classify $model vast.png
refuses "a picture that is missing" 3 'none.png' "$zfscope" classify $model none.png
png small.png 40 5
mkdir -p mixed/a mixed/b
cp picture.png mixed/a/good.png
cp picture.png mixed/b/good.png
cp cut.jpg mixed/b/cut.jpg
run "$zfscope" check mixed
[ $code -eq 3 ] && grep -q 'mixed/b/cut.jpg: .*truncated' out && [ "$(wc -l <out)" -eq 1 ] &&
    grep -q '1 of 3' err && pass "check names the bad one" ||
    fail "check names the bad one" "exit 3 and mixed/b/cut.jpg" "exit $code: $(cat out err)"
refuses "a bad picture under --strict" 3 'cut.jpg' "$zfscope" train tiny.ini --data mixed --strict \
    --epochs 1 --batch 1 -o strict
rm -rf strict
printf '[net]\nname = n\nclasses = 2\ninput = 3x8x8\n\n[conv1]\ntype = conv\nmaps = 4\nkernel = 9\n' >kernel.ini
refuses "a kernel larger than its map" 3 'kernel.ini:.*9x9' "$zfscope" info kernel.ini
printf '[net]\nname = n\nclasses = 2\ninput = 3x8x8\n\n[conv1]\ntype = conv\nmaps = 4\nkernal = 3\n' >key.ini
refuses "an unknown key" 3 'key.ini:9:.*kernal' "$zfscope" info key.ini
refuses "an unknown net" 3 'zfnet' "$zfscope" info zfnett
size=$(stat -c %s $model)
for cut in 0 5 8 100 $((size / 2)) $((size - 1)); do
    head -c "$cut" $model >cut.safetensors
    refuses "a model cut at byte $cut of $size" 3 'cut.safetensors' "$zfscope" info cut.safetensors
done
python3 - $model <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
open("lie.safetensors", "wb").write(struct.pack("<Q", 1 << 62) + data[8:])
END
refuses "a header that lies" 3 'lie.safetensors' "$zfscope" classify lie.safetensors picture.png
refuses "a spec where a model is due" 3 'tiny.ini' "$zfscope" classify tiny.ini picture.png
refuses "classes that do not fit" 3 'class' "$zfscope" eval $model --data mixed
refuses "an unknown layer" 3 'conv9.*conv1.*conv5' "$zfscope" project $model picture.png --layer conv9 -o bad.png
refuses "an unknown layer of top" 3 'conv9.*conv1.*conv5' "$zfscope" top $model --data data/val --layer conv9 -o bad
refuses "a map out of range" 2 '0 to 7' "$zfscope" project $model picture.png --layer conv5 --map 8 -o bad.png
refuses "a place out of range" 2 'Y,X' "$zfscope" project $model picture.png --layer conv5 --at 99,0 -o bad.png
refuses "an output in no directory" 3 'no/such' "$zfscope" project $model picture.png -o no/such/p.png
refuses "an array as a picture" 2 'a.png.*\.npy' "$zfscope" activations $model picture.png --layer conv1 -o a.png
refuses "a raw projection as a picture" 2 'p.png.*\.npy' "$zfscope" project $model picture.png --raw p.png
refuses "an output that is a directory" 3 'directory' "$zfscope" activations $model picture.png --layer conv1 -o data
refuses "an output under a file" 3 'photo.jpg' "$zfscope" top $model --data data/val -o photo.jpg/top
refuses "a square larger than the input" 3 '50 px.*input' "$zfscope" occlude $model photo.jpg --size 50 -o bad
refuses "a picture smaller than the square" 3 'small.png: 40 x 5 px, .*8 px' "$zfscope" occlude $model small.png --size 8 -o bad
refuses "a true class that nobody knows" 3 'no class of' "$zfscope" invariance $model picture.png --class true -o bad
refuses "a class that is not there" 3 'bat.*boat' "$zfscope" occlude $model picture.png --class bat -o bad
refuses "a class index that is not there" 3 '10.*0 to 9' "$zfscope" invariance $model picture.png --class 10 -o bad
refuses "an unknown layer of occlude" 3 'conv9' "$zfscope" occlude $model picture.png --layer conv9 -o bad
refuses "a colour that is none" 2 'R,G,B.*1,2' "$zfscope" occlude $model picture.png --colour 1,2 -o bad
refuses "a picture that is not there, moved" 3 'none.png' "$zfscope" invariance $model none.png -o bad
printf 'picture.png\teye\t18\t9\nphoto.jpg\teye\t96\t31\n' >part.tsv
refuses "a part outside of its picture" 3 'part.tsv:2: eye at \(96, 31\).*96 x 64' "$zfscope" correspond $model part.tsv -o bad
printf 'picture.png\teye\t18\t9\nphoto.jpg eye 30 31\n' >part.tsv
refuses "a line that is no part" 3 'part.tsv:2: too few' "$zfscope" correspond $model part.tsv -o bad
printf 'picture.png\teye\t18\t9\n' >part.tsv
refuses "parts of one picture" 3 '1 picture,.*two' "$zfscope" correspond $model part.tsv -o bad
refuses "too few pictures for a fold" 3 'class boat .* 8 pictures' "$zfscope" transfer $model --data synth:train:80 --per-class 8 -o bad
refuses "a transfer of a layer that is not there" 3 'conv9.*conv1' "$zfscope" transfer $model --data synth:train:80 --per-class 2 --layer conv9 -o bad
refuses "an unknown classifier" 2 'softmax or svm' "$zfscope" transfer $model --data synth:train:80 --classifier tree -o bad
refuses "an ablation with different budgets" 2 'epochs' "$zfscope" ablate --nets zfnet64 zfnet --data synth:train --val data/val -o bad
refuses "a run under a file" 3 'photo.jpg' "$zfscope" train tiny.ini --data data/train -o photo.jpg/run
refuses "a device as output" 3 'regular' "$zfscope" info zfnet -o /dev/full
mkfifo pipe pipe.tsv
refuses "a FIFO for a list" 3 'pipe.tsv is not a data set' timeout 20 "$zfscope" eval $model --data pipe.tsv
for line in "classify $model pipe" "info ./pipe" "train ./pipe --data data/train -o bad" \
    "eval ./pipe --data data/val" "correspond $model pipe -o bad"; do
    # shellcheck disable=SC2086 # words
    refuses "a FIFO in: ${line//$model/MODEL}" 3 'pipe.*: not a regular file' timeout 20 "$zfscope" $line
done
rm -f pipe pipe.tsv
refuses "a directory in the place of a picture" 3 'data/val is a directory' "$zfscope" project $model data/val -o a.png
refuses "resume without a run" 3 'checkpoint' "$zfscope" train tiny.ini --data train.pack --resume -o bad
rm -rf empty classless empty.tsv cut.jpg text.jpg empty.jpg dot.png vast.png mixed kernel.ini key.ini \
    cut.safetensors lie.safetensors small.png part.tsv
[ -d bad ] && [ -z "$(ls -A bad)" ] && rmdir bad
left=$(diff <(echo "$before") <(ls -R)) && pass "nothing half-written is left" ||
    fail "nothing half-written is left" "the files of before" "$left"

finish
