#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ZFNet in PyTorch, timed once: what bench/compare.py holds zfscope against.

    pytorch_zfnet.py --mode forward|train --variant plain|channels_last|frozen|bf16 --batch 64

Prints one JSON object: images_per_second (of the median run) and peak_rss_mib.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn


class RoundUpPool(nn.MaxPool2d):
    def __init__(self):
        super().__init__(3, 2, ceil_mode=True)


def zfnet(classes=1000):
    """Figure 3 of the paper. The convolutions round up by padding right and bottom by one."""
    return nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 96, 7, 2), nn.ReLU(inplace=True), RoundUpPool(),
        nn.LocalResponseNorm(5, k=2),
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(96, 256, 5, 2), nn.ReLU(inplace=True), RoundUpPool(),
        nn.LocalResponseNorm(5, k=2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True), RoundUpPool(),
        nn.Flatten(),
        nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(),
        nn.Linear(4096, classes))


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=["forward", "train"], default="forward")
    parser.add_argument("--variant", choices=["plain", "channels_last", "frozen", "bf16"],
                        default="plain", help="bf16: autocast and channels last")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model, x = zfnet(), torch.randn(options.batch, 3, 224, 224)
    if options.variant in ("channels_last", "bf16"):
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    once = train_run(model, x) if options.mode == "train" else forward_run(model, x, options.variant)

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
