#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Activations and projections of an ONNX net, held against an independent PyTorch reference.

    project_everywhere.py ZFSCOPE MODEL.onnx ORACLE.py PICTURE... [--ops Relu,MaxPool,Concat]

ORACLE.py is a module with run(), project() and RULE. It is run in double: where two values are equal
to a float's last digit, a maximum in float32 may go either way, and only double knows. Every layer that one of the operators makes is
taken in turn, with its strongest activation, under the three rules. Prints the largest relative L2
error of each kind and fails above the bound.
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


def load(path):
    spec = importlib.util.spec_from_file_location("oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.numpy_helper = Double
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


def check(options, oracle, model, picture, folder, worst):
    x = prepared(picture, model)
    source, raw, out = folder / "x.npy", folder / "raw.npy", folder / "out.png"
    np.save(source, x)
    for node in model.graph.node:
        if node.op_type not in options.ops.split(","):
            continue
        zfscope(options.zfscope, "activations", options.model, source, "--layer", node.name, "--exact",
                "-o", raw)
        activations = np.load(raw)
        for rule in RULES:
            oracle.RULE = rule
            place = json.loads(zfscope(options.zfscope, "project", options.model, source, "--layer",
                                       node.name, "--rule", rule, "--raw", raw, "-o", out, "--json"))
            where = (place["map"], place["y"], place["x"])
            expected, _, _, projection, _ = oracle.project(
                model, x.astype(np.float64), node.output[0], where)
            found = {"activations": error(activations.reshape(expected.shape), expected),
                     rule: error(np.load(raw), projection)}
            for kind, value in found.items():
                if value > worst.get(kind, (0, ""))[0]:
                    worst[kind] = (value, f"{node.name}, {pathlib.Path(picture).name}")
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zfscope")
    parser.add_argument("model")
    parser.add_argument("oracle")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--ops", default="Relu,MaxPool,GlobalAveragePool,Concat")
    options = parser.parse_args()
    torch.set_num_threads(1)
    oracle, model, worst = load(options.oracle), onnx.load(options.model), {}
    with tempfile.TemporaryDirectory() as folder:
        for picture in options.pictures:
            check(options, oracle, model, picture, pathlib.Path(folder), worst)
    for kind, (value, place) in worst.items():
        print(f"{'ok  ' if value <= BOUND else 'FAIL'}  {kind}: {value:.1e} at most ({place})")
    sys.exit(max(value for value, _ in worst.values()) > BOUND)


if __name__ == "__main__":
    main()
