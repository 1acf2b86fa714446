# SPDX-License-Identifier: MIT
"""One activation an image, from the fifth convolution of ZFNet down to pixels, in PyTorch.

By hand, several times as fast as by autograd's hooks. Everything below the activation is computed,
zeros or not. What comes down through the normalisation is passed, as in the paper.
"""
import torch
from torch import nn
from torch.nn import functional as F

UP_TO_CONV5 = 14  # modules of zfnet() up to and with the fifth convolution


def seed_of(top):
    """One activation an image: the middle of another map in each."""
    seed = torch.zeros_like(top)
    for i in range(top.shape[0]):
        seed[i, i % top.shape[1], top.shape[2] // 2, top.shape[3] // 2] = 1
    return seed


def project_run(model, x, without_the_way_there, as_gradient):
    """The leanest way: no autograd, and each layer's way down is one operation. as_gradient takes a
    convolution's gradient in place of the transposed convolution."""
    modules = list(model)[:UP_TO_CONV5]

    def up():
        value, kept = x, []
        for module in modules:
            below, switches = value, None
            if isinstance(module, nn.MaxPool2d):
                value, switches = F.max_pool2d(value, 3, 2, ceil_mode=True, return_indices=True)
            else:
                value = module(value)
            kept.append((below, switches))
        return value, kept

    def down_through(conv, signal, below):
        if as_gradient:
            return torch.ops.aten.convolution_backward(
                signal, below, conv.weight, None, conv.stride, conv.padding, (1, 1), False, (0, 0),
                1, (True, False, False))[0]
        signal = F.conv_transpose2d(signal, conv.weight, None, conv.stride, conv.padding)
        return F.pad(signal, (0, below.shape[3] - signal.shape[3],
                              0, below.shape[2] - signal.shape[2]))

    def down(signal, kept):
        for module, (below, switches) in zip(reversed(modules), reversed(kept)):
            if isinstance(module, nn.Conv2d):
                signal = down_through(module, signal, below)
            elif isinstance(module, nn.MaxPool2d):
                signal = torch.ops.aten.max_pool2d_with_indices_backward(
                    signal, below, (3, 3), (2, 2), (0, 0), (1, 1), True, switches)
            elif isinstance(module, nn.ReLU):
                signal = signal.clamp_(min=0)
            elif isinstance(module, nn.ZeroPad2d):
                signal = signal[:, :, :-1, :-1]
        return signal

    with torch.inference_mode():
        top, kept = up()
        seed = seed_of(top)

    def run():
        with torch.inference_mode():
            return down(seed, kept if without_the_way_there else up()[1])
    return run
