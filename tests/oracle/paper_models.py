#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds nets built to the papers, exported to ONNX by PyTorch, against PyTorch itself.

    tests/oracle/paper_models.py build/cli/zfscope [--opset 13] [--keep DIR] [NAME...]

Blocks as timm has them, few and narrow, with weights drawn and batch statistics moved away from 0 and 1. As in
torchvision_models.py the output and the gradient of its largest number at the picture are compared with PyTorch's
in float64 (relative L2 1e-4 each; printed is how far they are). Nets of several outputs are compared in each. Exits 1
where one is further off, 77 where PyTorch is missing. About a minute.
"""
import argparse
import os
import sys
import tempfile
import warnings

from torchvision_models import distance, zfscope

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
BOUND, SIDE = 1e-4, 64


def conv(i, o, k=3, s=1, groups=1, act=nn.ReLU, norm=True):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=not norm)]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(o)] if norm else []), *([act()] if act else []))


def classifier(c, classes=10):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes))


class Residual(nn.Module):
    """act(body(x) + shortcut(x))"""

    def __init__(self, body, shortcut=None, act=None):
        super().__init__()
        self.body, self.shortcut, self.act = body, shortcut or nn.Identity(), act or nn.Identity()

    def forward(self, x):
        return self.act(self.body(x) + self.shortcut(x))


class Squeeze(nn.Module):
    def __init__(self, c, reduced, act=nn.ReLU, gate=nn.Sigmoid):
        super().__init__()
        self.reduce, self.act, self.expand, self.gate = nn.Conv2d(c, reduced, 1), act(), nn.Conv2d(reduced, c, 1), gate()

    def forward(self, x):
        return x * self.gate(self.expand(self.act(self.reduce(x.mean((2, 3), keepdim=True)))))


def regnet():  # Radosavovic et al. 2020: group widths of 8, squeeze and excitation
    def block(i, o, s):
        body = nn.Sequential(conv(i, o, 1), conv(o, o, 3, s, groups=o // 8), Squeeze(o, i // 4), conv(o, o, 1, act=None))
        return Residual(body, conv(i, o, 1, s, act=None) if s > 1 or i != o else None, nn.ReLU())
    return nn.Sequential(conv(3, 16, 3, 2), block(16, 24, 2), block(24, 24, 1), block(24, 56, 2), classifier(56))


def resnext():  # Xie et al. 2017: bottlenecks of 8 groups
    def block(i, o, s):
        body = nn.Sequential(conv(i, o // 2, 1), conv(o // 2, o // 2, 3, s, groups=8), conv(o // 2, o, 1, act=None))
        return Residual(body, conv(i, o, 1, s, act=None) if s > 1 or i != o else None, nn.ReLU())
    return nn.Sequential(conv(3, 32, 7, 2), nn.MaxPool2d(3, 2, 1), block(32, 64, 1), block(64, 64, 1), block(64, 128, 2), classifier(128))


class Ghost(nn.Module):  # Han et al. 2020: half of the maps are cheap
    def __init__(self, i, o, act=True):
        super().__init__()
        half = (o + 1) // 2
        self.o, a = o, nn.ReLU if act else None
        self.primary, self.cheap = conv(i, half, 1, act=a), conv(half, half, 3, groups=half, act=a)

    def forward(self, x):
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], 1)[:, :self.o]


def ghostnet():
    def block(i, middle, o, s):
        down = [conv(middle, middle, 5, s, groups=middle, act=None)] if s > 1 else []
        body = nn.Sequential(Ghost(i, middle), *down, Squeeze(middle, 8, gate=nn.Hardsigmoid), Ghost(middle, o, False))
        shortcut = nn.Sequential(conv(i, i, 5, s, groups=i, act=None), conv(i, o, 1, act=None)) if s > 1 or i != o else None
        return Residual(body, shortcut)
    return nn.Sequential(conv(3, 16, 3, 2), block(16, 25, 16, 1), block(16, 48, 23, 2), block(23, 60, 24, 2), classifier(24))


class RepVGG(nn.Module):  # Ding et al. 2021: three branches that become one
    def __init__(self, i, o, s):
        super().__init__()
        self.s = s
        self.three, self.one = conv(i, o, 3, s, act=None), conv(i, o, 1, s, act=None)
        self.same = nn.BatchNorm2d(i) if i == o and s == 1 else None

    def forward(self, x):
        y = self.three(x) + self.one(x)
        return F.relu(y + self.same(x) if self.same else y)

    def fused(self):
        def folded(c, norm):
            f = norm.weight / (norm.running_var + norm.eps).sqrt()
            return c * f.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * f
        o, i = self.three[0].weight.shape[:2]
        parts = [folded(self.three[0].weight, self.three[1]), folded(F.pad(self.one[0].weight, [1] * 4), self.one[1])]
        if self.same:
            parts.append(folded(F.pad(torch.eye(i).reshape(i, i, 1, 1), [1] * 4), self.same))
        one = nn.Conv2d(i, o, 3, self.s, 1)
        one.weight.data, one.bias.data = sum(p[0] for p in parts), sum(p[1] for p in parts)
        return nn.Sequential(one, nn.ReLU())


def repvgg():
    return nn.Sequential(RepVGG(3, 16, 2), RepVGG(16, 16, 1), RepVGG(16, 32, 2), RepVGG(32, 32, 1), classifier(32))


def repvgg_deployed():
    net = moved(repvgg())
    return nn.Sequential(*[layer.fused() if isinstance(layer, RepVGG) else layer for layer in net])


class MobileOne(nn.Module):  # Vasu et al. 2023: several equal branches, a scale and a skip
    def __init__(self, i, o, k, s, groups):
        super().__init__()
        self.branches = nn.ModuleList(conv(i, o, k, s, groups, act=None) for _ in range(4))
        self.scale = conv(i, o, 1, s, groups, act=None) if k > 1 else None
        self.skip = nn.BatchNorm2d(i) if i == o and s == 1 else None

    def forward(self, x):
        y = sum(branch(x) for branch in self.branches)
        y = y + self.scale(x) if self.scale else y
        return F.relu(y + self.skip(x) if self.skip else y)


def mobileone():
    def block(i, o, s):
        return nn.Sequential(MobileOne(i, i, 3, s, i), MobileOne(i, o, 1, 1, 1))
    return nn.Sequential(MobileOne(3, 16, 3, 2, 1), block(16, 24, 2), block(24, 24, 1), block(24, 40, 2), classifier(40))


class Same(nn.Conv2d):  # TensorFlow's padding, as timm's tf_ nets have it
    def forward(self, x):
        k, s = self.kernel_size[0], self.stride[0]
        pad = [max((-(-size // s) - 1) * s + k - size, 0) for size in (x.shape[-1], x.shape[-2])]
        return F.conv2d(F.pad(x, [pad[0] // 2, pad[0] - pad[0] // 2, pad[1] // 2, pad[1] - pad[1] // 2]), self.weight, self.bias,
                        self.stride, 0, 1, self.groups)


def efficientnet_v2():  # Tan and Le 2021: fused blocks, then depthwise ones
    def same(i, o, k, s, groups=1, act=True):
        return nn.Sequential(Same(i, o, k, s, groups=groups, bias=False), nn.BatchNorm2d(o, 1e-3), *([nn.SiLU()] if act else []))
    def fused(i, o, s):
        body = nn.Sequential(same(i, 4 * i, 3, s), same(4 * i, o, 1, 1, act=False))
        return Residual(body) if i == o and s == 1 else body
    def block(i, o, s):
        m = 4 * i
        body = nn.Sequential(same(i, m, 1, 1), same(m, m, 3, s, m), Squeeze(m, i // 4, nn.SiLU), same(m, o, 1, 1, act=False))
        return Residual(body) if i == o and s == 1 else body
    return nn.Sequential(same(3, 16, 3, 2), fused(16, 24, 2), fused(24, 24, 1), block(24, 32, 2), block(32, 32, 1), classifier(32))


def mobilenet_v4():  # Qin et al. 2024: the universal inverted bottleneck in its four forms
    def block(i, o, s, start, middle, expand=4):
        m = i * expand
        parts = [conv(i, i, start, 1 if middle else s, i, act=None)] if start else []
        parts += [conv(i, m, 1)] + ([conv(m, m, middle, s, m)] if middle else []) + [conv(m, o, 1, act=None)]
        body = nn.Sequential(*parts)
        return Residual(body) if i == o and s == 1 else body
    return nn.Sequential(conv(3, 16, 3, 2), block(16, 24, 2, 5, 5), block(24, 24, 1, 3, 0), block(24, 24, 1, 0, 3), block(24, 24, 1, 0, 0),
                         classifier(24))


class ECA(nn.Module):  # Wang et al. 2020: a convolution over the maps' means
    def __init__(self, k=3):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False)

    def forward(self, x):
        y = self.conv(x.mean((2, 3)).view(x.shape[0], 1, -1))
        return x * torch.sigmoid(y).view(x.shape[0], -1, 1, 1)


def eca_resnet():
    def block(i, o, s):
        body = nn.Sequential(conv(i, o, 3, s), conv(o, o, 3, act=None), ECA())
        return Residual(body, conv(i, o, 1, s, act=None) if s > 1 or i != o else None, nn.ReLU())
    return nn.Sequential(conv(3, 16, 7, 2), nn.MaxPool2d(3, 2, 1), block(16, 16, 1), block(16, 32, 2), classifier(32))


class BlurPool(nn.Module):  # Zhang 2019
    def __init__(self, c):
        super().__init__()
        row = torch.tensor([1.0, 2, 1]) / 4
        self.register_buffer("filter", (row[:, None] * row)[None, None].repeat(c, 1, 1, 1))

    def forward(self, x):
        return F.conv2d(F.pad(x, [1] * 4, mode="reflect"), self.filter, stride=2, groups=x.shape[1])


def blurpool_resnet():
    def block(i, o, s):
        body = nn.Sequential(conv(i, o, 3), *([BlurPool(o)] if s > 1 else []), conv(o, o, 3, act=None))
        shortcut = nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), conv(i, o, 1, act=None)) if s > 1 else None
        return Residual(body, shortcut, nn.ReLU())
    return nn.Sequential(conv(3, 16, 7, 2), nn.MaxPool2d(3, 1, 1), BlurPool(16), block(16, 16, 1), block(16, 32, 2), classifier(32))


class GRN(nn.Module):  # Woo et al. 2023: global response normalisation, channels last
    def __init__(self, c):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(c) * 0.3), nn.Parameter(torch.randn(c) * 0.3)

    def forward(self, x):
        g = x.norm(p=2, dim=(1, 2), keepdim=True)
        return x + torch.addcmul(self.bias, self.weight, x * (g / (g.mean(-1, keepdim=True) + 1e-6)))


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dw, self.norm = nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c, 1e-6)
        self.mlp = nn.Sequential(nn.Linear(c, 4 * c), nn.GELU(), GRN(4 * c), nn.Linear(4 * c, c))

    def forward(self, x):
        return x + self.mlp(self.norm(self.dw(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


def convnext_v2():
    return nn.Sequential(nn.Conv2d(3, 16, 4, 4), LayerNorm2d(16), ConvNeXtBlock(16), LayerNorm2d(16), nn.Conv2d(16, 24, 2, 2), ConvNeXtBlock(24),
                         nn.AdaptiveAvgPool2d(1), LayerNorm2d(24), nn.Flatten(), nn.Linear(24, 10))


class UNet(nn.Module):  # Ronneberger et al. 2015; up by a transposed convolution, or by a bilinear resize
    def __init__(self, bilinear):
        super().__init__()
        two = lambda i, o: nn.Sequential(conv(i, o), conv(o, o))
        self.down1, self.down2, self.bottom = two(3, 12), two(12, 24), two(24, 32)
        if bilinear:
            self.up2 = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.Conv2d(32, 24, 1))
            self.up1 = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.Conv2d(24, 12, 1))
        else:
            self.up2, self.up1 = nn.ConvTranspose2d(32, 24, 2, 2), nn.ConvTranspose2d(24, 12, 2, 2)
        self.right2, self.right1, self.out = two(48, 24), two(24, 12), nn.Conv2d(12, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        y = self.right2(torch.cat([self.up2(self.bottom(F.max_pool2d(b, 2))), b], 1))
        return self.out(self.right1(torch.cat([self.up1(y), a], 1)))


class SSD(nn.Module):  # Liu et al. 2016: boxes and classes of two scales, joined
    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Sequential(conv(3, 16, 3, 2), conv(16, 24, 3, 2)), conv(24, 32, 3, 2)
        self.boxes = nn.ModuleList(nn.Conv2d(c, 3 * 4, 3, padding=1) for c in (24, 32))
        self.scores = nn.ModuleList(nn.Conv2d(c, 3 * 5, 3, padding=1) for c in (24, 32))

    def forward(self, x):
        a = self.fine(x)
        maps = (a, self.coarse(a))
        rows = lambda heads, n: torch.cat([h(m).permute(0, 2, 3, 1).reshape(x.shape[0], -1, n) for h, m in zip(heads, maps)], 1)
        return rows(self.boxes, 4), rows(self.scores, 5).softmax(-1)


def espcn():  # Shi et al. 2016
    return nn.Sequential(nn.Conv2d(3, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 12, 3, padding=1), nn.Tanh(), nn.Conv2d(12, 3 * 9, 3, padding=1),
                         nn.PixelShuffle(3))


NETS = {f.__name__: f for f in (regnet, resnext, ghostnet, repvgg, repvgg_deployed, mobileone, efficientnet_v2, mobilenet_v4, eca_resnet,
                                blurpool_resnet, convnext_v2, espcn)}
NETS.update(unet=lambda: UNet(False), unet_bilinear=lambda: UNet(True), ssd=SSD)


def moved(net):
    """In evaluation mode, with batch statistics away from 0 and 1."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return net.eval()


def outputs_of(net, x):
    y = net(x)
    return list(y) if isinstance(y, tuple) else [y]


def gradient_of(net, x, which, k):
    """The number k of an output times its gradient at the picture."""
    x = x.detach().requires_grad_()
    value = outputs_of(net, x)[which].reshape(-1)[k]
    value.backward()
    return (value * x.grad).detach().numpy()


def check(name, program, directory, opset):
    """The largest distances of output and gradient over all outputs."""
    torch.manual_seed(0)
    net = moved(NETS[name]())
    x = torch.randn(1, 3, SIDE, SIDE)
    at = lambda suffix: os.path.join(directory, name + suffix)
    count = len(outputs_of(net, x))
    names = ["output%d" % i for i in range(count)]
    torch.onnx.export(net, x, at(".onnx"), opset_version=opset, input_names=["input"], output_names=names)
    np.save(at(".x.npy"), x.numpy())
    worst = [0.0, 0.0]
    for i, output in enumerate(names):
        zfscope(program, "activations", at(".onnx"), at(".x.npy"), "--output", output, "--layer", output, "-o", at(".y.npy"))
        ours, exact = np.load(at(".y.npy")), outputs_of(net.double(), x.double())[i].detach().numpy()
        k = int(np.abs(exact).argmax())
        n, c, row, column = np.unravel_index(k, ours.shape)
        zfscope(program, "project", at(".onnx"), at(".x.npy"), "--output", output, "--layer", output, "--map", str(c), "--at",
                "%d,%d" % (row, column), "--rule", "gradient", "--raw", at(".g.npy"), "-o", at(".png"))
        worst[0] = max(worst[0], distance(ours, exact))
        worst[1] = max(worst[1], distance(np.load(at(".g.npy")), gradient_of(net.double(), x.double(), i, k)))
        net.float()
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope")
    parser.add_argument("names", nargs="*", default=list(NETS))
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--keep", help="leave the models and arrays in this folder")
    asked = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    failures = 0
    for name in asked.names:
        with tempfile.TemporaryDirectory() as scratch:
            directory = asked.keep or scratch
            os.makedirs(directory, exist_ok=True)
            try:
                output, gradient = check(name, asked.zfscope, directory, asked.opset)
                good, line = output <= BOUND and gradient <= BOUND, "output %.1e  gradient %.1e" % (output, gradient)
            except RuntimeError as error:
                good, line = False, str(error)[:400]
        failures += not good
        print("%s  %-18s %s" % ("ok  " if good else "FAIL", name, line), flush=True)
    print("%d of %d nets agree" % (len(asked.names) - failures, len(asked.names)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
