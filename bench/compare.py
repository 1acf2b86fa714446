#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zfscope against PyTorch on the whole of ZFNet, alternating in one run.

    bench/compare.py [--zfscope build/cli/zfscope] [--rounds 3] [--batch 64] [--threads 2]

Each round runs every competitor once, in turn, so that a slow minute of the machine hits all of
them. Prints medians, their spread, and the ratio to the best of PyTorch. Close other programs.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
VARIANTS = {"forward": ["plain", "channels_last", "frozen"], "train": ["plain", "channels_last"]}


def measure(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    result = json.loads(done.stdout)
    return result["images_per_second"], result["peak_rss_mib"]


def compare(mode, options):
    common = ["--mode", mode, "--batch", str(options.batch), "--threads", str(options.threads)]
    commands = {"zfscope": [options.zfscope, "bench", "zfnet", "--json", *common]}
    for variant in VARIANTS[mode]:
        commands[f"PyTorch {variant}"] = [
            options.python, str(HERE / "pytorch_zfnet.py"), "--variant", variant, *common]
    rates = {name: [] for name in commands}
    memory = {name: 0 for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            rate, rss = measure(command)
            rates[name].append(rate)
            memory[name] = max(memory[name], rss)
    best = max(statistics.median(r) for name, r in rates.items() if name != "zfscope")
    print(f"\n{mode}, batch {options.batch}, {options.threads} threads, {options.rounds} rounds")
    print(f"{'':24}{'img/s':>8}{'spread':>16}{'peak MiB':>10}{'x best PyTorch':>16}")
    for name, r in rates.items():
        median = statistics.median(r)
        spread = f"{min(r):.1f} .. {max(r):.1f}"
        print(f"{name:24}{median:8.1f}{spread:>16}{memory[name]:10.0f}{median / best:16.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zfscope", default="build/cli/zfscope")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=["forward", "train", "both"], default="both")
    options = parser.parse_args()
    for mode in ["forward", "train"] if options.mode == "both" else [options.mode]:
        compare(mode, options)


if __name__ == "__main__":
    main()
