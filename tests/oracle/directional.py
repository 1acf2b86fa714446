#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Gradients held against how a model's answer changes, by ONNX's reference evaluator in double.

    tests/oracle/directional.py        (needs python3-onnx)

Reads lines of MODEL.onnx, X.npy, GRADIENT.npy and which number of the first output, apart by tabs. Writes for
each how far gradient times direction is from the change in that direction, in parts of the gradient's length:
the median of five directions, since on the way to one of them a maximum can change places. A dash and a reason
where the evaluator cannot compute the model.
"""
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from in_double import in_double

STEP = 1e-7


def away(path, x, gradient, number):
    model = in_double(onnx.load(path))
    stored = {tensor.name for tensor in model.graph.initializer}
    picture = next(value.name for value in model.graph.input if value.name not in stored)
    evaluator = ReferenceEvaluator(model)
    answer = lambda x: evaluator.run(None, {picture: x})[0].ravel()[number]
    rng, found = np.random.RandomState(0), []
    for _ in range(5):
        direction = rng.normal(size=x.shape)
        change = (answer(x + STEP * direction) - answer(x - STEP * direction)) / (2 * STEP)
        length = max(np.linalg.norm(gradient), abs(change), 1e-3)
        found.append(abs(change - (gradient * direction).sum()) / length)
    return float(np.median(found))


for line in sys.stdin:
    path, x, gradient, number = line.rstrip("\n").split("\t")
    try:
        print("%.3e" % away(path, np.load(x).astype(np.float64), np.load(gradient).astype(np.float64), int(number)), flush=True)
    except Exception as reason:  # its own have no common base
        print("-", str(reason).replace("\n", " ")[:150], flush=True)
