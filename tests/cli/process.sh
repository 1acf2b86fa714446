#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program among others: pipes, signals, little memory, files that change meanwhile.
. "$(dirname "$0")/common.sh"

make_run

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

finish
