#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nets in PyTorch, served to bench/compare.py (serve.py says how).

    pytorch_net.py --net zfnet|zfnet64|squeezenet --mode forward|train|project|back|occlude
                   --precision f32|bf16 --how channels_last,frozen --batch 64

--how names ways to run that someone who knows PyTorch would try (WAYS below).
--mode project is a forward pass up to the fifth convolution and the way back of one activation an
image (pytorch_deconvnet.py); back is that way alone; occlude is a map of 625 places by brute force,
in batches of whichever of --batch 5,25,125 is quickest.
Exits with 77 where torch, or torchvision for a net of its own, is missing.
"""
import argparse
import pathlib
import sys

from serve import fastest, serve

try:
    import torch
    from torch import nn
    import pytorch_deconvnet
except ImportError:
    sys.exit(77)

WAYS = ["channels_last",  # memory in the order n h w c
        "frozen",         # traced, frozen and fused for inference
        "gradient"]       # projections by a convolution's gradient, rather than a transposed one
SQUARE, STRIDE = 32, 8  # of the occlusion map


class RoundUpPool(nn.MaxPool2d):
    def __init__(self):
        super().__init__(3, 2, ceil_mode=True)


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


def autocast(options):
    """bf16 where PyTorch has it: not in the normalisation, so that a whole net cannot be bf16."""
    return torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16",
                          cache_enabled=False)


def laid_out(thing, options):
    """A model or a tensor in the memory format that is asked for."""
    channels_last = "channels_last" in options.how
    return thing.to(memory_format=torch.channels_last) if channels_last else thing


def forward_run(model, x, options):
    model.eval()
    if "frozen" in options.how:
        torch.jit.set_fusion_strategy([("STATIC", 0)])  # Debian's 2.6 compiles loops for minutes
        with autocast(options), torch.inference_mode():
            model = torch.jit.optimize_for_inference(torch.jit.trace(model, x, check_trace=False))

    def run():
        with torch.inference_mode(), autocast(options):
            return torch.softmax(model(x), 1)
    return run


def train_run(model, x, options):
    labels = torch.arange(x.shape[0]) % 1000
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    fused = {"fused": True} if version >= (2, 4) else {}
    step = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4, **fused)
    loss = nn.CrossEntropyLoss()
    model.train()

    def run():
        step.zero_grad(set_to_none=True)
        with autocast(options):
            error = loss(model(x), labels)
        error.backward()
        step.step()
    return run


def occlude_run(model, picture, options):
    """A map: the probability of a class with each place of the picture in turn hidden."""
    places = [(y, x) for y in range(0, picture.shape[2] - SQUARE + 1, STRIDE)
              for x in range(0, picture.shape[3] - SQUARE + 1, STRIDE)]

    def by_batches_of(batch):
        hidden = laid_out(torch.empty(batch, *picture.shape[1:]), options)
        forward = forward_run(model, hidden, options)

        def run():
            answers = []
            for first in range(0, len(places), batch):
                hidden.copy_(picture)
                for i, (y, x) in enumerate(places[first:first + batch]):
                    hidden[i, :, y:y + SQUARE, x:x + SQUARE] = 0
                answers.append(forward()[:, 0])
            return torch.cat(answers)[:len(places)]
        return forward, run
    made = {batch: by_batches_of(batch) for batch in options.batch}
    best = fastest({batch: lambda f=forward, n=batch: [f() for _ in range(max(options.batch) // n)]
                    for batch, (forward, _) in made.items()})
    options.how.append(f"batches of {best}")
    return made[best][1]


def project_run(model, x, options):
    once = pytorch_deconvnet.project_run(model, x, options.mode == "back",
                                         "gradient" in options.how)

    def run():
        with autocast(options):
            once()
    return run


def blas():
    """The libraries of matrix products that are in use: paths, or what the build names."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if "/" in line}
    found = sorted(path for path in paths if any(
        word in pathlib.Path(path).name for word in ("blas", "blis", "mkl_")))
    return found + ["mkl"] * ("BLAS_INFO=mkl" in torch.__config__.show())


MODES = {"forward": forward_run, "train": train_run, "project": project_run, "back": project_run,
         "occlude": occlude_run}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=list(NETS), default="zfnet")
    parser.add_argument("--mode", choices=list(MODES), default="forward")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--how", type=lambda text: [word for word in text.split(",") if word],
                        default=[], help=", ".join(WAYS))
    parser.add_argument("--batch", type=lambda text: [int(n) for n in text.split(",")],
                        default=[64])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    unknown = set(options.how) - set(WAYS)
    if unknown:
        parser.error(f"there is no way {sorted(unknown)[0]!r}")

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    make, side = NETS[options.net]
    images = 1 if options.mode == "occlude" else options.batch[0]
    model, x = laid_out(make(), options), laid_out(torch.randn(images, 3, side, side), options)
    run = MODES[options.mode](model, x, options)
    warm = {"warm_up": 0} if options.mode == "occlude" else {}  # the search for a batch was enough
    serve(run, **warm, version=torch.__version__.split("+")[0], blas=blas(), how=options.how)


if __name__ == "__main__":
    main()
