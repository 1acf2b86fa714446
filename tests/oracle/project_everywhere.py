#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Activations and projections of an ONNX net, held against an independent PyTorch reference.

    project_everywhere.py ZFSCOPE MODEL.onnx ORACLE.py PICTURE... [--ops Relu,MaxPool,Concat]

ORACLE.py is a module with run(), project() and RULE. It is run in double: where an activation is
within a float's last digits of zero, or of its neighbour, a rectifier or a maximum in float32 may go
either way, and only double knows. Every layer that one of the operators makes is taken in turn
(--every 3: every third), with its strongest activation, under the three rules. Prints the largest
relative L2 error of each kind and fails above the bound. --float32 tells also how far the same
reference in float32 is away, on which nothing depends; --engine what another engine makes of it.
"""
import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from PIL import Image

BOUND = 1e-4  # float32 sums in another order; the switches and masks must agree
RULES = ["deconvnet", "gradient", "guided"]


def in_double(tensor):
    values = onnx.numpy_helper.to_array(tensor)
    return values.astype(np.float64) if values.dtype == np.float32 else values


class Double:
    to_array = staticmethod(in_double)


def load(path, helper):
    spec = importlib.util.spec_from_file_location("oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.numpy_helper = helper
    return module


def prepared(picture, model):
    """Both sides to 256, the centre crop, minus the mean: what the net was trained on."""
    meta = {p.key: p.value for p in model.metadata_props}
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    height, width = shape[2], shape[3]
    image = Image.open(picture).convert("RGB").resize((256, 256), Image.BILINEAR)
    pixels = np.asarray(image, np.float32).transpose(2, 0, 1)
    mean = np.array([float(v) for v in meta.get("mean", "0,0,0").split(",")], np.float32)
    top, left = (256 - height) // 2, (256 - width) // 2
    crop = pixels[:, top:top + height, left:left + width] - mean[:, None, None]
    return (crop * float(meta.get("scale", "1").split(",")[0]))[None]


def error(found, expected):
    return float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30))


def zfscope(*arguments):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def check(options, oracles, model, picture, folder, worst):
    """Fills worst[kind], a (number, where) each; kinds with a comma are told and not judged."""
    x = prepared(picture, model)
    source, raw, out = folder / "x.npy", folder / "raw.npy", folder / "out.png"
    engine = ["--engine", options.engine] if options.engine else []
    nodes = [n for n in model.graph.node if n.op_type in options.ops.split(",")]
    np.save(source, x)
    for node in nodes[::options.every]:
        zfscope(options.zfscope, "activations", options.model, source, "--layer", node.name, "--exact",
                *engine, "-o", raw)
        activations = np.load(raw)
        for rule in RULES:
            place = json.loads(zfscope(options.zfscope, "project", options.model, source, "--layer",
                                       node.name, "--rule", rule, *engine, "--raw", raw, "-o", out,
                                       "--json"))
            where = (place["map"], place["y"], place["x"])
            for oracle, kind in oracles.items():
                oracle.RULE = rule
                expected, _, _, projection, _ = oracle.project(
                    model, x.astype(kind), node.output[0], where)
                told = "" if kind is np.float64 else ", reference in float32"
                found = {f"activations{told}": error(activations.reshape(expected.shape), expected),
                         f"{rule}{told}": error(np.load(raw), projection)}
                for name, value in found.items():
                    if value >= worst.get(name, (0, ""))[0]:
                        worst[name] = (value, f"{node.name}, {pathlib.Path(picture).name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zfscope")
    parser.add_argument("model")
    parser.add_argument("oracle")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--ops", default="Relu,MaxPool,GlobalAveragePool,Concat")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--engine")
    parser.add_argument("--float32", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, worst = onnx.load(options.model), {}
    oracles = {load(options.oracle, Double): np.float64}
    if options.float32:
        oracles[load(options.oracle, onnx.numpy_helper)] = np.float32
    with tempfile.TemporaryDirectory() as folder:
        for picture in options.pictures:
            check(options, oracles, model, picture, pathlib.Path(folder), worst)
    for kind, (value, place) in sorted(worst.items()):
        verdict = "    " if "," in kind else "ok  " if value <= BOUND else "FAIL"
        print(f"{verdict}  {kind}: {value:.1e} at most ({place})")
    sys.exit(max(value for kind, (value, _) in worst.items() if "," not in kind) > BOUND)


if __name__ == "__main__":
    main()
