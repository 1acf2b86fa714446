#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold zfscope against PyTorch: the paper's nets, written a second time, in float64.

The layers below come from figure 3 and section 3 of Zeiler & Fergus 2013 and share nothing with
the library but file formats. driver.c runs the library; this script makes the weights and inputs,
computes what should come out, and compares. See README.md for what is compared and how closely.

usage: oracle.py DRIVER [--seed N] [--keep DIR]
Exits 0 when all agrees, 1 when something does not, 77 (skipped) without PyTorch.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Threads that spin at barriers, here and in the library, take minutes on a machine that is busy.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}; on Debian: apt-get install python3-torch python3-numpy")
    sys.exit(77)

FORWARD, DOWN, LOSS = 1e-5, 1e-4, 1e-3  # bounds: relative L2; the last is |a - b| / |b|
NEAR_TIE = 1e-5  # two values this close, in units of the layer's largest, may rank either way


# ---- The nets. Each layer is (name, kind, numbers). ----

def zeiler_fergus(conv1, conv2, maps, fc, classes):
    """conv1, conv2: (maps, kernel, stride, pad). Both, and all pools, round up."""
    def conv(name, maps, kernel, stride=1, pad=0, up=False):
        return (name, "conv", dict(maps=maps, kernel=kernel, stride=stride, pad=pad, up=up))

    layers = []
    for i, c in ((1, conv1), (2, conv2)):
        layers += [conv(f"conv{i}", *c, up=True), (f"relu{i}", "relu", {}),
                   (f"pool{i}", "pool", {}), (f"norm{i}", "norm", {})]
    for i, m in zip((3, 4, 5), maps):
        layers += [conv(f"conv{i}", m, 3, pad=1), (f"relu{i}", "relu", {})]
    layers.append(("pool5", "pool", {}))
    for i, units in zip((6, 7), fc):
        layers += [(f"fc{i}", "fc", dict(maps=units)), (f"relu{i}", "relu", {}),
                   (f"drop{i}", "drop", {})]
    return layers + [("fc8", "fc", dict(maps=classes)), ("prob", "softmax", {})]


ZFNET = zeiler_fergus((96, 7, 2, 0), (256, 5, 2, 0), (384, 384, 256), (4096, 4096), 1000)
ALEXNET = zeiler_fergus((96, 11, 4, 0), (256, 5, 1, 2), (384, 384, 256), (4096, 4096), 1000)
# Not built in: its spec is written here. Odd sizes, so that nothing fits a vector's width.
SMALL = zeiler_fergus((13, 7, 2, 0), (21, 5, 1, 2), (18, 23, 17), (65, 33), 10)


def spec_text(name, layers, shape):
    """The same net as a spec, for a net that is not built in."""
    text = [f"[net]\nname = {name}\ninput = {'x'.join(map(str, shape))}\nclasses = "
            f"{layers[-2][2]['maps']}\n"]
    for layer, kind, a in layers:
        text.append(f"[{layer}]\ntype = " + {"pool": "maxpool", "norm": "lrn",
                                             "drop": "dropout"}.get(kind, kind))
        if kind == "conv":
            text.append(f"maps = {a['maps']}\nkernel = {a['kernel']}\nstride = {a['stride']}\n"
                        f"pad = {a['pad']}\nround = {'up' if a['up'] else 'down'}")
        elif kind == "fc":
            text.append(f"maps = {a['maps']}")
        elif kind == "pool":
            text.append("kernel = 3\nstride = 2\nround = up")
        text.append("")
    return "\n".join(text)


# ---- Forward, and the way down. ----

def conv_pads(n, a):
    """Zeros before and after a side of n: rounding up makes the last window overhang."""
    rest = (n + 2 * a["pad"] - a["kernel"]) % a["stride"]
    return a["pad"], a["pad"] + (a["stride"] - rest if a["up"] and rest else 0)


class Pass:
    """One forward pass. `values` by layer; `switches` by pool, as places in its input.

    given  activations to take the place of the computed ones, so that both sides decide alike at
           rectifiers and pools; gradients flow as if nothing had been replaced
    """

    def __init__(self, layers, parameters, x, given=None):
        self.layers, self.parameters, self.input = layers, parameters, x
        self.values, self.inputs, self.switches = {}, {}, {}
        for name, kind, a in layers:
            self.inputs[name] = x
            target = given.get(name) if given else None
            w, b = parameters.get(name + ".weight"), parameters.get(name + ".bias")
            if kind == "conv":
                pads = conv_pads(x.shape[3], a) + conv_pads(x.shape[2], a)
                x = F.conv2d(F.pad(x, pads), w, b, a["stride"])
            elif kind == "relu":
                x = x * ((x if target is None else target) > 0)
            elif kind == "pool":
                x, self.switches[name] = F.max_pool2d(x, 3, 2, ceil_mode=True,
                                                      return_indices=True)
            elif kind == "norm":
                x = F.local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0)
            elif kind == "fc":
                x = F.linear(x.flatten(1), w, b)[:, :, None, None]
            elif kind == "softmax":
                x = F.softmax(x, dim=1)
            if target is not None:
                x = x + (target - x).detach()
            self.values[name] = x

    def loss(self, labels):
        return F.cross_entropy(self.values["fc8"].flatten(1), labels)

    def project(self, top, signal, rule):
        """Section 2.1: unpool, rectify, filter with the transposed weights, down to the pixels."""
        names = [layer[0] for layer in self.layers]
        for name, kind, a in reversed(self.layers[:names.index(top) + 1]):
            below = self.inputs[name]
            if kind == "conv":
                (n, c, h, w), pad = below.shape, a["pad"]
                padded = (n, c, h + sum(conv_pads(h, a)), w + sum(conv_pads(w, a)))
                # The transposed convolution; conv_transpose2d() is the same, 20 times slower.
                signal = torch.nn.grad.conv2d_input(padded, self.parameters[name + ".weight"],
                                                    signal, a["stride"])
                signal = signal[:, :, pad:pad + h, pad:pad + w]
            elif kind == "relu":
                if rule in ("gradient", "guided"):
                    signal = signal * (self.values[name] > 0)
                if rule in ("deconvnet", "guided"):
                    signal = signal.clamp(min=0)
            elif kind == "pool":
                flat = torch.zeros_like(below).flatten(2)
                flat.scatter_add_(2, self.switches[name].flatten(2), signal.flatten(2))
                signal = flat.view_as(below)
            elif kind == "fc":
                signal = (signal.flatten(1) @ self.parameters[name + ".weight"]).view_as(below)
        return signal


def draw_parameters(layers, shape, rng):
    """He et al.'s deviation keeps deep activations of a size where relative errors mean something;
    the last layer is damped so that no probability is close to 1. Biases are not 0."""
    parameters = {}
    c, h, w = shape
    for name, kind, a in layers:
        if kind == "conv":
            fan_in, dims = c * a["kernel"] ** 2, (a["maps"], c, a["kernel"], a["kernel"])
            h, w = ((n + sum(conv_pads(n, a)) - a["kernel"]) // a["stride"] + 1 for n in (h, w))
            c = a["maps"]
        elif kind == "pool":
            h, w = (-(-(n - 3) // 2) + 1 for n in (h, w))
            continue
        elif kind == "fc":
            fan_in, dims = c * h * w, (a["maps"], c * h * w)
            c, h, w = a["maps"], 1, 1
        else:
            continue
        deviation = (2 / fan_in) ** 0.5 * (0.1 if name == "fc8" else 1)
        weight = rng.standard_normal(dims, dtype=np.float32) * np.float32(deviation)
        parameters[name + ".weight"] = weight
        parameters[name + ".bias"] = rng.standard_normal(a["maps"], dtype=np.float32) / 10
    return parameters


def sgd_step(parameters, gradients, velocity, rates):
    """Section 3: momentum; decay on weights; then the RMS rule on each convolution filter."""
    lr, momentum, decay, limit = rates
    with torch.no_grad():
        for name, p in parameters.items():
            g = gradients[name] + decay * p if name.endswith(".weight") else gradients[name]
            velocity[name] = momentum * velocity[name] - lr * g
            p += velocity[name]
            if p.dim() == 4:
                rms = p.pow(2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
                p *= torch.where(rms > limit, limit / rms, torch.ones_like(rms))


# ---- Files. ----

def write_safetensors(path, spec, tensors):
    header, at = {"__metadata__": {"zfscope.spec": spec}}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + t.nbytes]}
        at += t.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(np.ascontiguousarray(t, "<f4").tobytes())


def read_safetensors(path):
    data = Path(path).read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    return {name: np.frombuffer(data, "<f4", offset=8 + length + t["data_offsets"][0],
                                count=int(np.prod(t["shape"]))).reshape(t["shape"])
            for name, t in header.items()}


def wide(array):
    return torch.from_numpy(np.asarray(array, dtype=np.float64))


# ---- The comparison. ----

class Judge:
    def __init__(self):
        self.failures, self.checks, self.worst = 0, 0, {}

    def bound(self, what, kind, error, limit):
        self.checks += 1
        if not error <= limit:  # NaN fails
            self.failures += 1
            print(f"FAILED  {what}: {kind} {error:.3g}, more than {limit:g}")
        self.worst[kind] = max(self.worst.get(kind, (0, "")), (float(error), what))

    def l2(self, what, kind, got, expected, limit):
        got, expected = (wide(a.detach() if torch.is_tensor(a) else a) for a in (got, expected))
        if got.numel() != expected.numel():
            self.failures += 1
            print(f"FAILED  {what}: shapes {tuple(got.shape)} and {tuple(expected.shape)}")
            return
        size = float(expected.norm())
        error = float((got.flatten() - expected.flatten()).norm()) / size if size else np.inf
        self.bound(what, kind, error, limit)

    def equal(self, what, good):
        self.checks += 1
        if not good:
            self.failures += 1
            print(f"FAILED  {what}")

    def report(self):
        for kind, (error, what) in sorted(self.worst.items()):
            print(f"worst {kind:12s} {error:.2e}  {what}")
        print(f"{self.checks} checks, {self.failures} failed")
        return 1 if self.failures else 0


class Subject:
    """One net on one engine: its files, and the library's answers."""

    def __init__(self, driver, judge, folder, engine, name, layers, shape, seed):
        self.driver, self.judge, self.engine, self.layers = driver, judge, engine, layers
        self.title, self.shape = f"{name} on {engine}", shape
        # Of gradients and projections, whose bound is wide enough; float64 takes ten times longer.
        self.dtype = torch.float64 if name == "small" else torch.float32
        self.folder = folder / f"{name}-{engine}"
        self.folder.mkdir()
        self.seed, self.rng = seed, np.random.default_rng(seed)
        self.start = draw_parameters(layers, shape, self.rng)
        if name in ("zfnet", "alexnet"):
            self.run("spec", name, self.folder / "net.ini")
            self.spec = (self.folder / "net.ini").read_text()
        else:
            self.spec = spec_text(name, layers, shape)
        self.model = self.folder / "model.safetensors"
        write_safetensors(self.model, self.spec, self.start)
        # What the library decides by, which it must let us see; the others stay fused.
        self.seen = [n for n, kind, _ in layers if kind not in ("conv", "fc", "drop")] + ["fc8"]

    def run(self, *arguments):
        done = subprocess.run([self.driver, *map(str, arguments)], stderr=subprocess.PIPE,
                              text=True)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, arguments))}\nexit {done.returncode}: {done.stderr}")

    def load(self, kind, name):
        return np.load(self.folder / f"{kind}.{name}.npy")

    def save(self, kind, array):
        path = self.folder / f"{kind}.npy"
        np.save(path, np.asarray(array, dtype=np.float32))
        return path

    def forced_pass(self, x, seen, parameters):
        """PyTorch's pass at the activations of the library that were written last."""
        given = {name: wide(self.load("activation", name)).to(self.dtype) for name in seen}
        return Pass(self.layers, parameters, wide(x).to(self.dtype), given)

    def parameters(self, dtype=torch.float64):
        return {name: wide(p).to(dtype) for name, p in self.start.items()}

    def images(self, count):
        x = self.rng.normal(0, 50, (count, *self.shape)).clip(-128, 128)
        return x.astype(np.float32)


def check_forward(s, x):
    """Every layer's output, with and without the fusing of rectifiers."""
    expected = Pass(s.layers, s.parameters(), wide(x))
    names = [layer[0] for layer in s.layers]
    path = s.save("input", x)
    s.run("forward", s.engine, s.model, path, s.folder, *names)
    for name in names:
        s.judge.l2(f"{s.title}: {name}", "forward", s.load("activation", name),
                   expected.values[name], FORWARD)
    s.run("forward", s.engine, s.model, path, s.folder, "prob")
    s.judge.l2(f"{s.title}: prob alone", "forward", s.load("activation", "prob"),
               expected.values["prob"], FORWARD)
    return expected


def check_decisions(s, expected, forced):
    """Switches and rectifiers are equal, save where float32 cannot tell two values apart."""
    for name, kind, _ in s.layers:
        x, y = expected.inputs[name], forced.inputs[name]
        slack = NEAR_TIE * float(x.abs().max())
        if kind == "pool":
            mine, theirs = expected.switches[name].flatten(2), forced.switches[name].flatten(2)
            lost = x.flatten(2).gather(2, mine) - x.flatten(2).gather(2, theirs)
            s.judge.bound(f"{s.title}: switches of {name}", "switch", float(lost.max()), slack)
            differ = int((mine != theirs).sum())
        elif kind == "relu":
            other = (expected.values[name] > 0) != (forced.values[name] > 0)
            differ = int(other.sum())
            margin = float((x.abs() * other).max())
            s.judge.bound(f"{s.title}: signs of {name}", "sign", margin, slack)
        else:
            continue
        if differ:
            print(f"note    {s.title}: {name}: {differ} near ties decided the other way")


def check_switches(s, forced):
    """Unpooling through nets of a single pool: every value must return to PyTorch's switch, and
    where windows share one the values add up. Whole numbers, so that sums are exact; inputs that
    are mostly ties."""
    for name in ("pool1", "pool2", "pool5"):
        x = forced.inputs[name].numpy()
        coarse = np.round(x / x.max() * 4)
        for kind, data in (("", x), (" with ties", coarse)):
            data = data.astype(np.float32)
            expected = Pass([("pool", "pool", {})], {}, wide(data))
            shape = expected.values["pool"].shape
            values = s.rng.integers(1, 1 << 20, shape)
            spec = (f"[net]\nname = pool\ninput = {'x'.join(map(str, x.shape[1:]))}\n"
                    "[pool]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n")
            model = s.folder / "pool.safetensors"
            write_safetensors(model, spec, {})
            s.save("places.pool", np.column_stack([*np.indices(shape).reshape(4, -1),
                                                   values.ravel()]))
            s.run("project", s.engine, model, s.save("input", data), s.folder, "deconvnet", "pool")
            unpooled = expected.project("pool", wide(values), "deconvnet").numpy()
            s.judge.equal(f"{s.title}: switches of {name}{kind}",
                          np.array_equal(s.load("projection", "pool"), unpooled))


def check_projections(s, x, plain, tops):
    """All three rules, from the strongest activation of each image and two more of the first.
    plain: the pass over x. Returns the same at the library's activations."""
    places = {}
    path = s.save("input", x)
    for top in tops:
        v = plain.values[top]
        chosen = [(n, *np.unravel_index(int(v[n].argmax()), v.shape[1:])) for n in range(len(x))]
        while len(chosen) < len(x) + 2:
            place = (0, *(int(s.rng.integers(extent)) for extent in v.shape[1:]))
            if v[place] != 0 and place not in chosen:
                chosen.append(place)
        places[top] = chosen
        s.save(f"places.{top}", [(*map(int, p), np.nan) for p in chosen])
    forced = None
    for rule in ("deconvnet", "gradient", "guided"):
        s.run("project", s.engine, s.model, path, s.folder, rule,
              *dict.fromkeys(s.seen[:-2] + tops))
        if forced is None:
            forced = s.forced_pass(x, s.seen[:-2], s.parameters(s.dtype))
            check_decisions(s, plain, forced)
        for top in tops:
            signal = torch.zeros_like(forced.values[top])
            activation = torch.from_numpy(s.load("activation", top))
            for place in places[top]:
                signal[place] = activation[place]
            s.judge.l2(f"{s.title}: {rule} from {top}", "projection", s.load("projection", top),
                       forced.project(top, signal, rule), DOWN)
    for top in tops:
        (s.folder / f"places.{top}.npy").unlink()
    return forced


def expected_losses(s, x, labels, rates):
    """Of the first steps, by PyTorch alone."""
    batch, losses = labels.shape[1], []
    parameters = {name: p.requires_grad_() for name, p in s.parameters(s.dtype).items()}
    velocity = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for i, row in enumerate(torch.from_numpy(labels)):
        loss = Pass(s.layers, parameters, wide(x[i * batch:(i + 1) * batch]).to(s.dtype)).loss(row)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        sgd_step(parameters, dict(zip(parameters, gradients)), velocity, rates)
        losses.append(float(loss.detach()))
    return losses


def check_training(s, x, labels, rates, expected):
    """Gradients of the first step at the library's own activations; the losses of all steps from
    equal weights and equal batches."""
    s.save("labels", labels)
    s.run("train", s.engine, s.model, s.save("input", x), s.folder, ",".join(map(str, rates)),
          *s.seen)
    parameters = {name: p.requires_grad_() for name, p in s.parameters(s.dtype).items()}
    forced = s.forced_pass(x[:labels.shape[1]], s.seen, parameters)
    loss = forced.loss(torch.from_numpy(labels[0]))
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    for name, gradient in zip(parameters, gradients):
        s.judge.l2(f"{s.title}: gradient of {name}", "gradient", s.load("gradient", name),
                   gradient, DOWN)
    losses = s.load("loss", "all").ravel()
    for i, loss in enumerate(expected):
        s.judge.bound(f"{s.title}: loss of step {i + 1} ({loss:.4f})", "loss",
                      abs(losses[i] - loss) / loss, LOSS)
    return losses


def check_step(s, x, labels, rates):
    """One step, from the library's own gradients: the update by itself, and the writing of
    models."""
    s.save("labels", labels[:1])
    s.run("train", s.engine, s.model, s.save("input", x), s.folder, ",".join(map(str, rates)),
          *s.seen)
    parameters = s.parameters()
    gradients = {name: wide(s.load("gradient", name)).view_as(p) for name, p in parameters.items()}
    sgd_step(parameters, gradients, {name: torch.zeros_like(p) for name, p in parameters.items()},
             rates)
    trained = read_safetensors(s.folder / "trained.safetensors")
    limited = 0
    for name, p in parameters.items():
        moved = p - wide(s.start[name])
        s.judge.l2(f"{s.title}: step of {name}", "step", wide(trained[name]) - wide(s.start[name]),
                   moved, FORWARD * float(p.norm() / moved.norm()))
        if p.dim() == 4:
            limited += int((p.pow(2).mean(dim=(1, 2, 3)).sqrt() > rates[3] * (1 - 1e-9)).sum())
    s.judge.equal(f"{s.title}: the RMS rule had filters to scale back", limited > 0)


def learnable(s, steps, batch):
    """A coarse pattern for each class under some noise, for training at a small rate. In 100 steps
    of 1600 images some near tie is decided the other way, and what becomes of that is up to the
    rate: at 3e-4 the loss falls and stays within 1e-4; at 1e-3 training is chaotic, and even
    PyTorch in float32 parts from itself in float64 by 1e-2."""
    rng = np.random.default_rng([s.seed, 1])  # whatever was drawn before
    classes, (c, h, w) = s.layers[-2][2]["maps"], s.shape
    patterns = rng.normal(0, 4, (classes, c, 5, 5)).repeat(-(-h // 5), 2).repeat(-(-w // 5), 3)
    labels = rng.integers(0, classes, (steps, batch))
    x = patterns[labels.ravel(), :, :h, :w] + rng.normal(0, 1.2, (steps * batch, c, h, w))
    return x.astype(np.float32), labels


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("driver")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, help="an empty folder to leave the files in")
    options = arguments.parse_args()
    torch.set_default_dtype(torch.float64)
    judge = Judge()
    engines = subprocess.run([options.driver, "engines"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split()
    with tempfile.TemporaryDirectory(prefix="zf-oracle-") as scratch:
        folder = options.keep or Path(scratch)

        def subject(engine, name, layers, shape):
            print(f"        {name} on {engine}  ({time.perf_counter() - start:.0f} s)", flush=True)
            return Subject(options.driver, judge, folder, engine, name, layers, shape, options.seed)

        start = time.perf_counter()
        rates = (3e-4, 0.9, 5e-4, 0.1)  # rate, momentum, decay, RMS limit
        expected = None  # the same for every engine
        for engine in engines:
            s = subject(engine, "small", SMALL, (3, 40, 45))
            x = s.images(3)
            plain = check_forward(s, x)
            forced = check_projections(s, x, plain, s.seen[:-2] + ["conv3", "fc7", "fc8"])
            check_switches(s, forced)
            x, labels = learnable(s, 100, 16)
            expected = expected or expected_losses(s, x, labels, rates)
            losses = check_training(s, x, labels, rates, expected)
            before, after = losses[:10].mean(), losses[-10:].mean()
            judge.equal(f"{s.title}: the loss falls ({before:.2f} to {after:.2f})",
                        after < 0.85 * before)
            check_step(s, x[:16], labels, (0.1, 0.9, 0.1, 0.1))  # decay that shows
        if "onednn" not in engines:
            print("skipped: the full nets, which take oneDNN")
            sys.exit(judge.report())
        for name, layers in (("zfnet", ZFNET), ("alexnet", ALEXNET)):
            s = subject("onednn", name, layers, (3, 224, 224))
            x = s.images(2)
            plain = check_forward(s, x)
            forced = check_projections(s, x, plain, ["norm1", "relu5", "fc8"])
            if name == "zfnet":
                check_switches(s, forced)
            del plain, forced
            x, labels = s.images(8), s.rng.integers(0, 1000, (4, 2))
            gentle = (2e-7, *rates[1:])  # the inputs span [-128, 128]
            check_training(s, x, labels, gentle, expected_losses(s, x, labels, gentle))
        print(f"{time.perf_counter() - start:.0f} s")
    sys.exit(judge.report())


if __name__ == "__main__":
    main()
