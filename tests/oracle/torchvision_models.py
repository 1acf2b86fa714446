#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds nets of torchvision, exported to ONNX on the fly, against PyTorch itself.

    tests/oracle/torchvision_models.py build/cli/zfscope [--opset 13] [--keep DIR] [--all | NAME...]

Untrained nets in evaluation mode, their batch statistics moved away from 0 and 1, so that folding them
wrongly shows. Compared with PyTorch in float64 are the output and what `project --rule gradient` makes of
the largest output: a times its gradient, a being that output (relative L2 1e-4 each). How far
PyTorch's own float32 is away is told beside it. The weights that a batch norm was folded into are
rounded to float32, which may tip a rectifier or a pool: then another picture is tried, up to four; a
wrong gradient is wrong on all. --all takes every convolutional classifier that torchvision has, on the
smallest pictures that it takes. Exits with 77 where torchvision is missing. About two minutes.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import torch
    import torchvision.models
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

warnings.filterwarnings("ignore")
NAMES = ["alexnet", "vgg11_bn", "googlenet", "squeezenet1_1", "resnet18", "densenet121", "mobilenet_v2",
         "mobilenet_v3_small", "shufflenet_v2_x1_0", "efficientnet_b0"]


NOT_CONVOLUTIONAL = ("vit_", "swin_", "maxvit")  # transformers

# Pools to 6 x 6 or 7 x 7 are exported only where they divide the maps; the others shrink by 32.
SIDES = {"alexnet": 224, "vgg": 224, "inception": 139}


def every_name():
    known = torchvision.models.list_models(module=torchvision.models)
    return [name for name in known if not name.startswith(NOT_CONVOLUTIONAL)]


def side_of(name):
    return next((side for start, side in SIDES.items() if name.startswith(start)), 96)


def make(name):
    more = {"aux_logits": False, "init_weights": False, "transform_input": True} if name == "googlenet" else {}
    if name == "inception_v3":
        more = {"init_weights": False}
    net = getattr(torchvision.models, name)(weights=None, **more).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return net


def zfscope(program, *words):
    ran = subprocess.run([program, *words], capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr.strip())
    return ran.stdout


def distance(a, b):
    return float(np.linalg.norm(a.ravel() - b.ravel()) / np.linalg.norm(b.ravel()))


def weighted_gradient(net, x, k=None):
    """Output, largest output times its gradient, and which that is."""
    x = x.detach().requires_grad_()
    y = net(x)
    k = int(y.argmax()) if k is None else k
    y[0, k].backward()
    return y.detach().numpy(), (y[0, k] * x.grad).detach().numpy(), k


def check(name, program, directory, opset, side):
    """Whether all is well, and a line about it."""
    torch.manual_seed(0)
    net = make(name)
    at = lambda suffix: os.path.join(directory, name + suffix)
    torch.onnx.export(net, torch.randn(1, 3, side, side), at(".onnx"), opset_version=opset, input_names=["input"],
                      output_names=["output"])
    for picture in range(4):
        x = torch.randn(1, 3, side, side)
        np.save(at(".x.npy"), x.numpy())
        y, g, k = weighted_gradient(net.float(), x)
        y64, g64, _ = weighted_gradient(net.double(), x.double(), k)
        zfscope(program, "activations", at(".onnx"), at(".x.npy"), "--layer", "output", "-o", at(".y.npy"))
        zfscope(program, "project", at(".onnx"), at(".x.npy"), "--layer", "output", "--map", str(k), "--rule",
                "gradient", "--raw", at(".g.npy"), "-o", at(".png"))
        output, gradient, own = distance(np.load(at(".y.npy")), y64), distance(np.load(at(".g.npy")), g64), distance(g, g64)
        line = "output %.1e  gradient %.1e  (PyTorch's float32 %.1e; picture %d)" % (output, gradient, own, picture)
        if output > 1e-4:
            return False, line
        if gradient <= 1e-4:
            return True, line
    return False, line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--all", action="store_true", help="every convolutional classifier of torchvision")
    parser.add_argument("--keep", help="leave the models and arrays in this folder")
    asked = parser.parse_intermixed_args()
    torch.set_num_threads(2)
    failures = 0
    names = every_name() if asked.all else asked.names
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            directory = asked.keep or scratch
            os.makedirs(directory, exist_ok=True)
            try:
                good, line = check(name, asked.zfscope, directory, asked.opset, side_of(name) if asked.all else 224)
            except RuntimeError as error:
                good, line = False, str(error)
        failures += not good
        print("%s  %-20s %s" % ("ok  " if good else "FAIL", name, line))
        sys.stdout.flush()
    print("%d of %d nets agree" % (len(names) - failures, len(names)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
