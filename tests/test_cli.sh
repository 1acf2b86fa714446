#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program, run as a user runs it: help, every command, JSON, exit codes, and each kind of bad
# input with its one sentence. Usage: test_cli.sh ZFSCOPE SOURCE_ROOT [EXAMPLE]
set -u
zfscope=$(realpath "$1") root=$(realpath "$2") example=${3:+$(realpath "$3")}
work=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0

pass() {
    passed=$((passed + 1))
    echo "ok    $1"
}

fail() { # name, what was expected, what came
    failed=$((failed + 1))
    printf 'FAIL  %s\n      expected: %s\n      came:     %s\n' "$1" "$2" "$3"
}

# A build without the fast engine says so before it runs a net; that line has tests of its own.
slow_line='^this build is without oneDNN'
slow=false
"$zfscope" --version | grep -q '^engine reference$' && slow=true

run() { # command...: leaves out, err and code
    "$@" >out 2>err </dev/null
    code=$?
    $slow && sed -i "/$slow_line/d" err
}

succeeds() { # name, command...
    local name=$1
    shift
    run "$@"
    if [ $code -eq 0 ]; then pass "$name"; else fail "$name" "exit 0" "exit $code: $(cat err)"; fi
}

refuses() { # name, exit code, pattern of the one sentence, command...
    local name=$1 expected=$2 pattern=$3
    shift 3
    run "$@"
    if [ $code -ne "$expected" ]; then
        fail "$name" "exit $expected" "exit $code: $(cat err)"
    elif [ "$(wc -l <err)" -ne 1 ] || ! grep -q '^zfscope: ' err; then
        fail "$name" "one line 'zfscope: ...'" "$(cat err)"
    elif ! grep -qE -- "$pattern" err; then
        fail "$name" "a sentence with '$pattern'" "$(cat err)"
    elif [ -s out ]; then
        fail "$name" "nothing on stdout" "$(head -c 300 out)"
    else
        pass "$name: $(cut -c10- err)"
    fi
}

json() { # name, python expression over the object `j` in ./out that must be true
    if python3 -c 'import json, sys
j = json.load(open("out"))
assert eval(sys.argv[1]), j' "$2" 2>why; then
        pass "$1"
    else
        fail "$1" "$2" "$(tail -1 why | cut -c1-400)"
    fi
}

png() { # file, width, height, bytes of data per row or "header" for no data
    python3 - "$@" <<'END'
import struct, sys, zlib
name, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"" if len(sys.argv) > 4 else b"".join(
    b"\0" + bytes((x * 5 + y * 3 + c * 80) % 256 for x in range(width) for c in range(3))
    for y in range(height))
with open(name, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n"
               + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
}

# ---- What everything below works on. ----

cat >tiny.ini <<'END'
[net]
name = tiny
base = zfnet32
size = 32
classes = 10

[conv1]
maps = 8

[conv2]
maps = 8

[conv3]
maps = 8

[conv4]
maps = 8

[conv5]
maps = 8

[fc6]
maps = 16

[fc7]
maps = 16
END
base64 -d >photo.jpg <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAEMuMjoyKkM6NjpLR0NPZKZsZFxcZMySmnmm8dT++u3U6eX//////////+Xp////
////////////////////////wAALCABAAGABAREA/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAEDBAL/xAAzEAACAQIEAwUHAwUA
AAAAAAABAgMAERIhMUEEE1EiYXGBsSMyQlLR4fChovEzQ4KRwf/aAAgBAQAAPwDEtWVasqVZY6cksUOTG7fKMzWduKlb3AEH
+z+eVcYHktjZmtpc3qi8P3VQxJGLuwXxrkzQr7oZ8thYUuc5tgiUdb5/SmG4hjcEL3BRWOOtEa1pjSoz8SQWiiFiMi30+v8A
NRjirRHD3UPNHESoGNhsNvOpmWaQmxwL0X604+G7q6JhiJBN2Gy50ucT/TiAz1bPKgLO9ru2XTL0rLFWyJafEy8qMIps7bjY
VnijrUqqilmNgNTUJJ3m7KDAhyPU04oO6u2ljiOEDGw2G3nUzzZ8mNl+UZCuxEkQBkIWkJj/AGo/Nvp96CkjreWTs73yFZoa
3wrWR2507Ne4vYeFaYkAFzkBvUJpDPJZT7MaDr31aKIAXOQG9TkmMt0jyTruftXUcIUXYgDqaTTknDALD5iPSkIgBjlbzY60
zL8MKf5H6fnhQ0ZIxzvkOv8Ays8G1bXYx8M7DW1teuVZ4E0qnFOVVYlNi2Z8KIItK4klMxwJlGP3VVVWJMb5AfrUu3O12yXZ
dhXbMsHZAxPbTYeNIRtKcchyGfcKOYLYYBc/MR6UGML7SZrna+p8Kjw+1X4s+zjS2pvfw/muoFAFzkBvUEvLKXI1NV4h8K8p
dW97uH3pxII0LtoBepjFxD4myA0HSupJMPsove+Jht9/Tx0EjSFcTm3Qbmiz8QRiFlGiijmAdmEXO7HTyowLH2pSWY7ak1Lh
dqpxOc6i97Lp0NdTHBw+Eauba7fnrRCBGhdtAL1xCpkcu2pN6crc6QIuaLuNzXUjCNeWh9odxtSULAgZhcnQdaSqXJllNgP0
pteY4EFox+6jEEskNmO7agUWWM3cl3O17nzqfCbV24B4t7G+npT4jtSomXZF/M0Tm0axj4sz4fnpTY8qDL3myH1pRgQxY2F7
aDqaIl1llbvJNC4pmxvko0GwFIjnuAt8C6d5602OP2UXu/Ew3+3r4amLlnlxAFtz0+9HZiNrYpDn/Nf/2Q==
END
png picture.png 40 30
commands="train eval classify activations project top unit evolve invariance diagnose occlude correspond compare ablate transfer report serve info convert check pack synth bench completion"

# ---- Help and usage. ----

succeeds "zfscope alone gives help" "$zfscope"
cp out bare
succeeds "help" "$zfscope" help
cmp -s bare out && pass "both are the same" || fail "both are the same" "equal text" "different"
succeeds "--version" "$zfscope" --version
grep -qE '^zfscope [0-9]+\.[0-9]+\.[0-9]+$' out && pass "version" || fail "version" "x.y.z" "$(cat out)"
for what in 'engine (onednn|reference)' 'instruction set [a-z0-9_]+' 'libvips [0-9.]+' 'libjpeg(-turbo)? [0-9.]+'; do
    grep -qE "^$what\$" out && pass "--version: $what" || fail "--version" "$what" "$(cat out)"
done
# Settings that libgomp and OpenBLAS read while they are loaded, which is once.
run env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose "$zfscope" --version
if grep -q GOMP_SPINCOUNT err; then
    [ "$(grep -c "GOMP_SPINCOUNT = '10000'" err)" = 1 ] && pass "threads that wait sleep soon" ||
        fail "threads that wait sleep soon" "GOMP_SPINCOUNT = '10000', once" "$(grep SPINCOUNT err)"
    run env -u OMP_WAIT_POLICY GOMP_SPINCOUNT=77 OMP_DISPLAY_ENV=verbose "$zfscope" --version
    grep -q "GOMP_SPINCOUNT = '77'" err && pass "or as the user says" ||
        fail "or as the user says" "GOMP_SPINCOUNT = '77'" "$(grep SPINCOUNT err)"
fi
ln -s "$zfscope" linked
succeeds "by a link elsewhere" ./linked --version
cp "$zfscope" alone
run ./alone --version
[ $code -eq 127 ] && grep -q '^zfscope: .*zfscope-program.so' err && pass "the start alone says what is missing" ||
    fail "the start alone" "exit 127 and a sentence" "exit $code: $(cat err)"
man=$root/man/zfscope.1
for command in $commands; do
    succeeds "$command --help" "$zfscope" "$command" --help
    cp out help.txt
    succeeds "help $command" "$zfscope" help "$command"
    cmp -s out help.txt || fail "help $command" "the text of --help" "different"
    grep -q "^.Ss $command " "$man" || fail "man page" "a section on $command" "none"
    # Three examples, whose options are the command's.
    examples=$(sed -n '/^Examples:/,/^$/p' help.txt | grep -E "^  .*zfscope $command")
    [ "$(wc -l <<<"$examples")" -eq 3 ] || fail "$command --help" "three examples" "$examples"
    succeeds "$command --help-all" "$zfscope" "$command" --help-all
    cp out help.txt
    for option in $(grep -oE ' --[a-z-]+| -[a-z] ' <<<"${examples//| jq*/}"); do
        grep -qE "^ +(-[a-z], )?$option( |\$)|^ +$option, --" help.txt ||
            fail "$command --help" "an example with options of $command" "$option"
    done
    # Every option stands in the man page, in the command's section or the common one.
    for option in $(grep -oE '^ +(-[a-z], )?--?[a-z-]+' help.txt | grep -oE -- '-[a-z-]+$'); do
        sed -n "/^.Ss $command /,/^.S[sh] /p;/^.Ss Options of every/,/^.Sh/p" "$man" |
            grep -qE "^\.It .*Fl ${option#-}( |\$)" ||
            fail "man page, $command" "option $option" "not there"
    done
done
[ "$("$zfscope" eval --help | wc -l)" -lt "$("$zfscope" eval --help-all | wc -l)" ] && pass "the short help is shorter" ||
    fail "the short help is shorter" "fewer lines" "more"

# ---- Completion. ----

proposals() { # words...: what bash proposes for the last one
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _zfscope; printf "%s\n" "${COMPREPLY[@]}"' \
        bash bash.completion "$@"
}
completes() { # name, expected lines joined by blanks, words...
    local name=$1 expected=$2
    shift 2
    came=$(proposals "$@" | tr '\n' ' ')
    [ "$came" = "$expected " ] && pass "$name" || fail "$name" "$expected" "$came"
}
succeeds "completion for bash" "$zfscope" completion bash
cp out bash.completion
completes "commands" "train transfer" zfscope tra
completes "options" "--val --val-split" zfscope train zfnet --val
completes "choices" "f32" zfscope train zfnet --precision f
completes "names of nets" "zfnet32" zfscope info zfnet3
touch some.onnx
completes "files" "some.onnx" zfscope eval some
for shell in zsh fish; do
    succeeds "completion for $shell" "$zfscope" completion $shell
    for command in $commands; do
        grep -q "$command" out || fail "completion for $shell" "$command" "nothing of it"
    done
    command -v $shell >/dev/null || continue
    $shell -n out && pass "which $shell reads" || fail "which $shell reads" "no error" "one"
done
refuses "completion for another shell" 2 'bash, zsh or fish' "$zfscope" completion csh

refuses "an unknown command" 2 "did you mean 'train'" "$zfscope" trian
refuses "an unknown option" 2 'did you mean --weight-decay' "$zfscope" train --wieght-decay 1 zfnet
refuses "a value out of range" 2 'from 1 to' "$zfscope" bench --batch 0 zfnet
refuses "a value that is no number" 2 "not 'many'" "$zfscope" bench --batch many zfnet
refuses "an option without its value" 2 'needs a value' "$zfscope" info zfnet --threads
refuses "too few arguments" 2 'classify takes' "$zfscope" classify model
refuses "too many arguments" 2 'info takes' "$zfscope" info a b
refuses "a missing option" 2 'needs --data' "$zfscope" eval model.safetensors
refuses "an unknown engine" 2 'reference' "$zfscope" info zfnet --engine abacus
refuses "an unknown precision" 2 'f32' "$zfscope" info zfnet --precision f8
refuses "an exact projection in bf16" 3 'exact.*f32 only' "$zfscope" bench zfnet32 --mode project \
    --exact --precision bf16
refuses "bf16 of the reference engine" 3 'f32 only' "$zfscope" bench zfnet32 --engine reference --precision bf16
refuses "an unknown instruction set" 2 'no instruction set .avx3.*native' "$zfscope" info zfnet --cpu avx3
sets=$(sed -E 's/.*held to: (.*) \(see.*/\1/; s/,//g' err)
for cpu in sse41 avx avx2 avx512 avx512_bf16 amx; do
    [[ " $sets " == *" $cpu "* ]] && continue
    refuses "$cpu on a processor without it" 2 "no $cpu.*native" "$zfscope" bench zfnet32 --cpu $cpu
done
if [[ " $sets " == *" sse41 "* ]]; then
    refuses "bf16 within sse41" 3 'f32' "$zfscope" bench zfnet32 --cpu sse41 --precision bf16
fi
refuses "help on what is not there" 2 'no command' "$zfscope" help frobnicate

# ---- Every command on good input. ----

succeeds "info zfnet" "$zfscope" info zfnet
for cpu in $sets; do
    succeeds "bench within $cpu" "$zfscope" bench zfnet32 --batch 1 --runs 1 --warm-up 0 --cpu $cpu --json
    $slow || [ $cpu = native ] || json "which it says" "j['engine']['isa'] == '$cpu'"
done
json "bench: what computed" "j['engine'].keys() == {'name', 'library', 'version', 'isa'} and j['libraries']"
"$zfscope" bench zfnet32 --batch 1 --runs 1 --warm-up 0 >out 2>err
if $slow; then
    grep -q "$slow_line.*install libdnnl-dev" err && pass "a slow build says so" ||
        fail "a slow build says so" "a line on stderr" "$(cat err)"
else
    grep -q "$slow_line" err && fail "a fast build" "no complaint" "$(cat err)"
fi
"$zfscope" bench zfnet32 --batch 1 --runs 1 --warm-up 0 --engine reference >out 2>err
grep -q "$slow_line" err && fail "plain loops as asked" "no complaint" "$(cat err)"
succeeds "info zfnet --json" "$zfscope" info zfnet --json
json "info: what computes" "j['zfscope'] and j['engine']['name'] in ('onednn', 'reference') and j['libraries']"
json "the paper's sizes" '[l["shape"][1] for l in j["layers"] if l["op"] in ("conv", "maxpool")] == [110, 55, 26, 13, 13, 13, 13, 6]'
json "the paper's parameters" 'j["parameters"] == 62357608 and j["input"] == [3, 224, 224]'
json "the paper's receptive fields" '[(l["receptive_field"], l["rf_stride"]) for l in j["layers"] if l["op"] in ("conv", "maxpool")] == [(7, 2), (11, 4), (27, 8), (43, 16), (75, 16), (107, 16), (139, 16), (171, 32)]'
succeeds "info -o" "$zfscope" info zfnet --json -o info.json
cmp -s out /dev/null && python3 -m json.tool info.json >/dev/null &&
    pass "info -o takes the place of stdout" || fail "info -o" "JSON in the file" "$(cat out)"
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
model=run/model.safetensors
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
if ! $slow && [[ " $sets " == *" sse41 "* ]]; then
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
succeeds "eval" "$zfscope" eval $model untrained/model.safetensors --data data/val --views 10 --json
json "eval's keys" 'len(j["models"]) == 2 and set(j["ensemble"]) >= {"top1_error", "top5_error"} and j["images"] == 10 and j["views"] == 10'
succeeds "eval of one" "$zfscope" eval $model --data data/val --json
json "no ensemble of one" 'j["ensemble"] is None and j["views"] == 1'
json "the classes that go wrong" 'sum(c["wrong"] for c in j["worst_classes"]) == round(j["models"][0]["top1_error"] * 10) and sum(c["pictures"] for c in j["confusions"]) == round(j["models"][0]["top1_error"] * 10)'
succeeds "eval into a file" "$zfscope" eval $model --data data/val -o errors.txt
[ -f errors.txt ] && grep -q '^10 pictures' errors.txt && pass "as its ending says" ||
    fail "as its ending says" "a file" "$(ls -d errors*)"
succeeds "eval into a directory" "$zfscope" eval $model untrained/model.safetensors --data data/val -o v1.2 --explain 1 --json
json "what goes wrong" 'len(j["models"]) == 2 and sum(c["pictures"] for c in j["classes"]) == 10 and sum(b["pictures"] for b in j["calibration"]["bins"]) == 10'
wc -l v1.2/pictures.csv | grep -q '^11 ' && ls v1.2/index.html v1.2/matrix.png v1.2/eval.json v1.2/classes.csv \
    v1.2/confusion.csv >/dev/null && pass "its files" || fail "its files" "six" "$(ls v1.2)"
refuses "eval of other classes into a directory" 3 'class' "$zfscope" eval "$root/tests/onnx/open_size.onnx" --input-size 28 --prepare none --data data/val -o none
[ -e none ] && fail "leaves nothing" "no directory" "$(ls none)" || pass "leaves nothing"
succeeds "compare" "$zfscope" compare $model untrained/model.safetensors --data data/val --explain 1 -o compared --json
json "compare's keys" 'j["both_right"] + j["only_first_right"] + j["only_second_right"] + j["both_wrong"] == j["images"] == 10 and len(j["pictures_only_first_right"]) == j["only_first_right"] and 0 < j["chance"] <= 1'
refuses "one model to compare" 2 'takes MODEL MODEL' "$zfscope" compare $model --data data/val -o compared
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
if grep -q '>Training<' results/page.html && grep -q 'data:image/png' results/page.html &&
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
python3 -m json.tool ablate/ablate.json >/dev/null && cp ablate/ablate.json out
json "ablate's keys" '[r["net"] for r in j["rows"]] == ["tiny", "tinier"] and set(j["rows"][0]) >= {"net", "train_top1_error", "val_top1_error", "val_top5_error", "parameters", "epochs"} and j["rows"][0]["epochs"] == 2'
succeeds "transfer" "$zfscope" transfer $model --data synth:train:80 --per-class 2,5 --folds 2 \
    --layer conv5 relu7 --overlap synth:train:20 -o transfer --json
json "transfer's keys" '[(r["layer"], r["per_class"]) for r in j["rows"]] == [("conv5", 2), ("conv5", 5), ("relu7", 2), ("relu7", 5)] and all(r["classifier"] == "softmax" and r["folds"] == 2 and 0 <= r["accuracy_mean"] <= 1 and r["accuracy_std"] >= 0 for r in j["rows"])'
json "transfer finds what was seen" 'j["overlap"]["images"] == 20 and j["overlap"]["pairs"][0]["path"] == j["overlap"]["pairs"][0]["seen"]'
[ -f transfer/index.html ] && [ -f transfer/seen.png ] && [ "$(ls -A transfer | grep -c features)" -eq 0 ] &&
    pass "transfer's files" || fail "transfer's files" "a page, and no features" "$(ls -A transfer)"
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

# ---- Folders as people have them. ----

mkdir -p flat split
cp data/val/*/*.png flat
cp -r data/train data/val split
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
odd=$(printf 'odd/caf\351')
mkdir -p "$odd" && cp picture.png "$odd/$(printf 'a\nb\377').png"
succeeds "names that are no UTF-8" "$zfscope" check odd --json
json "are JSON all the same" 'j["images"] == 1 and "one class" in j["notes"][0]'
succeeds "and in classify" "$zfscope" classify $model "$odd" --json
json "with the way back" '__import__("os").fsencode(j["images"][0]["path"]) == b"odd/caf\xe9/a\nb\xff.png"'

# ---- Bad input: one sentence each, and nothing left behind. ----

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
refuses "an ablation over another" 2 'resume' "$zfscope" ablate --nets tiny.ini --data train.pack --val data/val --epochs 1 -o ablate
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
refuses "resume without a run" 3 'checkpoint' "$zfscope" train tiny.ini --data train.pack --resume -o bad
rm -rf empty classless empty.tsv cut.jpg text.jpg empty.jpg dot.png vast.png mixed kernel.ini key.ini \
    cut.safetensors lie.safetensors small.png part.tsv
[ -d bad ] && [ -z "$(ls -A bad)" ] && rmdir bad
left=$(diff <(echo "$before") <(ls -R)) && pass "nothing half-written is left" ||
    fail "nothing half-written is left" "the files of before" "$left"

# ---- stdin and stdout. ----

photo=$(find data/val -name '*.png' | sort | head -1)
piped() { # name, file, command... : what it prints of a picture from stdin is what the file holds
    local name=$1 file=$2
    shift 2
    if "$@" <"$photo" 2>err | cmp - "$file" 2>why; then pass "$name"; else fail "$name" "$file" "$(cat err why)"; fi
}
"$zfscope" classify $model "$photo" 2>err | sed '1s/.*/-/' >by-name.txt
piped "classify from stdin" by-name.txt "$zfscope" classify $model -
"$zfscope" activations $model "$photo" --layer conv2 -o by-name.npy --quiet
piped "activations from stdin to stdout" by-name.npy "$zfscope" activations $model - --layer conv2 -o -
"$zfscope" project $model "$photo" --layer conv2 -o by-name.png --quiet >/dev/null
piped "project from stdin to stdout" by-name.png "$zfscope" project $model - --layer conv2 -o -
"$zfscope" convert $model by-name.onnx --quiet
piped "convert to stdout" by-name.onnx "$zfscope" convert $model -
refuses "stdin that is no picture" 3 'stdin' "$zfscope" classify $model - # of /dev/null
refuses "stdin twice" 2 "once" "$zfscope" classify $model - -
refuses "stdin as a model" 2 "takes no '-'" "$zfscope" info -
refuses "stdin for an experiment" 2 "takes no '-'" "$zfscope" occlude $model - -o bad
refuses "stdout as a directory" 2 "fills a directory" "$zfscope" top $model --data data/val -o -
refuses "stdout for a picture and JSON" 2 "both want stdout" "$zfscope" project $model "$photo" -o - --json
mkdir -p spool && TMPDIR=$PWD/spool "$zfscope" project $model - -o - <"$photo" 2>err | head -c 10 >out
[ -z "$(ls spool)" ] && pass "nothing stays of what was piped" || fail "nothing stays of what was piped" "nothing" "$(ls -R spool)"

# ---- Stopping in good order. ----

for signal in INT:130 TERM:143; do
    rm -rf stopped
    # A shell's background jobs ignore SIGINT; python gives the default back.
    python3 - "${signal%:*}" "$zfscope" train tiny.ini --data train.pack --epochs 100000 --batch 10 \
        --drops 0 -o stopped <<'END' >out 2>err
import os, signal, subprocess, sys, time
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, preexec_fn=lambda:
                         signal.signal(signal.SIGINT, signal.SIG_DFL))
while not os.path.exists("stopped/log.jsonl") or not os.path.getsize("stopped/log.jsonl"):
    time.sleep(0.05)
    if child.poll() is not None:
        break
other = subprocess.run(sys.argv[2:] + ["--resume"], stderr=open("other", "w"))
print(other.returncode, file=open("other", "a"))
child.send_signal(getattr(signal, "SIG" + sys.argv[1]))
sys.exit(child.wait())
END
    code=$?
    [ $code -eq "${signal#*:}" ] && [ -f stopped/checkpoint ] && tail -1 err | grep -q -- '--resume' &&
        pass "SIG${signal%:*} saves and says how to go on: $(tail -1 err)" ||
        fail "SIG${signal%:*}" "exit ${signal#*:}, a checkpoint, advice" "exit $code: $(cat err)"
    [ "$(tail -1 other)" = 3 ] && grep -q 'another training' other &&
        pass "two trainings do not share a directory: $(head -1 other)" ||
        fail "two trainings do not share a directory" "exit 3, a sentence" "$(cat other)"
done

# ---- Little address space: what cannot be had is said, and the program ends. ----

# Sanitizers take terabytes of it.
if ! nm -D "$zfscope" 2>/dev/null | grep -q __asan; then
    refuses "little address space" 1 'out of memory' bash -c 'ulimit -v 600000; exec timeout -k 1 100 "$@"' - \
        "$zfscope" bench zfnet --batch 64 --runs 1
    # From where the libraries cannot start to where there is enough: a result or an error, no crash.
    bad=
    for kib in $(seq 230000 7000 330000); do
        run bash -c 'ulimit -v '$kib'; exec timeout -k 1 100 "$@"' - "$zfscope" classify $model picture.png
        [ $code -le 1 ] || [ $code = 127 ] || bad="$bad $kib:$code"
    done
    [ -z "$bad" ] && pass "no crash in any little address space" ||
        fail "no crash in any little address space" "exit code 0 or 1" "$bad"
fi

# ---- Files that change while they are in use. ----

cp train.pack cut.pack
python3 - "$zfscope" train tiny.ini --data cut.pack --epochs 100000 --batch 10 --drops 0 -o cut <<'END' 2>err
import os, subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
while not os.path.exists("cut/log.jsonl") or not os.path.getsize("cut/log.jsonl"):
    time.sleep(0.05)
    if child.poll() is not None:
        break
os.truncate("cut.pack", 4096)
sys.exit(child.wait())
END
code=$?
[ $code -eq 1 ] && tail -1 err | grep -q '^zfscope: cut.pack was cut off' &&
    pass "a packed file that is cut off in use ends in a sentence: $(tail -1 err)" ||
    fail "a packed file that is cut off in use" "exit 1, a sentence" "exit $code: $(tail -3 err)"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
