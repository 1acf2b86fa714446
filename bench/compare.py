#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zfscope against its peers, alternating in one run.

    bench/compare.py [CONTEST...] [--zfscope build/cli/zfscope] [--rounds 5] [--runs 3]
    bench/compare.py forward --peers /srv/debian13 --against /srv/debian13:/build/cli/zfscope

Contests are listed by --help. In each round every contestant runs once, in turn, so that a slow
minute of the machine hits all of them. Prints medians, their spread, peak memory and the ratios of
the pairs, taken round by round (above 1: zfscope is faster).

Peers are run as someone who knows them would: in the quickest of several ways, by a trial; with
memory that stays in the process; and never with the reference BLAS. One that is not installed is
left out by name:

    pytorch             for the interpreter of --python, here or in the root of --peers
    onnxruntime         onnxruntime-node of npm, also in the folder that ZFSCOPE_ONNXRUNTIME names
    onnxruntime-python  as pytorch
    darknet             Debian's package; another build's library in ZFSCOPE_DARKNET

Close other programs.
"""
import argparse
import dataclasses
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

from contest.contestants import RIVALS, Setting, Work
from contest.process import BENCH, Missing
from contest.rounds import hold

SQUEEZENET = os.environ.get("ZFSCOPE_SHARED", "") + "/models/squeezenet1.0.onnx"
ALL = {"f32": ["onnxruntime f32", "onnxruntime-python f32", "pytorch f32"],
       "bf16": ["pytorch bf16", "onnxruntime f32"]}
PYTORCH = {"f32": ["pytorch f32"], "bf16": ["pytorch bf16"]}


@dataclasses.dataclass(frozen=True)
class Contest:
    title: str
    work: Work
    rivals: dict  # of zfscope in a precision
    unit: str = "img/s"
    of_peak: bool = False  # is the rate also given as a share of the most arithmetic seen?


CONTESTS = {
    "forward": Contest("ZFNet forward, batch 64", Work(),
                       {"f32": [*ALL["f32"], "darknet f32"], "bf16": ALL["bf16"]}, of_peak=True),
    "forward1": Contest("ZFNet forward, one picture", Work(batch=1), ALL),
    "train": Contest("ZFNet training, batch 64", Work("train"),
                     {"f32": ["pytorch f32", "darknet f32"], "bf16": ["pytorch bf16"]},
                     of_peak=True),
    "avx2": Contest("ZFNet forward, batch 64, AVX2 only", Work(cpu="avx2"),
                    {"f32": ["pytorch f32"]}),
    "avx2-train": Contest("ZFNet training, batch 64, AVX2 only", Work("train", cpu="avx2"),
                          {"f32": ["pytorch f32"]}),
    "project": Contest("ZFNet, one activation of conv5 an image projected, and the way there; "
                       "batch 64", Work("project"), PYTORCH),
    "back": Contest("ZFNet, one activation of conv5 an image projected, without the way there; "
                    "batch 64", Work("back"), PYTORCH),
    "occlude": Contest("ZFNet, occlusion maps of 625 places, 32 px at stride 8; peers by forward "
                       "passes", Work("occlude"), ALL, "maps/s"),
    "zfnet64": Contest("zfnet64 forward, batch 64", Work(net="zfnet64", side=56), ALL),
    "zfnet64-1": Contest("zfnet64 forward, one picture", Work(net="zfnet64", side=56, batch=1),
                         ALL),
    "squeezenet": Contest("SqueezeNet from ONNX, batch 64",
                          Work(net="squeezenet", side=227, model=SQUEEZENET), ALL),
    "squeezenet1": Contest("SqueezeNet from ONNX, one picture",
                           Work(net="squeezenet", side=227, batch=1, model=SQUEEZENET), ALL),
}


def output_of(*words):
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe(setting):
    """Where and what, as a later reader has to know it."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        facts = dict(line.split(":", 1) for line in cpuinfo if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts.get("flags", "").split()
    sets = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    print(f"{facts.get('model name', platform.machine())}, model {facts.get('model', '?')}, "
          f"{os.cpu_count()} cores, {' '.join(sets)}")
    print(f"source {output_of('git', '-C', str(BENCH), 'describe', '--always', '--dirty')}")
    for system, path, place in setting.programs:
        version = output_of(*map(str, system.command([path, "--version"])))
        print(f"zfscope, {place}: {path}: {'; '.join(version.splitlines())}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="contests:\n" + "\n".join(f"  {n:14}{c.title}" for n, c in CONTESTS.items()))
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help="all of them unless named")
    parser.add_argument("--zfscope", default="build/cli/zfscope")
    parser.add_argument("--against", metavar="ROOT:PATH", action="append", default=[],
                        help="another zfscope: PATH in the system below ROOT (root only), or here "
                        "where ROOT is empty")
    parser.add_argument("--peers", metavar="ROOT", default="",
                        help="the system whose Python has the peers (root only)")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    parser.add_argument("--way", metavar="WORDS", help="how PyTorch is run, in place of the trials, "
                        "such as channels_last,frozen")
    parser.add_argument("--work", metavar="DIR", help="where made models and pictures are kept, to be "
                        "used again")
    parser.add_argument("--rivals", nargs="*", choices=list(RIVALS), default=list(RIVALS),
                        help="those that take part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each in a round, ten "
                        "times as many of single pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", nargs="+", choices=["f32", "bf16"],
                        default=["f32", "bf16"])
    options = parser.parse_args()
    unknown = [name for name in options.contests if name not in CONTESTS]
    if unknown:
        parser.error(f"there is no contest {unknown[0]!r}; --help lists them")
    with tempfile.TemporaryDirectory() as folder:
        try:
            setting = Setting(options, options.work or folder)
        except Missing as missing:
            sys.exit(str(missing))
        describe(setting)
        for name in options.contests or CONTESTS:
            try:
                hold(setting, CONTESTS[name])
            except Missing as missing:
                print(f"{name} left out: {missing}", flush=True)


if __name__ == "__main__":
    main()
