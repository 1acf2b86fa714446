#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that must hold. Installs what is missing (apt). Safe to run again. Ends with
# "N passed, N failed".
set -u
usage='usage: ./check.sh [PART...] [--suite SUITE]... [--timeouts N]
  format      the sources are as clang-format 14 writes them
  release     build, no warning, run every test
  sanitizers  the same under AddressSanitizer and UBSan
  clang       the same as release with clang
  plain       the same as release without oneDNN, the fast engine
  threads     the tests of what runs on several threads, under ThreadSanitizer; without oneDNN and OpenMP,
              whose own locks it does not see
  static      what cppcheck finds in the sources; about half a minute
  oracle      hold what zfscope computes against PyTorch, and its ONNX files against ONNX Runtime;
              installs both, about 2 GB
  demo        ./demo.sh, and how long it takes
Without PART: format, release and sanitizers. --suite runs only these suites of tests: unit, engine,
cli, lint; --timeouts N gives them N times the time.'
root=$(cd "$(dirname "$0")" && pwd)
cd "$root" || exit 1
# shellcheck source=tools/setup.sh
. tools/setup.sh

passed=0 failed=0 suites=() timeouts=1

count() { # passed, failed
    passed=$((passed + $1))
    failed=$((failed + $2))
}

run_suite() { # directory, what it is, meson test options...; $skips as count_tests.py takes it
    local directory=$1 what=$2 counts
    shift 2
    say "testing $what"
    rm -f "$directory/meson-logs/testlog.json"
    meson test -C "$directory" --no-rebuild --print-errorlogs "$@" </dev/null
    # shellcheck disable=SC2086 # an option or none; two words
    counts=$(python3 tools/count_tests.py ${skips-} "$directory/meson-logs/testlog.json") ||
        counts="0 1"
    # shellcheck disable=SC2086
    count $counts
}

build_and_test() { # directory, what it is, how much slower, meson options...
    local directory=$1 what=$2 slower=$3
    shift 3
    build "$directory" "$@"
    if grep -A 5 'warning:' "$directory/build.log"; then
        count 0 1
    else
        count 1 0
    fi
    run_suite "$directory" "$what" ${suites[@]+"${suites[@]}"} \
        --timeout-multiplier $((slower * timeouts))
}

check_format() {
    local formatter sources misformed
    for formatter in clang-format-14 clang-format ''; do
        [[ $("$formatter" --version 2>/dev/null) == *"version 14."* ]] && break
    done
    if [ -z "$formatter" ] && apt-cache show clang-format-14 >/dev/null 2>&1; then
        apt_install clang-format-14
        formatter=clang-format-14
    fi
    if [ -z "$formatter" ]; then
        say "not checking the format: there is no clang-format 14 here, and others write otherwise"
        return
    fi
    say "checking the format"
    sources=$(find src cli include tests fuzz examples bench -name '*.[ch]' | sort)
    # shellcheck disable=SC2086 # a list of files
    misformed=$("$formatter" --dry-run -Werror $sources 2>&1 |
        sed -n 's/:[0-9]*:[0-9]*: error:.*//p' | sort -u)
    if [ -z "$misformed" ]; then
        count 1 0
    else
        count 0 1
        # shellcheck disable=SC2086 # a line for each
        printf "$formatter would change %s\n" $misformed
    fi
}

check_oracle() {
    install_missing "
python:torch python3-torch
python:torchvision python3-torchvision
python:onnx python3-onnx
command:npm npm"
    export ZFSCOPE_ONNXRUNTIME=${ZFSCOPE_ONNXRUNTIME:-$root/build/onnxruntime}
    build build -Dbuildtype=release
    if [ ! -d "$ZFSCOPE_ONNXRUNTIME/node_modules/onnxruntime-node" ]; then
        say "installing ONNX Runtime in $ZFSCOPE_ONNXRUNTIME"
        npm install --prefix "$ZFSCOPE_ONNXRUNTIME" --ignore-scripts --no-fund --no-audit \
            --loglevel=error onnxruntime-node </dev/null
    fi
    skips=--no-skips run_suite build "against PyTorch and ONNX Runtime" --suite oracle
}

check_threads() {
    install_missing "
command:clang clang"
    CC=clang build build-threads -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false \
        -Donednn=disabled
    TSAN_OPTIONS="suppressions=$root/tests/tsan.supp" run_suite build-threads "under ThreadSanitizer" \
        --timeout-multiplier $((10 * timeouts)) ablate chart data experiments folders image loader \
        loader_views look packed resume synth top_page train training transfer
}

# Errors and warnings. What is left out, and why, is in tests/cppcheck.txt.
check_static() {
    install_missing "
command:cppcheck cppcheck"
    say "looking at the sources with $(cppcheck --version)"
    if cppcheck --std=c11 --library=posix --enable=warning --inline-suppr --quiet --error-exitcode=1 \
        --suppressions-list=tests/cppcheck.txt -I include -I src src cli fuzz examples bench; then
        count 1 0
    else
        count 0 1
    fi
}

check_demo() {
    local start=$SECONDS
    if ./demo.sh </dev/null; then
        count 1 0
        say "demo.sh took $((SECONDS - start)) s"
    else
        count 0 1
    fi
}

check() { # part
    case $1 in
    format) check_format ;;
    release) build_and_test build "the release build" 1 -Dbuildtype=release ;;
    sanitizers)
        build_and_test build-asan "under AddressSanitizer and UBSan" 5 -Dbuildtype=debugoptimized \
            -Db_sanitize=address,undefined -Db_lundef=false
        ;;
    clang)
        install_missing "
command:clang clang"
        CC=clang build_and_test build-clang "what clang makes" 1 -Dbuildtype=release
        ;;
    plain)
        build_and_test build-plain "without oneDNN" 3 -Dbuildtype=release -Donednn=disabled
        ;;
    oracle) check_oracle ;;
    static) check_static ;;
    threads) check_threads ;;
    demo) check_demo ;;
    esac
}

parts=()
while [ $# -gt 0 ]; do
    case $1 in
    format | release | sanitizers | clang | plain | static | threads | oracle | demo) parts+=("$1") ;;
    --suite) suites+=(--suite "${2-}") && shift ;;
    --timeouts) timeouts=${2-} && shift ;;
    -h | --help) echo "$usage" && exit ;;
    *) echo "$usage" >&2 && exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(format release sanitizers)

install_missing
[ -d ../shared ] && ZFSCOPE_SHARED=${ZFSCOPE_SHARED:-$(cd ../shared && pwd)} && export ZFSCOPE_SHARED
for part in "${parts[@]}"; do
    check "$part"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
