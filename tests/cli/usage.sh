#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Help, completion, mistakes in usage, and what commands say of a net without data.
. "$(dirname "$0")/common.sh"

commands="train eval classify activations project top unit evolve invariance diagnose occlude correspond compare ablate transfer report serve info convert check pack synth bench completion"

# ---- Help and usage. ----

succeeds "zfscope alone gives help" "$zfscope"
cp out bare
succeeds "help" "$zfscope" help
cmp -s bare out && pass "both are the same" || fail "both are the same" "equal text" "different"
succeeds "--version" "$zfscope" --version
grep -qE '^zfscope [0-9]+\.[0-9]+\.[0-9]+$' out && pass "version" || fail "version" "x.y.z" "$(cat out)"
for what in 'engine (onednn|reference)' 'instruction set [a-z0-9_]+' 'libvips [0-9.]+' 'libjpeg(-turbo)? [0-9.]+' 'libpng [0-9.]+'; do
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
mkdir examples
touch examples/drawings # where synth wants a directory
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
    # Each is understood to its end: what is wrong with it here is that its files are not there. (Those that need
    # none are given some; a net is not run.)
    while read -r line; do
        case $command in completion | report) continue ;; esac
        line=${line/ bench zfnet/ bench gone.onnx} line=${line/--data synth:/--data gone}
        run env -C examples timeout 60 bash -c "set -o pipefail; zfscope() { '$zfscope' \"\$@\"; }; ${line//| */}"
        [ $code -eq 3 ] || [ $code -eq 0 -a "$command" = info ] && pass "an example of $command" ||
            fail "an example of $command" "exit 3: a file is missing" "exit $code: $line: $(cat err)"
    done <<<"$examples"
    for option in $(grep -oE ' --[a-z-]+| -[a-z] ' <<<"${examples//| jq*/}"); do
        grep -qE "^ +(-[a-z], )?$option( |\$)|^ +$option, --" help.txt ||
            fail "$command --help" "an example with options of $command" "$option"
    done
    # Every option stands in the man page, in the command's section or the common one.
    sections=$(sed -n "/^.Ss $command /,/^.S[sh] /p;/^.Ss Options of every/,/^.Sh/p" "$man")
    for option in $(grep -oE '^ +(-[a-z], )?--?[a-z-]+' help.txt | grep -oE -- '-[a-z-]+$'); do
        grep -qE "^\.It .*Fl ${option#-}( |\$)" <<<"$sections" ||
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
completes "commands after help" "project" zfscope help proj
completes "the value of an option with =" "gradient guided" zfscope project m.onnx --rule = g
completes "words that mean something" "predicted" zfscope occlude m.onnx --class predi
completes "generated data" "synth:train synth:val" zfscope eval m.onnx --data synth
completes "the second net of a list" "zfnet32" zfscope ablate --nets zfnet64 zfnet3
completes "shells" "zsh" zfscope completion z
completes "nothing for a number" "" zfscope train zfnet64 --lr ""
touch some.onnx "a photo.jpg"
completes "files" "some.onnx" zfscope eval some
completes "files whose names have blanks" "a photo.jpg" zfscope classify some.onnx "a p"
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
refuses "an option with one dash" 2 'no option -data; did you mean --data' "$zfscope" eval m.onnx -data x
refuses "an option of other commands" 2 'project has no option --explain, which eval, compare have' "$zfscope" project m.onnx a.png --explain 3
mkdir a-run && touch a-run/model.safetensors
refuses "a run in the place of a model" 3 'the model may be a-run/model.safetensors' "$zfscope" info a-run
refuses "a model of no known kind" 2 "a model's name ends in .onnx or .safetensors" "$zfscope" convert zfnet32 model.txt
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
sets=$(instruction_sets)
for cpu in sse41 avx avx2 avx512 avx512_bf16 amx; do
    [[ " $sets " == *" $cpu "* ]] && continue
    refuses "$cpu on a processor without it" 2 "no $cpu.*native" "$zfscope" bench zfnet32 --cpu $cpu
done
if [[ " $sets " == *" sse41 "* ]]; then
    refuses "bf16 within sse41" 3 'f32' "$zfscope" bench zfnet32 --cpu sse41 --precision bf16
fi
refuses "help on what is not there" 2 'no command' "$zfscope" help frobnicate

# ---- Of a net alone. ----

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

finish
