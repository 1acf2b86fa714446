#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that must hold: format, build, all tests, and all tests again under AddressSanitizer
# and UBSan. Installs what is missing (apt). Safe to run again. Ends with "N passed, N failed".
set -u
root=$(cd "$(dirname "$0")" && pwd)
cd "$root" || exit 1
# shellcheck source=tools/setup.sh
. tools/setup.sh

passed=0 failed=0

count() { # passed, failed
    passed=$((passed + $1))
    failed=$((failed + $2))
}

run_suite() { # directory, what it is, meson test options...
    local directory=$1 what=$2 counts
    shift 2
    say "testing $what"
    rm -f "$directory/meson-logs/testlog.json"
    meson test -C "$directory" --no-rebuild --print-errorlogs "$@" </dev/null
    counts=$(python3 tools/count_tests.py "$directory/meson-logs/testlog.json") || counts="0 1"
    # shellcheck disable=SC2086 # two words are meant
    count $counts
}

install_missing "
command:clang-format clang-format"
[ -d ../shared ] && ZFSCOPE_SHARED=${ZFSCOPE_SHARED:-$(cd ../shared && pwd)} && export ZFSCOPE_SHARED

say "checking the format"
mapfile -t sources < <(find src cli include tests fuzz examples bench -name '*.[ch]' | sort)
misformed=$(clang-format --dry-run -Werror "${sources[@]}" 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error:.*//p' |
    sort -u)
if [ -z "$misformed" ]; then
    count 1 0
else
    count 0 1
    printf 'clang-format would change %s\n' $misformed
fi

build build -Dbuildtype=release
run_suite build "the release build"

build build-asan -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
run_suite build-asan "under AddressSanitizer and UBSan" --no-suite lint --no-suite oracle \
    --timeout-multiplier 5

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
