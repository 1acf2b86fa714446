#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Four network namespaces, joined by a bridge, stand for four machines: a training runs over them, one is cut
# off, all ranks end, and the run goes on without it. With a rate, every link is a token bucket of it.
# As root, with Open MPI: hosts.sh ZFSCOPE [RATE, 1gbit or 10gbit or the like]
set -u
zfscope=$(realpath "$1") rate=${2-}
work=$(mktemp -d) || exit 1
cd "$work" || exit 1

clear_away() {
    for k in 1 2 3 4; do # a link goes with its namespace, unless somebody is left in that
        ip link del zfout$k
        ip netns del zf$k
    done 2>/dev/null
    ip link del zfbridge 2>/dev/null
    rm -rf "$work"
}
trap clear_away EXIT

ip link add zfbridge type bridge && ip addr add 10.77.0.254/24 dev zfbridge && ip link set zfbridge up || exit 77
for k in 1 2 3 4; do
    ip netns add zf$k
    ip link add zfout$k type veth peer name eth0 netns zf$k
    ip link set zfout$k master zfbridge up
    ip -n zf$k addr add 10.77.0.$k/24 dev eth0
    ip -n zf$k link set lo up
    ip -n zf$k link set eth0 up
    if [ -n "$rate" ]; then
        tc qdisc add dev zfout$k root tbf rate "$rate" burst 4mb latency 50ms
        ip netns exec zf$k tc qdisc add dev eth0 root tbf rate "$rate" burst 4mb latency 50ms
    fi
    echo "10.77.0.$k slots=1" >>hosts
done

# What mpirun starts daemons by instead of ssh: HOST COMMAND...
cat >enter <<'ENTER'
#!/bin/bash
while [[ $1 == -* ]]; do shift; done
host=$1
shift
k=${host##*.}
export TMPDIR=$PWD/tmp$k
mkdir -p "$TMPDIR"
exec ip netns exec "zf$k" unshare --uts bash -c "hostname zf$k; $*"
ENTER
chmod +x enter

train() { # ranks, options...
    local ranks=$1
    shift
    timeout -k 1 300 mpirun --allow-run-as-root --hostfile hosts -n "$ranks" --map-by slot --bind-to none \
        --mca plm_rsh_agent "$work/enter" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
        --mca oob_tcp_if_include 10.77.0.0/24 --mca oob_tcp_keepalive_time 5 \
        --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 2 \
        "$zfscope" train zfnet32 --data synth:train:1280 --batch 64 --threads 1 --shards 16 --seed 1 "$@"
}

"$zfscope" train zfnet32 --data synth:train:1280 --batch 64 --threads 1 --shards 16 --seed 1 --epochs 2 -q -o alone ||
    exit 1
train 4 --epochs 2 -q -o four || exit 1
cmp alone/model.safetensors four/model.safetensors && echo "four hosts make the bytes of one process"
tail -n 1 four/log.jsonl

train 4 --epochs 1000 --save-every 2 -q -o cut 2>cut.err &
sleep 20
cut=$SECONDS
ip link set zfout3 down
wait $!
code=$?
echo "one host cut off: mpirun ended $((SECONDS - cut)) s later with $code"
grep zfscope: cut.err
"$zfscope" check cut || exit 1
sed -i 3d hosts
train 2 --epochs 1000 --save-every 2 -q -o cut --resume 2>/dev/null &
sleep 20
kill -0 $! && echo "and two of the others go on with it"
kill $! 2>/dev/null
wait
