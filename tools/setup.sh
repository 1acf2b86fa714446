# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What check.sh and demo.sh share: packages and the build. Sourced, not run; needs $root.

# What shows that it is there (of pkg:A,B one, of pkg:A@VERSION that or a later one), then its package for apt (Debian and
# Ubuntu), dnf, pacman, apk, brew and nix; "-" comes with another. zfscope can do without what is marked with "?".
needed='
command:cc           gcc                 gcc                 gcc          gcc               -            gcc
command:meson        meson               meson               meson        meson             meson        meson
command:ninja        ninja-build         ninja-build         ninja        samurai           ninja        ninja
command:pkg-config   pkg-config          pkgconf-pkg-config  pkgconf      pkgconf           pkgconf      pkg-config
command:python3      python3             python3             python       python3           python       python3
pkg:vips@8.13        libvips-dev         vips-devel          libvips      vips-dev          vips         vips
pkg:libjpeg          libjpeg-dev         libjpeg-turbo-devel libjpeg-turbo libjpeg-turbo-dev jpeg-turbo  libjpeg
pkg:libpng           libpng-dev          libpng-devel        libpng       libpng-dev        libpng       libpng
pkg:libcjson         libcjson-dev        cjson-devel         cjson        cjson-dev         cjson        cjson
pkg:inih             libinih-dev         inih-devel          libinih      inih-dev          inih         inih
pkg:zlib             zlib1g-dev          zlib-devel          zlib         zlib-dev          zlib         zlib
pkg:libprotobuf-c    libprotobuf-c-dev   protobuf-c-devel    protobuf-c   protobuf-c-dev    protobuf-c   protobufc
command:protoc-c     protobuf-c-compiler protobuf-c-compiler -            protobuf-c-compiler -          -
header:onnx/onnx.proto libonnx-dev       onnx-devel          onnx         onnx-dev          onnx         onnx
pkg:cmocka           libcmocka-dev       libcmocka-devel     cmocka       cmocka-dev        cmocka       cmocka
?header:dnnl.h       libdnnl-dev         onednn-devel        onednn       one-dnn-dev       onednn       oneDNN
?header:linear.h     liblinear-dev       liblinear-devel     liblinear    liblinear-dev     liblinear    liblinear
?pkg:libmicrohttpd   libmicrohttpd-dev   libmicrohttpd-devel libmicrohttpd libmicrohttpd-dev libmicrohttpd libmicrohttpd
?pkg:mpi-c,ompi-c,mpich libopenmpi-dev   openmpi-devel       openmpi      openmpi-dev       open-mpi     openmpi
?command:mpirun      openmpi-bin         openmpi             -            openmpi           -            -
'

say() {
    printf '== %s\n' "$*"
}

have() { # command:NAME, pkg:NAME[@VERSION][,NAME...], header:NAME or python:MODULE
    # shellcheck disable=SC2086 # $CC may be two words
    case $1 in
    command:*) command -v "${1#*:}" >/dev/null 2>&1 ;;
    pkg:*) # the first that is there of a comma list
        local name
        for name in ${1//[:,]/ }; do
            pkg-config --exists "${name/@/ >= }" 2>/dev/null && return
        done
        return 1
        ;;
    header:*) ${CC:-cc} -M -x c -include "${1#*:}" /dev/null >/dev/null 2>&1 ;;
    # Debian's modules belong to the system's python3, which need not be the first in the path.
    python:*) env PATH="/usr/bin:$PATH" python3 -c "import ${1#*:}" >/dev/null 2>&1 ;;
    esac
}

manager() { # the first that is there, and its column
    local name column=1
    for name in apt-get dnf pacman apk brew nix-shell; do
        command -v $name >/dev/null 2>&1 && echo $name $column && return
        column=$((column + 1))
    done
    echo none 1
}

missing_packages() { # column, and "?" for those that zfscope can do without or "" for the others
    local line
    while read -ra line; do
        [ ${#line[@]} -gt 0 ] || continue
        case ${line[0]} in
        \?*) [ "$2" = "?" ] || continue ;;
        *) [ "$2" = "" ] || continue ;;
        esac
        have "${line[0]#\?}" || [ "${line[$1]}" = - ] || printf '%s ' "${line[$1]}"
    done <<<"$needed"
}

apt_install() { # package...
    local sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "Please run as root: apt-get install $*" >&2
            exit 1
        }
        sudo=sudo
    fi
    say "installing $*"
    $sudo apt-get update -qq </dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        </dev/null >/dev/null
}

# What is missing is installed where apt does it, and named elsewhere.
install_missing() { # more lines for $needed, of which the package for apt is enough
    local name column packages optional
    needed="$needed${1:-}"
    read -r name column < <(manager)
    packages=$(missing_packages "$column" "")
    optional=$(missing_packages "$column" "?")
    if [ "$name" = apt-get ]; then
        # shellcheck disable=SC2086 # lists of words are meant
        [ -z "$packages$optional" ] || apt_install $packages $optional || apt_install $packages
        packages=$(missing_packages 1 "")
        optional=$(missing_packages 1 "?")
    fi
    [ -z "$optional" ] ||
        echo "left out: $optional(oneDNN is the fast engine, liblinear the SVM of transfer, libmicrohttpd the server of serve, MPI for several machines)" >&2
    [ -n "$packages" ] || return 0
    case $name in
    apt-get) echo "still missing after apt-get install, or too old there: $packages" ;;
    none) echo "Please install what these packages of Debian hold, then run this again: $packages" ;;
    pacman) echo "Please run this, then this script again: pacman -S $packages$optional" ;;
    apk) echo "Please run this, then this script again: apk add $packages$optional" ;;
    nix-shell) echo "Please run this script in: nix-shell -p $packages$optional" ;;
    *) echo "Please run this, then this script again: $name install $packages$optional" ;;
    esac >&2
    exit 1
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
