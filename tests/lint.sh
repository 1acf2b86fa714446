#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a compiler does not check: the direction of includes, calls that the library must not make,
# headers that stand alone, and symbols that leak out. Usage: lint.sh SOURCE_ROOT LIBRARY CC...
set -u
root=$1 library=$(realpath "$2")
shift 2
compiler=("$@")
cd "$root" || exit 1
failures=0

complain() {
    echo "lint: $*"
    failures=$((failures + 1))
}

# Includes go one way, and no modules use each other (docs/architecture.md).
while IFS= read -r complaint; do
    complain "${complaint#lint: }"
done < <(python3 tests/includes.py .)

while IFS=: read -r file _ line; do
    complain "$file: only include/zf: $line"
done < <(grep -rnE '^#include "(base|ranks|tensor|engine|net|image|data|model|train|look|learn|measure|page|experiments|serve)/' \
    examples --include='*.[ch]')

while IFS=: read -r file _ line; do
    case $file in
    src/engine/onednn/*) ;;
    *) complain "$file includes dnnl.h, which only src/engine/onednn may" ;;
    esac
done < <(grep -rnE '^#include .*dnnl' src cli include --include='*.[ch]')

while IFS=: read -r file _ line; do
    [ "$file" = src/ranks/mpi.c ] || complain "$file includes mpi.h, which only src/ranks/mpi.c may"
done < <(grep -rnE '^#include .*mpi\.h' src cli include --include='*.[ch]')

while IFS=: read -r file _ line; do
    [ "$file" = src/image/vips_library.h ] || complain "$file includes vips, which only src/image/vips_library.h may"
done < <(grep -rnE '^#include .*vips/' src cli include --include='*.[ch]' | grep -v '"image/')

# Nothing in the library exits, prints, reads the environment, or uses what cannot be used safely.
banned='exit|_exit|abort|printf|puts|putchar|sprintf|vsprintf|strcpy|strcat|strtok|rand|srand|atoi|atol|atof|gets|getenv|setenv|perror'
while IFS= read -r hit; do
    complain "banned call: $hit"
done < <(grep -rnE "(^|[^A-Za-z0-9_>.])($banned)[[:space:]]*\(" src --include='*.[ch]' |
    grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)')
while IFS= read -r hit; do
    complain "the library does not print: $hit"
done < <(grep -rnE 'fprintf\((stdout|stderr)|fputs\([^)]*(stdout|stderr)\)' src --include='*.[ch]')
while IFS= read -r hit; do
    complain "only cli/main.c exits: $hit"
done < <(grep -rnE '(^|[^A-Za-z0-9_])(exit|_exit|abort)[[:space:]]*\(' cli --include='*.c' --exclude=main.c)

# malloc and its kin are for src/base/memory.c; everything else can be made to fail in tests.
while IFS= read -r hit; do
    complain "allocate through base/memory.h: $hit"
done < <(grep -rnE '(^|[^A-Za-z0-9_])(malloc|calloc|realloc|strdup|aligned_alloc)\(' src \
    --include='*.[ch]' | grep -v '^src/base/memory\.c:')

while IFS= read -r hit; do
    complain "ZF_OPTION_ROW_* of zf/option.h: $hit"
done < <(grep -rnE 'ZF_OPTION_[A-Z]+,[[:space:]]*(offsetof|FIELD)' src cli --include='*.[ch]')

# One idiom each: a 64-bit number is printed by PRId64, and an object's size is `sizeof *x`.
while IFS= read -r hit; do
    complain "int64_t, and PRId64 of <inttypes.h>: $hit"
done < <(grep -rnE '%[-+0-9*.]*ll[dux]|long long' src cli include tests fuzz bench examples \
    --include='*.[ch]')
while IFS= read -r hit; do
    complain "sizeof *x: $hit"
done < <(grep -rnE 'sizeof\(\*' src cli include --include='*.[ch]')

# A label where nothing is given back: ZF_CHECK returns instead.
while IFS= read -r file; do
    complain "$file: a label that only returns; ZF_CHECK() needs none"
done < <(find src cli -name '*.c' -exec grep -lPzo '\nfail:\n    return status;' {} +)

while IFS= read -r complaint; do
    complain "$complaint"
done < <(find src cli include tests examples -name '*.[ch]' -exec awk '
    FNR == 1 && !/SPDX-License-Identifier: MIT/ { print FILENAME ": the first line is the licence" }
    { lines[FILENAME]++ }
    END { for (file in lines) if (lines[file] > 500)
              print file ": " lines[file] " lines, more than 500: find the seam" }' {} +)

# Each public header compiles alone, as C and as C++.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
for header in include/zf/*.h; do
    echo "#include \"zf/$(basename "$header")\"" >"$work/alone.c"
    cp "$work/alone.c" "$work/alone.cc"
    "${compiler[@]}" -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only \
        "$work/alone.c" || complain "$header does not compile alone as C"
    if command -v g++ >/dev/null; then
        g++ -std=c++11 -Wall -Wextra -Werror -Iinclude -fsyntax-only "$work/alone.cc" ||
            complain "$header does not compile alone as C++"
    fi
done

[ -f "$library" ] || complain "there is no library $library"
# Only zf_ leaves the library; a sanitizer's own symbols are not ours.
while read -r symbol; do
    complain "$library exports $symbol"
done < <(nm -D --defined-only "$library" | awk '$2 ~ /[A-Z]/ && $2 != "A" { print $3 }' |
    grep -vE '^(zf_|__asan|__ubsan|__odr_asan|__lsan|_init$|_fini$|__bss_start|_edata|_end$)')

# The README's C is the example's, which is built and run.
if ! diff <(sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```') \
    <(sed -n '/\[README\]/,/\[README\]/p' examples/project.c | grep -v '\[README\]'); then
    complain "the C of README.md is not that of examples/project.c"
fi

# Scripts at least parse.
for script in check.sh demo.sh tools/*.sh tests/*.sh .ci/run; do
    [ -f "$script" ] || continue
    bash -n "$script" || complain "$script does not parse"
done

if [ "$failures" -gt 0 ]; then
    echo "lint: $failures complaints"
    exit 1
fi
echo "lint: all good"
