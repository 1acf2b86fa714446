#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an ONNX model answers when all its numbers are double, by ONNX's own reference evaluator.

    tests/oracle/in_double.py MODEL.onnx X.npy OUT.npz        (needs python3-onnx)

To tell whose rounding it is when two float32 computations differ. A program of its own: the evaluator wants
each operator registered once, and ONNX Runtime, in the same process, registers them too.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


def widen(tensor):
    if tensor.data_type in FLOATS:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def in_double(model):
    """In place: constants and casts become double; Resize's region and scales are float32 by its definition."""
    graph = model.graph
    narrow = {name for node in graph.node if node.op_type in ("Resize", "Upsample") for name in node.input[1:3]}
    for tensor in graph.initializer:
        if tensor.name not in narrow:
            widen(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and node.output[0] not in narrow:
                widen(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
                attribute.i = TensorProto.DOUBLE
    for value in list(graph.input) + list(graph.output) + list(graph.value_info):
        if value.type.tensor_type.elem_type in FLOATS:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return model


def main():
    model = in_double(onnx.load(sys.argv[1]))
    stored = {tensor.name for tensor in model.graph.initializer}
    picture = next(value.name for value in model.graph.input if value.name not in stored)
    answers = ReferenceEvaluator(model).run(None, {picture: np.load(sys.argv[2]).astype(np.float64)})
    np.savez(sys.argv[3], **{"y%d" % k: y for k, y in enumerate(answers)})


if __name__ == "__main__":
    main()
