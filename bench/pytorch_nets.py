#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nets in PyTorch, timed once: what bench/compare.py holds zfscope against.

    pytorch_nets.py --net zfnet|zfnet64|squeezenet --mode forward|train|project|back
                    --variant plain|channels_last|frozen|bf16 --batch 64

--mode project is a forward pass up to the fifth convolution and the way back of one activation an
image, with the deconvnet's rectifier in place of each relu's gradient, as programs on top of
PyTorch do it: everything below is computed, zeros or not. --mode back is that way back alone.
Prints one JSON object: images_per_second (of the median run) and peak_rss_mib. Exits with 77 where
the net needs torchvision and that is missing.
"""
import argparse
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

UP_TO_CONV5 = 15  # modules of zfnet() up to and with the fifth convolution's relu


class RoundUpPool(nn.MaxPool2d):
    def __init__(self):
        super().__init__(3, 2, ceil_mode=True)


class DeconvnetRelu(nn.Module):
    """Rectifies on the way up and, whatever that did, on the way down."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, signal):
            return signal.clamp(min=0)

    def forward(self, x):
        return self.Function.apply(x)


def zfnet(maps=(96, 256, 384, 384, 256), hidden=4096, classes=1000, small=False):
    """Figure 3 of the paper. The convolutions round up by padding right and bottom by one."""
    conv2 = ([nn.Conv2d(maps[0], maps[1], 5, padding=2)] if small else
             [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(maps[0], maps[1], 5, 2)])
    side = 3 if small else 6
    return nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, maps[0], 7, 2), nn.ReLU(inplace=True),
        RoundUpPool(), nn.LocalResponseNorm(5, k=2),
        *conv2, nn.ReLU(inplace=True), RoundUpPool(), nn.LocalResponseNorm(5, k=2),
        nn.Conv2d(maps[1], maps[2], 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(maps[2], maps[3], 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(maps[3], maps[4], 3, padding=1), nn.ReLU(inplace=True), RoundUpPool(),
        nn.Flatten(),
        nn.Linear(maps[4] * side * side, hidden), nn.ReLU(inplace=True), nn.Dropout(),
        nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(),
        nn.Linear(hidden, classes))


def squeezenet():
    try:
        from torchvision.models import squeezenet1_0
    except ImportError:
        sys.exit(77)
    return squeezenet1_0()


NETS = {  # what makes it, and the side of its input
    "zfnet": (zfnet, 224),
    "zfnet64": (lambda: zfnet((48, 128, 192, 192, 128), 1024, 100, True), 56),
    "squeezenet": (squeezenet, 227),
}


def forward_run(model, x, variant):
    model.eval()
    if variant == "frozen":
        model = torch.jit.optimize_for_inference(torch.jit.trace(model, x))

    def run():
        with torch.no_grad():
            torch.softmax(model(x), 1)
    return run


def train_run(model, x):
    labels = torch.arange(x.shape[0]) % 1000
    step = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    loss = nn.CrossEntropyLoss()
    model.train()

    def run():
        step.zero_grad(set_to_none=True)
        loss(model(x), labels).backward()
        step.step()
    return run


def project_run(model, x, again=False):
    part = nn.Sequential(*[DeconvnetRelu() if isinstance(m, nn.ReLU) else m
                           for m in list(model)[:UP_TO_CONV5]]).eval()
    for parameter in part.parameters():
        parameter.requires_grad_(False)

    def forward():
        top = part(x.detach().requires_grad_(True))
        seed = torch.zeros_like(top)
        for i in range(x.shape[0]):
            seed[i, i % top.shape[1], top.shape[2] // 2, top.shape[3] // 2] = 1
        return top, seed

    def run():
        top, seed = forward()
        top.backward(seed)

    if not again:
        return run
    top, seed = forward()
    return lambda: top.backward(seed, retain_graph=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=list(NETS), default="zfnet")
    parser.add_argument("--mode", choices=["forward", "train", "project", "back"], default="forward")
    parser.add_argument("--variant", choices=["plain", "channels_last", "frozen", "bf16"],
                        default="plain", help="bf16: autocast and channels last")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    make, side = NETS[options.net]
    model, x = make(), torch.randn(options.batch, 3, side, side)
    if options.variant in ("channels_last", "bf16"):
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    once = {"train": lambda: train_run(model, x), "project": lambda: project_run(model, x),
            "back": lambda: project_run(model, x, again=True),
            "forward": lambda: forward_run(model, x, options.variant)}[options.mode]()

    def run():
        with torch.autocast("cpu", torch.bfloat16, enabled=options.variant == "bf16"):
            once()
    seconds = []
    for i in range(options.runs + 2):
        start = time.perf_counter()
        run()
        if i >= 2:
            seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "images_per_second": options.batch / statistics.median(seconds),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
