#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zfscope against its peers on the whole of ZFNet, alternating in one run.

    bench/compare.py [--zfscope build/cli/zfscope] [--rounds 3] [--batch 64] [--threads 2]

Peers are PyTorch and ONNX Runtime (onnxruntime-node), whichever are there. Each round runs every
competitor once, in turn, so that a slow minute of the machine hits all of them. Prints medians,
their spread, the ratio to the best peer of the same precision, and the share of the arithmetic that
the machine was seen to do at most (one large convolution, in the same rounds). Close other programs.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
GFLOP_AN_IMAGE = {"forward": 2.336, "train": 6.667}  # multiply-adds count twice
PYTORCH = {
    ("forward", "f32"): ["plain", "channels_last", "frozen"],
    ("forward", "bf16"): ["bf16"],
    ("train", "f32"): ["plain", "channels_last"],
    ("train", "bf16"): ["bf16"],
}


def run(command):
    """The program's JSON; None when it says that something it needs is not there."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        return None
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def available(command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def export(zfscope, folder):
    """ZFNet, untrained, as ONNX."""
    run_dir = pathlib.Path(folder) / "run"
    model = pathlib.Path(folder) / "zfnet.onnx"
    subprocess.run([zfscope, "train", "zfnet", "--data", "synth:", "--epochs", "0", "-o", run_dir],
                   check=True, capture_output=True)
    subprocess.run([zfscope, "convert", run_dir / "model.safetensors", model], check=True,
                   capture_output=True)
    return model


def competitors(mode, options, model):
    """name -> (precision, command)"""
    common = ["--mode", mode, "--batch", str(options.batch), "--threads", str(options.threads)]
    runs = ["--runs", str(options.runs)]
    found = {}
    for precision in options.precision:
        found[f"zfscope {precision}"] = (precision, [
            options.zfscope, "bench", "zfnet", "--json", "--precision", precision, *common, *runs])
        for variant in PYTORCH[mode, precision] if options.has_torch else []:
            found[f"PyTorch {variant}"] = (precision, [
                options.python, HERE / "pytorch_zfnet.py", "--variant", variant, *common, *runs])
    if mode == "forward" and model:
        found["ONNX Runtime f32"] = ("f32", [
            "node", HERE / "onnxruntime.mjs", model, "--batch", str(options.batch), "--threads",
            str(options.threads), *runs])
    return found


def peak_command(options, precision):
    return [options.zfscope, "bench", HERE / "peak.ini", "--json", "--exact", "--precision",
            precision, "--batch", "16", "--threads", str(options.threads)]


def compare(mode, options, model):
    found = competitors(mode, options, model)
    rates = {name: [] for name in found}
    memory = {name: 0 for name in found}
    peaks = {precision: 0 for precision in options.precision}
    for _ in range(options.rounds):
        for precision in peaks:
            peaks[precision] = max(peaks[precision], run(peak_command(options, precision))["gflops"])
        for name, (_, command) in list(found.items()):
            result = run(command)
            if result is None:
                print(f"{name}: not installed, left out", file=sys.stderr)
                del found[name]
                continue
            rates[name].append(result["images_per_second"])
            memory[name] = max(memory[name], result["peak_rss_mib"])

    print(f"\n{mode}, batch {options.batch}, {options.threads} threads, {options.rounds} rounds; "
          + ", ".join(f"peak {p} {peak:.0f} GFLOP/s" for p, peak in peaks.items()))
    print(f"{'':24}{'img/s':>8}{'spread':>16}{'peak MiB':>10}{'x best peer':>13}{'of peak':>9}")
    medians = {name: statistics.median(rates[name]) for name in found}
    for name, (precision, _) in found.items():
        peers = [m for other, m in medians.items()
                 if not other.startswith("zfscope") and found[other][0] == precision]
        ratio = f"{medians[name] / max(peers):.2f}" if peers else "-"
        share = medians[name] * GFLOP_AN_IMAGE[mode] / peaks[precision]
        spread = f"{min(rates[name]):.1f} .. {max(rates[name]):.1f}"
        print(f"{name:24}{medians[name]:8.1f}{spread:>16}{memory[name]:10.0f}{ratio:>13}"
              f"{share:>9.0%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zfscope", default="build/cli/zfscope")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each in a round")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=["forward", "train", "both"], default="both")
    parser.add_argument("--precision", nargs="+", choices=["f32", "bf16"], default=["f32"])
    options = parser.parse_args()
    options.has_torch = available([options.python, "-c", "import torch"])
    with tempfile.TemporaryDirectory() as folder:
        model = export(options.zfscope, folder) if available(["node", "--version"]) else None
        for mode in ["forward", "train"] if options.mode == "both" else [options.mode]:
            compare(mode, options, model)


if __name__ == "__main__":
    main()
