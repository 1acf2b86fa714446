#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The build is hardened as meson.build asks for: read from the files themselves, since a compiler may
# take a flag and leave it at that. Usage: hardened.sh ZFSCOPE LIBRARY CPU_FAMILY OBJECT...
set -u
program=$(realpath "$1") library=$(realpath "$2") family=$3
shift 3
command -v readelf >/dev/null || exit 77
failures=0

holds() { # what, file, option of readelf, pattern
    if ! readelf -W "$3" "$2" | grep -qE -- "$4"; then
        echo "FAIL  $1: readelf $3 $2 has no '$4'"
        failures=$((failures + 1))
    fi
}

lacks() { # what, file, option of readelf, pattern
    if readelf -W "$3" "$2" | grep -E -- "$4"; then
        echo "FAIL  $1: $2"
        failures=$((failures + 1))
    fi
}

holds "loaded anywhere" "$program" -h 'Type: +DYN'
for file in "$program" "$library" "$@"; do
    holds "addresses of functions are read-only" "$file" -l 'GNU_RELRO'
    holds "all of them known at the start" "$file" -d 'BIND_NOW|FLAGS_1.*NOW'
    holds "it says what its stack may" "$file" -l 'GNU_STACK'
    lacks "no stack that can be run" "$file" -l 'GNU_STACK.* RWE'
    lacks "no code that can be written" "$file" -l 'LOAD.* RWE'
    holds "a guard on the stack" "$file" --dyn-syms '__stack_chk_fail'
    holds "sizes checked by the C library" "$file" --dyn-syms '_chk(@|$)'
done
# The file as a whole is marked for it only where the C library's own beginnings are, which Debian's are not.
if [ "$family" = x86_64 ] &&
    ! objdump -d --disassemble=zf_model_load "$library" | grep -A 1 '<zf_model_load>:' | grep -q endbr64; then
    echo "FAIL  places to jump to are marked: zf_model_load() of $library does not begin with endbr64"
    failures=$((failures + 1))
fi
[ $failures -eq 0 ] && echo "hardened: $(basename "$program"), $(basename "$library")"
