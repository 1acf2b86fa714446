#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What must hold, held in a clean root of another Debian release.
set -u
# shellcheck disable=SC2016 # shown as it is
usage='usage: tools/check_on.sh SUITE [--arch ARCH] [--fresh] [WORD...]
  SUITE    a release of Debian: bookworm, trixie, forky
  --arch   of another processor, run by QEMU: arm64
  --fresh  make the root anew
  WORD...  for ./check.sh there; without: release clang sanitizers demo, and where QEMU runs it
           release --suite unit --suite engine
debootstrap makes the root, tools/setup.sh installs what the build needs. It stays in
${XDG_CACHE_HOME:-~/.cache}/zfscope/roots, or in $ZFSCOPE_ROOTS; ../shared, or
$ZFSCOPE_SHARED, is there, too.
Ends with "N passed, N failed", or says why it cannot run and exits with 77.'
cannot() {
    echo "cannot check on Debian $suite, $arch: $*"
    exit 77
}

here=$(cd "$(dirname "$0")/.." && pwd)
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

[ $fresh = 0 ] || remove "$base"
if [ ! -d "$base" ]; then
    echo "== making a root of Debian $suite, $arch, in $base"
    remove "$base.part"
    debootstrap --variant=minbase --arch="$arch" "$suite" "$base.part" >"$base.log" 2>&1 ||
        cannot "debootstrap: $(tail -1 "$base.log")"
    echo force-unsafe-io >"$base.part/etc/dpkg/dpkg.cfg.d/unsafe-io" # four times as fast
    mv "$base.part" "$base"
fi

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

echo "== ./check.sh ${words[*]} on Debian $suite, $arch"
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    chroot "$base" sh -c 'cd /zfscope && exec ./check.sh "$@"' check "${words[@]}"
