#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zfscope against its peers, alternating in one run.

    bench/compare.py [CONTEST...] [--zfscope build/cli/zfscope] [--rounds 3] [--runs 5]

Contests are listed by --help; all of them take about an hour. Each round runs every competitor
once, in turn, so that a slow minute of the machine hits all of them. Prints medians, their spread,
the ratio to the best peer of the same precision (above 1: zfscope is faster), peak memory, and the
share of the arithmetic that the machine was seen to do at most: one large convolution, in the same
rounds, direct; Winograd's algorithm can exceed it. A peer that is not installed is left out by name:

    PyTorch        for the interpreter of --python
    ONNX Runtime   onnxruntime-node, also in the folder that ZFSCOPE_ONNXRUNTIME names
    darknet        Debian's package; another build's library in ZFSCOPE_DARKNET

Close other programs.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SQUARES = 25 * 25  # places of a 32 px square at stride 8 in 224 px
DARKNET_BATCH = 8  # it works through a batch image by image, a second for each in training


class Missing(Exception):
    """A peer, or a file, that is not there."""


def run(command):
    """The program's JSON, and its peak memory where it does not tell itself."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        try:
            child = subprocess.Popen([str(word) for word in command], stdout=out, stderr=log)
        except FileNotFoundError as error:
            raise Missing from error
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        log.seek(0)
        words = log.read().decode(errors="replace")
        if child.returncode == 77 or "No module named 'torch'" in words:
            raise Missing
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{words}")
        return {"peak_rss_mib": usage.ru_maxrss / 1024} | json.loads(out.read())


def digits(number):
    """Three of them, without an exponent."""
    return f"{number:.{max(0, 2 - math.floor(math.log10(number)))}f}" if number > 0 else "0"


class Bench:
    """The competitors, each a function that runs once and returns rate, MiB and maybe GFLOP/s."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.zfscope = options.zfscope

    def common(self, batch):
        runs = self.options.runs * (10 if batch == 1 else 1)
        return ["--batch", batch, "--threads", self.options.threads, "--runs", runs]

    def ours(self, net, mode, batch, precision):
        return lambda: run([self.zfscope, "bench", net, "--json", "--mode", mode, "--precision",
                            precision, *self.common(batch)])

    def pytorch(self, net, mode, batch, variant):
        return lambda: run([self.options.python, HERE / "pytorch_nets.py", "--net", net, "--mode",
                            mode, "--variant", variant, *self.common(batch)])

    def onnxruntime(self, model, batch, side=224):
        return lambda: run(["node", HERE / "onnxruntime.mjs", model(), "--side", side,
                            *self.common(batch)])

    def darknet(self, mode):
        return lambda: run(["python3", HERE / "darknet_zfnet.py", "--mode", mode, "--batch",
                            DARKNET_BATCH, "--threads", self.options.threads])

    def peak(self, precision):
        return run([self.zfscope, "bench", HERE / "peak.ini", "--json", "--exact", "--precision",
                    precision, "--batch", 16, "--threads", self.options.threads])["gflops"]

    def model(self, net, suffix):
        """A net, untrained, as a file of that kind."""
        path = self.folder / f"{net}.{suffix}"
        if not path.exists():
            run_dir = self.folder / net
            if not run_dir.exists():
                subprocess.run([self.zfscope, "train", net, "--data", "synth:", "--epochs", "0",
                                "-o", run_dir], check=True, capture_output=True)
            subprocess.run([self.zfscope, "convert", run_dir / "model.safetensors", path],
                           check=True, capture_output=True)
        return path

    def squeezenet(self):
        if not self.options.squeezenet or not os.path.exists(self.options.squeezenet):
            raise Missing
        return self.options.squeezenet

    def map_of_ours(self, precision):
        """One occlusion map by the command, as a rate of maps."""
        pictures = self.folder / "pictures"
        if not pictures.exists():
            subprocess.run([self.zfscope, "synth", pictures, "--images", "10"], check=True,
                           capture_output=True)
        picture = sorted(pictures.glob("val/*/*"))[0]

        def once():
            made = run([self.zfscope, "occlude", self.model("zfnet", "safetensors"), picture,
                        "--size", "32", "--stride", "8", "--json", "--precision", precision,
                        "--threads", self.options.threads, "-o", self.folder / "occlude"])
            return {"images_per_second": 1 / made["seconds"],
                    "peak_rss_mib": made["peak_rss_mib"]}
        return once

    def map_by_batches(self, forward):
        """The map by brute force: as long as that many forward passes in batches of 64."""
        def once():
            result = dict(forward())
            result["images_per_second"] /= SQUARES
            return result
        return once


def forward(b, net, batch, model, side=224):
    """The usual competitors of a forward pass: name -> (precision, function)."""
    found = {f"zfscope {p}": (p, b.ours(model or net, "forward", batch, p)) for p in ("f32", "bf16")}
    for variant in ("plain", "channels_last", "frozen"):
        found[f"PyTorch {variant}"] = ("f32", b.pytorch(net, "forward", batch, variant))
    found["PyTorch bf16"] = ("bf16", b.pytorch(net, "forward", batch, "bf16"))
    exported = (lambda: model) if model else (lambda: b.model(net, "onnx"))
    found["ONNX Runtime"] = ("f32", b.onnxruntime(exported, batch, side))
    return found


def whole(b):
    return forward(b, "zfnet", 64, None) | {"darknet": ("f32", b.darknet("forward"))}


def train(b):
    found = {f"zfscope {p}": (p, b.ours("zfnet", "train", 64, p)) for p in ("f32", "bf16")}
    for variant in ("plain", "channels_last"):
        found[f"PyTorch {variant}"] = ("f32", b.pytorch("zfnet", "train", 64, variant))
    found["PyTorch bf16"] = ("bf16", b.pytorch("zfnet", "train", 64, "bf16"))
    found["darknet"] = ("f32", b.darknet("train"))
    return found


def project(b, mode="project"):
    found = {f"zfscope {p}": (p, b.ours("zfnet", mode, 64, p)) for p in ("f32", "bf16")}
    for variant in ("plain", "channels_last"):
        found[f"PyTorch {variant}"] = ("f32", b.pytorch("zfnet", mode, 64, variant))
    return found


def occlude(b):
    found = {f"zfscope {p}": (p, b.map_of_ours(p)) for p in ("f32", "bf16")}
    for variant in ("channels_last", "frozen"):
        found[f"PyTorch {variant}"] = ("f32", b.map_by_batches(
            b.pytorch("zfnet", "forward", 64, variant)))
    found["ONNX Runtime"] = ("f32", b.map_by_batches(
        b.onnxruntime(lambda: b.model("zfnet", "onnx"), 64)))
    return found


CONTESTS = {  # name -> (title, what is counted, makes the competitors, share of the peak?)
    "forward": ("ZFNet forward, batch 64", "img/s", whole, True),
    "forward1": ("ZFNet forward, one picture", "img/s", lambda b: forward(b, "zfnet", 1, None),
                 True),
    "train": ("ZFNet training, batch 64", "img/s", train, True),
    "zfnet64": ("zfnet64 forward, batch 64", "img/s",
                lambda b: forward(b, "zfnet64", 64, None, 56), True),
    "zfnet64-1": ("zfnet64 forward, one picture", "img/s",
                  lambda b: forward(b, "zfnet64", 1, None, 56), True),
    "squeezenet": ("SqueezeNet from ONNX, batch 64", "img/s",
                   lambda b: forward(b, "squeezenet", 64, b.squeezenet(), 227), True),
    "squeezenet1": ("SqueezeNet from ONNX, one picture", "img/s",
                    lambda b: forward(b, "squeezenet", 1, b.squeezenet(), 227), True),
    "project": ("ZFNet, one activation of conv5 an image projected, and the way there; batch 64",
                "img/s", project, False),
    "back": ("ZFNet, one activation of conv5 an image projected, without the way there; batch 64",
             "img/s", lambda b: project(b, "back"), False),
    "occlude": (f"ZFNet, occlusion maps of {SQUARES} places; peers: forward passes in batches of 64",
                "maps/s", occlude, False),
}


def gather(b, found, rounds):
    """Rates and memory over the rounds, the highest peaks, and GFLOP an image as zfscope counts."""
    rates, memory = {name: [] for name in found}, {name: 0 for name in found}
    peaks, work = {"f32": 0, "bf16": 0}, None
    for _ in range(rounds):
        for precision in peaks:
            peaks[precision] = max(peaks[precision], b.peak(precision))
        for name, (_, once) in list(found.items()):
            try:
                result = once()
            except Missing:
                print(f"{name}: not installed, left out", file=sys.stderr)
                del found[name]
                continue
            rates[name].append(result["images_per_second"])
            memory[name] = max(memory[name], result["peak_rss_mib"])
            if "gflops" in result:
                work = result["gflops"] / result["images_per_second"]
            print(f"  {name}: {digits(rates[name][-1])}", file=sys.stderr, flush=True)
    return rates, memory, peaks, work


def compare(b, name, options):
    title, unit, competitors, has_share = CONTESTS[name]
    try:
        found = {other: entry for other, entry in competitors(b).items()
                 if entry[0] in options.precision}
    except Missing:
        print(f"{name}: its model is not there, left out", file=sys.stderr)
        return
    rates, memory, peaks, work = gather(b, found, options.rounds)
    medians = {other: statistics.median(rates[other]) for other in found}

    print(f"\n{title}; {options.threads} threads, {options.rounds} rounds of {options.runs} runs; "
          + ", ".join(f"peak {p} {peaks[p]:.0f} GFLOP/s" for p in options.precision))
    print(f"| {'':22} | {unit:>7} | {'spread':>16} | peak MiB | x best peer | of peak |")
    print("|---|---|---|---|---|---|")
    for other, (precision, _) in found.items():
        peers = [medians[p] for p in found if not p.startswith("zfscope")
                 and found[p][0] == precision]
        ratio = f"{medians[other] / max(peers):.2f}" if peers else "-"
        share = f"{medians[other] * work / peaks[precision]:.0%}" if has_share and work else "-"
        spread = f"{digits(min(rates[other]))} .. {digits(max(rates[other]))}"
        print(f"| {other:22} | {digits(medians[other]):>7} | {spread:>16} | {memory[other]:8.0f} "
              f"| {ratio:>11} | {share:>7} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="contests:\n" + "\n".join(f"  {name:14}{c[0]}" for name, c in CONTESTS.items()))
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help="all of them unless named")
    parser.add_argument("--zfscope", default="build/cli/zfscope")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    parser.add_argument("--squeezenet", metavar="MODEL.onnx", help="for the contests of that name",
                        default=os.environ.get("ZFSCOPE_SHARED", "") + "/models/squeezenet1.0.onnx")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each in a round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", nargs="+", choices=["f32", "bf16"],
                        default=["f32", "bf16"])
    options = parser.parse_args()
    unknown = [name for name in options.contests if name not in CONTESTS]
    if unknown:
        parser.error(f"there is no contest {unknown[0]!r}; --help lists them")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.contests or CONTESTS:
            compare(Bench(options, folder), name, options)


if __name__ == "__main__":
    main()
