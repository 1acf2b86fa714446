# SPDX-License-Identifier: MIT
# What check.sh and demo.sh share: packages and the build. Sourced, not run; needs $root.

# Each line: a command or header that shows whether it is there, and the Debian package.
needed='
command:gcc gcc
command:meson meson
command:ninja ninja-build
command:pkg-config pkg-config
command:python3 python3
pkg:vips libvips-dev
pkg:libjpeg libjpeg-dev
pkg:libcjson libcjson-dev
pkg:inih libinih-dev
pkg:libprotobuf-c libprotobuf-c-dev
command:protoc-c protobuf-c-compiler
file:/usr/include/onnx/onnx.proto libonnx-dev
pkg:cmocka libcmocka-dev
header:dnnl.h libdnnl-dev
header:linear.h liblinear-dev
'

say() {
    printf '== %s\n' "$*"
}

have() { # command:NAME, pkg:NAME, file:PATH or header:NAME
    case $1 in
    command:*) command -v "${1#*:}" >/dev/null 2>&1 ;;
    pkg:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
    file:*) [ -f "${1#*:}" ] ;;
    header:*) echo "#include <${1#*:}>" | gcc -E -x c - >/dev/null 2>&1 ;;
    esac
}

missing_packages() {
    local test package
    while read -r test package; do
        [ -z "$test" ] || have "$test" || echo "$package"
    done <<<"$needed"
}

install_missing() { # more lines for $needed
    local packages sudo=
    needed="$needed${1:-}"
    packages=$(missing_packages | tr '\n' ' ')
    packages=${packages% }
    [ -n "$packages" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        cat >&2 <<END
This system has no apt-get. Please install what these Debian packages hold, then run this again:
  $packages
(libdnnl-dev, oneDNN, is optional: without it the slow reference engine is all there is.
liblinear-dev is optional too: it is the SVM of transfer.)
END
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "Please run as root: apt-get install $packages" >&2
            exit 1
        }
        sudo=sudo
    fi
    say "installing $packages"
    $sudo apt-get update -qq </dev/null
    # shellcheck disable=SC2086 # a list of words is meant
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $packages </dev/null >/dev/null
    packages=$(missing_packages | tr '\n' ' ')
    [ -z "$packages" ] || {
        echo "still missing after apt-get install: $packages" >&2
        exit 1
    }
}

build() { # directory, meson options...
    local directory=$1 log=$1.log
    shift
    if [ ! -f "$directory/build.ninja" ]; then
        say "setting up $directory"
        rm -rf "$directory" # what an interrupted set-up left
        meson setup "$directory" "$root" "$@" >"$log" 2>&1 || {
            cat "$log" >&2
            exit 1
        }
        rm -f "$log"
        echo "$*" >"$directory/options"
    elif [ "$*" != "$(cat "$directory/options" 2>/dev/null)" ]; then
        meson configure "$directory" "$@" >/dev/null || exit 1
        echo "$*" >"$directory/options"
    fi
    say "building $directory"
    ninja -C "$directory" >"$directory/build.log" 2>&1 || {
        tail -50 "$directory/build.log" >&2
        exit 1
    }
}
