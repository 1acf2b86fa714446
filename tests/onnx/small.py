# SPDX-License-Identifier: MIT
"""What the small models are made with: see make.py."""
import os

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.RandomState(7)
node = helper.make_node
made = []


def picture(shape):
    """Cell i is (i * 37 mod 101) / 50 - 1: no symmetry, and the same in C."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((i * 37 % 101).astype(np.float32) / 50 - 1).reshape(shape)


def weights(*shape, scale=0.5):
    """Few digits, so that the files stay small when looked at; exact in half precision."""
    return (rng.randint(-32, 33, size=shape) / 64.0 * 2 * scale).astype(np.float32)


def positive(*shape):
    return (rng.randint(16, 65, size=shape) / 32.0).astype(np.float32)


def t(array):
    return torch.from_numpy(np.asarray(array))


def tensor(name, array):
    return array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array), name)


def case(name, nodes, constants, expected, layers, opset=13, shape=(1, 3, 6, 5), batch="N", sizes=None,
         extra=None, ir=7, listed=()):
    """nodes read "x" and end in "y"; expected is a function of the torch input."""
    x = picture(shape)
    y = expected(t(x))
    dims = [batch] + list(sizes or shape[1:])
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)] +
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, constants[k].shape) for k in listed],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [tensor(k, v) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir,
                              producer_name="")
    helper.set_model_props(model, {
        "test.layers": layers,
        "test.output": " ".join("%.7g" % v for v in np.asarray(y, dtype=np.float64).ravel()),
        **(extra or {})})
    with open(os.path.join(HERE, name + ".onnx"), "wb") as out:
        out.write(model.SerializeToString())
    made.append(name)


def refused(name, nodes, constants, sentence, **how):
    """A model that is not read, and what the error says of it."""
    case(name, nodes, constants, lambda x: x.new_zeros(0), "", extra={"test.refused": sentence}, **how)


def joined(name, nodes, constants, expected, layers, **how):
    """A graph over the batch axis: right of a file for one picture, refused where it is for several."""
    case(name, nodes, constants, expected, layers, batch=1, **how)
    refused(name + "_of_many", nodes, constants, "it goes over the batch axis", **how)


def ints(*values):
    return np.array(values, dtype=np.int64)
