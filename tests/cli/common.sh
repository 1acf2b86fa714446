# SPDX-License-Identifier: MIT
# Of each script here: run zfscope as a user runs it, and judge help, results, exit codes and, of bad input, the
# one sentence. A script is started as SCRIPT ZFSCOPE SOURCE_ROOT EXAMPLE, begins with this file, and ends with
# finish. It works in a directory of its own.
# shellcheck shell=bash
set -u
# shellcheck disable=SC2034 # for the scripts
zfscope=$(realpath "$1") root=$(realpath "$2") example=$(realpath "$3")
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

# ---- What they work on. ----

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

# data/train and data/val, train.pack, and a net that was trained on them for three epochs.
make_run() {
    {
        "$zfscope" synth data --images 50 -q &&
            "$zfscope" pack data/train train.pack --net tiny.ini -q &&
            "$zfscope" train tiny.ini --data train.pack --val data/val --epochs 3 --batch 10 --keep 1 -o run -q
    } >/dev/null || exit 1
}
model=run/model.safetensors

make_untrained() {
    "$zfscope" train tiny.ini --data data/train --epochs 0 -o untrained -q >/dev/null || exit 1
}

# What nets can be held to here: "native sse41 avx2".
instruction_sets() {
    "$zfscope" info zfnet --cpu none 2>&1 | sed -E 's/.*held to: (.*) \(see.*/\1/; s/,//g'
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
