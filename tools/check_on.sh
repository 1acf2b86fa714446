#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What must hold, held in a clean root of another release of Debian or Ubuntu.
set -u
# shellcheck disable=SC2016 # shown as it is
usage='usage: tools/check_on.sh SUITE [--arch ARCH] [--fresh] [WORD...]
  SUITE    a release of Debian: bookworm, trixie, forky; or of Ubuntu: noble (24.04), resolute (26.04),
           for which package ubuntu-keyring has the keys
  --arch   of another processor, run by QEMU: arm64
  --fresh  make the root anew
  WORD...  for ./check.sh there; without: release clang sanitizers demo, and where QEMU runs it
           release --suite unit --suite engine
debootstrap makes the root, tools/setup.sh installs what the build needs. It stays in
${XDG_CACHE_HOME:-~/.cache}/zfscope/roots, or in $ZFSCOPE_ROOTS; ../shared, or
$ZFSCOPE_SHARED, is there, too. For another processor the cross compiler of this
processor'"'"'s root compiles, as QEMU would take ten times as long.
Ends with "N passed, N failed", or says why it cannot run and exits with 77.'
cannot() {
    echo "cannot check on $system $suite, $arch: $*"
    exit 77
}

here=$(cd "$(dirname "$0")/.." && pwd)
ubuntu_keys=/usr/share/keyrings/ubuntu-archive-keyring.gpg
suite=${1--h} arch='' fresh=0 words=()
case $suite in -*) echo "$usage" && exit 2 ;; esac
arguments=("$@")
shift
while [ $# -gt 0 ]; do
    case $1 in
    --arch) arch=${2-} && shift ;;
    --fresh) fresh=1 ;;
    *) words+=("$1") ;;
    esac
    shift
done
machine=$(uname -m)
case $machine in x86_64) own=amd64 ;; aarch64) own=arm64 ;; *) own=$machine ;; esac
case $suite in
bookworm | trixie | forky) system=Debian ;;
noble | resolute) system=Ubuntu ;;
*) echo "$usage" && exit 2 ;;
esac
case ${arch:=$own} in amd64) emulated=x86_64 ;; arm64) emulated=aarch64 ;; *) emulated=$arch ;; esac

if [ "${ZFSCOPE_INSIDE-}" != "$suite $arch" ]; then
    [ "$(id -u)" = 0 ] || cannot "only root may make a root"
    command -v debootstrap >/dev/null || cannot "there is no debootstrap"
    unshare --mount --pid --fork true 2>/dev/null || cannot "there is no namespace to mount it in"
    # Mounts are made in a namespace of this process's child: nobody else ever sees them, and they are
    # gone with its last process, however that ends.
    ZFSCOPE_INSIDE="$suite $arch" unshare --mount --propagation private --pid --kill-child \
        --mount-proc "$here/tools/check_on.sh" "${arguments[@]}" &
    trap 'kill -KILL $!' INT TERM
    wait $!
    exit
fi

if [ "$arch" != "$own" ]; then
    handler=/proc/sys/fs/binfmt_misc/qemu-$emulated
    [ -e "${handler%/*}/status" ] || mount -t binfmt_misc binfmt_misc "${handler%/*}" 2>/dev/null
    [ -e "$handler" ] || update-binfmts --enable "qemu-$emulated" >/dev/null 2>&1
    [ -e "$handler" ] || cannot "there is no QEMU for it (qemu-user-static, binfmt_misc)"
    [ ${#words[@]} -gt 0 ] || words=(release --suite unit --suite engine)
    words+=(--timeouts 30)
fi
[ ${#words[@]} -gt 0 ] || words=(release clang sanitizers demo)

roots=${ZFSCOPE_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/zfscope/roots}
base=$roots/$suite-$arch
mkdir -p "$roots"
exec 9>"$base.lock"
flock -n 9 || cannot "another run uses $base"

remove() { # directory
    if grep -qF " $1/" /proc/self/mountinfo; then
        cannot "something is mounted below $1"
    fi
    rm -rf --one-file-system "$1"
}

make_root() { # directory, arch
    [ ! -d "$1" ] || return 0
    local mirror=http://deb.debian.org/debian script=sid words=()
    if [ $system = Ubuntu ]; then
        mirror=http://archive.ubuntu.com/ubuntu script=gutsy
        [ -e $ubuntu_keys ] || cannot "there are no keys of its archive (ubuntu-keyring)"
        words=(--components=main,universe --keyring=$ubuntu_keys)
    fi
    echo "== making a root of $system $suite, $2, in $1"
    remove "$1.part"
    # An older debootstrap knows nothing of a newer release, but how to make one.
    debootstrap --variant=minbase --arch="$2" ${words[@]+"${words[@]}"} \
        "$suite" "$1.part" $mirror $script >"$1.log" 2>&1 ||
        cannot "debootstrap: $(tail -1 "$1.log")"
    echo force-unsafe-io >"$1.part/etc/dpkg/dpkg.cfg.d/unsafe-io" # four times as fast
    # A mirror that has not been renewed for a while serves as well.
    echo 'Acquire::Check-Valid-Until "false";' >"$1.part/etc/apt/apt.conf.d/90stale"
    mv "$1.part" "$1"
}

clean_environment() { # command...
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Programs of this processor run as they are in the other one's root: with their own root at /own
# and its loader where they look for it, the cross compiler there compiles for the root it is in.
lend_compiler() {
    local own_root=$roots/$suite-$own gcc=$emulated-linux-gnu-gcc
    local libraries=/usr/lib/$emulated-linux-gnu
    make_root "$own_root" "$own"
    if [ ! -e "$own_root/usr/bin/$gcc" ]; then
        echo "== installing $gcc in $own_root"
        clean_environment chroot "$own_root" sh -c \
            "apt-get update && apt-get install -y --no-install-recommends gcc-$emulated-linux-gnu" \
            >"$own_root.log" 2>&1 </dev/null || cannot "$(tail -1 "$own_root.log")"
    fi
    mkdir -p "$base/own" "$base/lib64"
    mount -o bind,ro "$own_root" "$base/own" || cannot "it is not allowed to mount"
    ln -sf /own/lib64/ld-linux-x86-64.so.2 "$base/lib64/"
    cat >"$base/usr/local/bin/lent-gcc" <<END
#!/bin/sh
export LD_LIBRARY_PATH=/own/usr/lib/$machine-linux-gnu
exec /own/usr/bin/$gcc --sysroot=/ -B$libraries -L$libraries \
    -Wl,-rpath-link,$libraries:$libraries/blas:$libraries/openblas-pthread "\$@"
END
    chmod +x "$base/usr/local/bin/lent-gcc"
    compiler=(CC=lent-gcc)
}

[ $fresh = 0 ] || remove "$base"
make_root "$base" "$arch"

remove "$base/zfscope"
mkdir -p "$base/zfscope"
tar -C "$here" --exclude-vcs --exclude='./build*' --exclude=./demo --exclude=./shared -cf - . |
    tar -C "$base/zfscope" --no-same-owner -xf - || exit 1
if ! { mount -t proc proc "$base/proc" && mount --rbind /dev "$base/dev" &&
    mount -t tmpfs tmpfs "$base/tmp"; }; then
    cannot "it is not allowed to mount"
fi
shared=${ZFSCOPE_SHARED:-$here/../shared}
if [ -d "$shared" ]; then
    mkdir -p "$base/shared"
    mount -o bind,ro "$shared" "$base/shared"
elif [ -d "$base/shared" ]; then
    rmdir "$base/shared"
fi

compiler=()
if [ "$arch" != "$own" ] && [ "$own" = amd64 ]; then
    lend_compiler
fi

echo "== ./check.sh ${words[*]} on $system $suite, $arch"
clean_environment ${compiler[@]+"${compiler[@]}"} chroot "$base" sh -c 'cd /zfscope && exec ./check.sh "$@"' check "${words[@]}"
