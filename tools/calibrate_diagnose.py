#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How often `zfscope diagnose` is wrong about which layers are untrained.

usage: calibrate_diagnose.py ZFSCOPE DIR [MODEL...]

Trains nets of several sizes on generated pictures in DIR (about ten minutes on two cores; what is
there already is not done again), diagnoses them as they were drawn, at the epochs that they keep and
in the end, and prints of how many layers it says that their weights may be random numbers. Trained
MODELs of others, where given, are a group of their own. docs/diagnosis.md has the outcome.
"""
import json
import pathlib
import subprocess
import sys

SMALL = """[net]
name = small33
base = zfnet32
classes = 10
[conv1]
maps = 16
kernel = 3
pad = 1
[conv2]
maps = 32
kernel = 3
[conv3]
maps = 32
[conv4]
maps = 32
[conv5]
maps = 32
[fc6]
maps = 64
[fc7]
maps = 64
"""
KEEP = ["--keep", "1,2,3,5,8,12"]
# name, net, seed, epochs, pictures, what else
RUNS = [
    ("small33-s1", "small33.ini", 1, 12, 2000, []),
    ("small33-s2", "small33.ini", 2, 12, 2000, []),
    ("zfnet32-s1", "zfnet32", 1, 12, 2000, []),
    ("zfnet32-s2", "zfnet32", 2, 12, 2000, []),
    ("normal32", "zfnet32", 4, 8, 2000, ["--init", "normal", "--init-std", "0.03"]),
    ("alexnet64", "alexnet64", 5, 8, 2000, []),
    ("slow32", "zfnet32", 3, 5, 2000, ["--lr", "0.00003"]),
]
DRAWN_SEEDS = range(1, 9)


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def diagnosed(zfscope, model, directory):
    """Names of the layers that could be told, and of those whose weights may be random."""
    found = json.loads(run(zfscope, "diagnose", model, "-o", directory / "page", "--json"))
    told = [w["name"] for w in found["weights"] if w["most"] is not None]
    return told, [w["name"] for w in found["weights"] if w["random"]]


def line(what, told, random, names=""):
    share = 100 * random / told if told else 0
    print(f"{what:44s}{random:6d} of {told:4d}{share:7.1f} %  {names}")


def main():
    zfscope, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    spec = directory / "small33.ini"
    spec.write_text(SMALL)
    nets = {"small33.ini": spec}

    drawn_told = drawn_random = 0
    for net in ["small33.ini", "zfnet32", "zfnet64", "alexnet64"]:
        for seed in DRAWN_SEEDS:
            for init in ["he", "normal"]:
                path = directory / f"drawn-{net}-{init}-{seed}"
                if not (path / "model.safetensors").exists():
                    run(zfscope, "train", nets.get(net, net), "--data", "synth:train:20", "--epochs",
                        0, "--seed", seed, "--init", init, "-o", path)
                told, random = diagnosed(zfscope, path / "model.safetensors", directory)
                drawn_told += len(told)
                drawn_random += len(random)
    line("as they were drawn", drawn_told, drawn_random)

    for name, net, seed, epochs, pictures, more in RUNS:
        path = directory / name
        if not (path / "epochs" / f"{epochs:04d}.safetensors").exists():
            run(zfscope, "train", nets.get(net, net), "--data", f"synth:train:{pictures}", "--val",
                "synth:val:500", "--epochs", epochs, "--seed", seed, "-o", path, *KEEP, *more)
        errors = {}
        for text in (path / "log.jsonl").read_text().splitlines():
            epoch = json.loads(text)
            errors[epoch["epoch"]] = epoch["val_top1_error"]
        for kept in sorted((path / "epochs").glob("*.safetensors")):
            told, random = diagnosed(zfscope, kept, directory)
            epoch = int(kept.stem)
            line(f"{name}, epoch {epoch}, top-1 error {errors[epoch]:.2f}", len(told), len(random),
                 " ".join(random))

    others_told = others_random = 0
    for model in sys.argv[3:]:
        told, random = diagnosed(zfscope, model, directory)
        others_told += len(told)
        others_random += len(random)
        line(pathlib.Path(model).stem, len(told), len(random), " ".join(random))
    if others_told:
        line("trained models of others", others_told, others_random)


if __name__ == "__main__":
    main()
