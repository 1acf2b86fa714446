#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the small models that test_onnx.c reads: one for each operator and way of writing it.

    tests/onnx/make.py                  (needs python3-onnx, python3-torch; run by hand)

Each file carries what it should become in its metadata: "test.output", computed by PyTorch from the
input that the test makes as well (see picture()), and "test.layers", the types of the layers.
Cases are written as exporters write them. Weights are small and drawn from a fixed seed.
"""
import glob
import os

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from small import HERE, case, ints, joined, made, node, picture, positive, refused, rng, t, tensor, weights


# ---- Convolution ----

def conv_case(name, w, layers="conv", expected=None, bias=True, **attributes):
    b = weights(w.shape[0])
    shape = (1, 4, 6, 5) if attributes.get("group", 1) > 1 else (1, 3, 6, 5)
    pads = attributes.get("pads", [0, 0, 0, 0])
    def compute(x):
        padded = F.pad(x, (pads[1], pads[3], pads[0], pads[2]))
        return F.conv2d(padded, t(w), t(b) if bias else None, tuple(attributes.get("strides", [1, 1])),
                        0, tuple(attributes.get("dilations", [1, 1])), attributes.get("group", 1))
    constants = {"w": w, "b": b} if bias else {"w": w}
    case(name, [node("Conv", ["x", "w", "b"] if bias else ["x", "w"], ["y"], name="conv_1", **attributes)],
         constants, expected or compute, layers, shape=shape)


conv_case("conv", weights(2, 3, 3, 3), kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
conv_case("conv_no_bias", weights(2, 3, 3, 3), bias=False)
conv_case("conv_oblong", weights(2, 3, 1, 3), strides=[2, 1], pads=[0, 1, 0, 1])
conv_case("conv_uneven_pads", weights(2, 3, 3, 3), pads=[0, 1, 2, 3])
conv_case("conv_groups", weights(4, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
conv_case("conv_depthwise", weights(4, 1, 3, 3), group=4)
conv_case("conv_dilated", weights(2, 3, 2, 2), dilations=[2, 3])
for kind, pads in (("SAME_UPPER", (0, 1, 1, 1)), ("SAME_LOWER", (1, 1, 0, 1)), ("VALID", (0, 0, 0, 0))):
    w, b = weights(2, 3, 3, 3), weights(2)  # 6x5, stride 2: 1 row and 2 columns too few
    case("conv_" + kind.lower(), [node("Conv", ["x", "w", "b"], ["y"], auto_pad=kind, strides=[2, 2])],
         {"w": w, "b": b},
         lambda x: F.conv2d(F.pad(x, (pads[1], pads[3], pads[0], pads[2])), t(w), t(b), 2), "conv")

# ---- Batch normalisation ----

w, b = weights(4, 3, 3, 3), weights(4)
g, beta, mean, var = positive(4), weights(4), weights(4), positive(4)
bn = {"g": g, "beta": beta, "mean": mean, "var": var}


def norm(x, eps=1e-5):
    return F.batch_norm(x, t(mean), t(var), t(g), t(beta), False, 0, eps)


case("batchnorm_folded", [node("Conv", ["x", "w"], ["c"], name="features.0"),
                          node("BatchNormalization", ["c", "g", "beta", "mean", "var"], ["n"],
                               name="features.1", epsilon=1e-3),
                          node("Relu", ["n"], ["y"], name="features.2")], {"w": w, **bn},
     lambda x: F.relu(norm(F.conv2d(x, t(w)), 1e-3)), "conv relu")
case("batchnorm_of_shared", [node("Conv", ["x", "w", "b"], ["c"]),
                             node("BatchNormalization", ["c", "g", "beta", "mean", "var"], ["n"]),
                             node("Add", ["c", "n"], ["y"])], {"w": w, "b": b, **bn},
     lambda x: F.conv2d(x, t(w), t(b)) + norm(F.conv2d(x, t(w), t(b))), "conv scale add")
case("batchnorm_first", [node("BatchNormalization", ["x", "g", "beta", "mean", "var"], ["y"])], bn, norm,
     "scale", shape=(1, 4, 3, 2), opset=9)
fw = weights(4, 18)
case("batchnorm_of_gemm", [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["h"], transB=1),
                           node("BatchNormalization", ["h", "g", "beta", "mean", "var"], ["y"])],
     {"w": fw, "b": b, **bn}, lambda x: norm(F.linear(x.flatten(1), t(fw), t(b))), "fc",
     shape=(1, 3, 3, 2))

# ---- Activations ----

def unary(name, op, expected, layers, opset=13, constants=None, inputs=("x",), **attributes):
    case(name, [node(op, list(inputs), ["y"], name="activation", **attributes)], constants or {}, expected,
         layers, opset=opset, shape=(1, 2, 3, 2))


unary("relu", "Relu", F.relu, "relu")
unary("leaky", "LeakyRelu", lambda x: F.leaky_relu(x, 0.1), "leaky", alpha=0.1)
slope = positive(2)
unary("prelu", "PRelu", lambda x: F.prelu(x, t(slope)), "prelu", constants={"s": slope.reshape(2, 1, 1)},
      inputs=("x", "s"))
unary("prelu_one", "PRelu", lambda x: F.prelu(x, t(slope[:1])), "prelu", constants={"s": slope[:1]},
      inputs=("x", "s"))
unary("clip_attributes", "Clip", lambda x: x.clamp(-0.5, 0.25), "clip", opset=7, min=-0.5, max=0.25)
unary("clip_inputs", "Clip", lambda x: x.clamp(0, 0.5), "clip",
      constants={"lo": np.float32(0), "hi": np.float32(0.5)}, inputs=("x", "lo", "hi"))
unary("clip_above", "Clip", lambda x: x.clamp(max=0.5), "clip", constants={"hi": np.float32(0.5)},
      inputs=("x", "", "hi"))
unary("clip_is_relu", "Clip", F.relu, "relu", constants={"lo": np.float32(0)}, inputs=("x", "lo"))
unary("elu", "Elu", lambda x: F.elu(x, 0.7), "elu", alpha=0.7)
unary("sigmoid", "Sigmoid", torch.sigmoid, "sigmoid")
unary("tanh", "Tanh", torch.tanh, "tanh")
unary("hardsigmoid", "HardSigmoid", lambda x: (0.4 * x + 0.3).clamp(0, 1), "hardsigmoid", alpha=0.4, beta=0.3)
unary("hardswish", "HardSwish", F.hardswish, "hardswish", opset=14)
unary("gelu", "Gelu", F.gelu, "gelu", opset=20)
unary("neg", "Neg", lambda x: -x, "scale")
case("silu_in_pieces", [node("Sigmoid", ["x"], ["s"], name="s"), node("Mul", ["x", "s"], ["y"], name="m")], {},
     F.silu, "silu", shape=(1, 2, 3, 2))
case("gate_that_stays", [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["m"]),
                         node("Add", ["m", "s"], ["y"])], {}, lambda x: F.silu(x) + torch.sigmoid(x),
     "sigmoid mul add", shape=(1, 2, 3, 2))
case("hardswish_in_two", [node("HardSigmoid", ["x"], ["s"], alpha=1 / 6, beta=0.5),
                          node("Mul", ["s", "x"], ["y"])], {}, F.hardswish, "hardswish", shape=(1, 2, 3, 2))
three, six, zero = np.float32(3), np.float32(6), np.float32(0)
case("hardswish_divided_last", [node("Add", ["x", "3"], ["a"]), node("Clip", ["a", "0", "6"], ["c"]),
                                node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "6"], ["y"])],
     {"3": three, "0": zero, "6": six}, F.hardswish, "hardswish", shape=(1, 2, 3, 2))
case("hardswish_divided_first", [node("Add", ["x", "3"], ["a"]), node("Clip", ["a", "0", "6"], ["c"]),
                                 node("Mul", ["c", "sixth"], ["d"]), node("Mul", ["x", "d"], ["y"])],
     {"3": three, "0": zero, "6": six, "sixth": np.float32(1 / 6)}, F.hardswish, "hardswish", shape=(1, 2, 3, 2))

# ---- Pooling ----

def pool(name, op, expected, layers, opset=13, shape=(1, 2, 6, 5), **attributes):
    case(name, [node(op, ["x"], ["y"], name="pool", **attributes)], {}, expected, layers, opset=opset, shape=shape)


pool("maxpool", "MaxPool", lambda x: F.max_pool2d(x, 3, 2, 1), "maxpool", kernel_shape=[3, 3], strides=[2, 2],
     pads=[1, 1, 1, 1])
pool("maxpool_ceil", "MaxPool", lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), "maxpool", kernel_shape=[3, 3],
     strides=[2, 2], ceil_mode=1)
pool("maxpool_dilated", "MaxPool", lambda x: F.max_pool2d(x, 2, 1, dilation=2), "maxpool", kernel_shape=[2, 2],
     dilations=[2, 2])
pool("maxpool_oblong", "MaxPool", lambda x: F.max_pool2d(x, (2, 3), (1, 2)), "maxpool", kernel_shape=[2, 3],
     strides=[1, 2])
pool("maxpool_same", "MaxPool", lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 0), value=-9), 2, 2), "maxpool",
     kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
pool("avgpool", "AveragePool", lambda x: F.avg_pool2d(x, 2, 2), "avgpool", kernel_shape=[2, 2], strides=[2, 2])
pool("avgpool_inside", "AveragePool", lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), "avgpool",
     kernel_shape=[3, 3], pads=[1, 1, 1, 1])
pool("avgpool_window", "AveragePool", lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=True), "avgpool",
     kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
pool("avgpool_ceil", "AveragePool", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=True),
     "pad avgpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1,
     shape=(1, 2, 6, 6))
pool("global_average", "GlobalAveragePool", lambda x: x.mean((2, 3)), "avgpool")
pool("global_max", "GlobalMaxPool", lambda x: x.amax((2, 3)), "maxpool")
pool("reducemean", "ReduceMean", lambda x: x.mean((2, 3)), "avgpool", axes=[-2, -1], keepdims=0)
pool("reducemax", "ReduceMax", lambda x: x.amax((2, 3)), "maxpool", axes=[2, 3])
case("reducemean_input", [node("ReduceMean", ["x", "axes"], ["y"])], {"axes": ints(2, 3)}, lambda x: x.mean((2, 3)),
     "avgpool", opset=18)
case("reducemean_joined", [node("Reshape", ["x", "s"], ["r"]), node("ReduceMean", ["r"], ["y"], axes=[2], keepdims=0)],
     {"s": ints(0, 3, -1)}, lambda x: x.mean((2, 3)), "avgpool")
pool("lrn", "LRN", lambda x: F.local_response_norm(x, 3, 0.01, 0.5, 2.0), "lrn", size=3, alpha=0.01, beta=0.5, bias=2.0,
     shape=(1, 4, 2, 2))

# ---- Padding ----

case("pad_attribute", [node("Pad", ["x"], ["y"], mode="constant", pads=[0, 0, 1, 2, 0, 0, 3, 0])], {},
     lambda x: F.pad(x, (2, 0, 1, 3)), "pad", opset=10)
case("pad_input", [node("Pad", ["x", "p", "v"], ["p1"]), node("MaxPool", ["p1"], ["y"], kernel_shape=[2, 2])],
     {"p": ints(0, 0, 0, 1, 0, 0, 1, 0), "v": np.float32(0)}, lambda x: F.max_pool2d(F.pad(x, (1, 0, 0, 1)), 2, 1),
     "pad maxpool")
w3 = weights(2, 3, 3, 3)
case("pad_into_conv", [node("Pad", ["x", "p"], ["p1"], name="pad"),
                       node("Conv", ["p1", "w"], ["y"], name="conv", strides=[2, 2], pads=[0, 0, 1, 1])],
     {"p": ints(0, 0, 1, 1, 0, 0, 0, 0), "w": w3}, lambda x: F.conv2d(x, t(w3), None, 2, 1), "conv")
case("pad_of_nothing", [node("Pad", ["x", "p"], ["p1"]), node("Relu", ["p1"], ["y"])], {"p": ints(0, 0, 0, 0, 0, 0, 0, 0)},
     F.relu, "relu", shape=(1, 2, 3, 2))

# ---- Fully connected ----

gw, gb = weights(18, 4), weights(4)
case("gemm", [node("Reshape", ["x", "s"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], alpha=0.5, beta=2.0)],
     {"s": ints(-1, 18), "w": gw, "b": gb}, lambda x: 0.5 * x.flatten(1) @ t(gw) + 2 * t(gb), "fc",
     shape=(1, 3, 3, 2))
case("gemm_turned", [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w"], ["y"], transB=1)], {"w": fw},
     lambda x: F.linear(x.flatten(1), t(fw)), "fc", shape=(1, 3, 3, 2))
case("matmul_add", [node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "w"], ["m"], name="m"),
                    node("Add", ["b", "m"], ["y"], name="a")], {"w": gw, "b": gb},
     lambda x: x.flatten(1) @ t(gw) + t(gb), "fc", shape=(1, 3, 3, 2))

# ---- Two and more ----

k2 = weights(2, 3, 1, 1)
case("add", [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]), node("Add", ["r", "c"], ["y"])], {"w": k2},
     lambda x: F.relu(F.conv2d(x, t(k2))) + F.conv2d(x, t(k2)), "conv relu add")
case("sub", [node("Relu", ["x"], ["r"]), node("Sub", ["x", "r"], ["y"])], {}, lambda x: x - F.relu(x), "relu sub",
     shape=(1, 2, 3, 2))
case("sum", [node("Relu", ["x"], ["r"]), node("Tanh", ["x"], ["t"]), node("Sum", ["x", "r", "t"], ["y"])], {},
     lambda x: x + F.relu(x) + torch.tanh(x), "relu tanh add", shape=(1, 2, 3, 2))
se = weights(3, 3, 1, 1)
case("squeeze_excite", [node("GlobalAveragePool", ["x"], ["g"]), node("Conv", ["g", "w"], ["c"]),
                        node("Sigmoid", ["c"], ["s"]), node("Mul", ["s", "x"], ["y"])], {"w": se},
     lambda x: x * torch.sigmoid(F.conv2d(x.mean((2, 3), keepdim=True), t(se))), "avgpool conv sigmoid mul")
pm = weights(3, 1, 1)
pd = positive(1, 3, 1, 1)
case("constants_per_map", [node("Sub", ["x", "m"], ["s"]), node("Div", ["s", "d"], ["q"]), node("Relu", ["q"], ["y"])],
     {"m": pm, "d": pd}, lambda x: F.relu((x - t(pm)) / t(pd)), "scale relu")
case("constant_first", [node("Sub", ["one", "x"], ["s"]), node("Mul", ["two", "s"], ["y"])],
     {"one": np.float32(1), "two": np.array([2], np.float32)}, lambda x: 2 * (1 - x), "scale", shape=(1, 2, 3, 2))
case("concat", [node("Relu", ["x"], ["r"]), node("Conv", ["x", "w"], ["c"]), node("Concat", ["r", "c", "x"], ["y"], axis=1)],
     {"w": k2}, lambda x: torch.cat([F.relu(x), F.conv2d(x, t(k2)), x], 1), "relu conv concat")
case("concat_flat", [node("Flatten", ["x"], ["f"]), node("Relu", ["f"], ["r"]), node("Concat", ["r", "f"], ["y"], axis=-1)],
     {}, lambda x: torch.cat([F.relu(x).flatten(1), x.flatten(1)], 1), "relu flatten flatten concat",
     shape=(1, 2, 3, 2))

# ---- Parts of maps ----

def halves(name, split, constants, opset, sizes):
    a, c = sizes
    case(name, [split, node("Relu", ["a"], ["r"]), node("Concat", ["c", "r"], ["y"], axis=1)], constants,
         lambda x: torch.cat([x[:, a:a + c], F.relu(x[:, :a])], 1), "slice slice relu concat", opset=opset,
         shape=(1, 5, 2, 2))


halves("split_attribute", node("Split", ["x"], ["a", "c"], axis=1, split=[2, 3]), {}, 11, (2, 3))
halves("split_input", node("Split", ["x", "s"], ["a", "c"], axis=1), {"s": ints(1, 4)}, 13, (1, 4))
halves("split_count", node("Split", ["x"], ["a", "c"], axis=-3, num_outputs=2), {}, 18, (3, 2))
case("slice_attributes", [node("Slice", ["x"], ["y"], axes=[1], starts=[1], ends=[9])], {}, lambda x: x[:, 1:], "slice",
     opset=9)
case("slice_inputs", [node("Slice", ["x", "s", "e", "a"], ["y"])], {"s": ints(-3), "e": ints(-1), "a": ints(1)},
     lambda x: x[:, 0:2], "slice")
case("gather_each", [node("Gather", ["x", "i%d" % i], ["g%d" % i], axis=1) for i in range(2)] +
     [node("Unsqueeze", ["g%d" % i, "one"], ["u%d" % i]) for i in range(2)] +
     [node("Mul", ["u0", "f"], ["m"]), node("Concat", ["m", "u1"], ["y"], axis=1)],
     {"i0": np.int64(2), "i1": np.int64(0), "one": ints(1), "f": np.float32(0.5)},
     lambda x: torch.cat([x[:, 2:3] * 0.5, x[:, 0:1]], 1), "slice slice scale concat")

# ---- Arrangements ----

case("shuffle", [node("Reshape", ["x", "s5"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 2, 1, 3, 4]),
                 node("Reshape", ["b", "s4"], ["y"])], {"s5": ints(1, 2, 3, 2, 2), "s4": ints(1, -1, 2, 2)},
     lambda x: x.view(1, 2, 3, 2, 2).transpose(1, 2).reshape(1, 6, 2, 2), "shuffle", shape=(1, 6, 2, 2))
dw = weights(3, 12)
dynamic = [node("Shape", ["x"], ["sh"]), node("Gather", ["sh", "0"], ["n"], axis=0),
           node("Unsqueeze", ["n"], ["nu"], axes=[0]), node("Constant", [], ["m1"], value=numpy_helper.from_array(ints(-1))),
           node("Concat", ["nu", "m1"], ["to"], axis=0), node("Reshape", ["x", "to"], ["f"])]
case("reshape_computed", dynamic + [node("Gemm", ["f", "w"], ["y"], transB=1)], {"0": np.int64(0), "w": dw},
     lambda x: F.linear(x.flatten(1), t(dw)), "fc", opset=11, shape=(1, 3, 2, 2))
case("fixed_batch", [node("Reshape", ["x", "s"], ["f"]), node("Gemm", ["f", "w"], ["y"], transB=1)],
     {"s": ints(4, 12), "w": dw}, lambda x: F.linear(x.flatten(1), t(dw)), "fc", shape=(1, 3, 2, 2), batch=4)
nw = weights(4, 3, 1, 1)
nb, nm = weights(4), weights(4 * 6, 3)


# The picture of these is [N, h, w, c]; the test feeds [c, h, w], so the expected values start there.
def last(x):
    return x.permute(0, 2, 3, 1)


nm = weights(4 * 30, 3)
case("channels_last", [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["c"], name="conv"),
                       node("Transpose", ["c"], ["u"], perm=[0, 2, 3, 1]), node("Add", ["u", "b"], ["v"], name="bias"),
                       node("Relu", ["v"], ["r"], name="relu"), node("Reshape", ["r", "s"], ["f"]),
                       node("MatMul", ["f", "m"], ["y"], name="fc")],
     {"w": nw, "b": nb, "s": ints(-1, 120), "m": nm},
     lambda x: last(F.relu(F.conv2d(x, t(nw), t(nb)))).reshape(1, -1) @ t(nm), "conv relu fc", sizes=(6, 5, 3))
pw = weights(3, 2)
case("channels_last_matmul", [node("MatMul", ["x", "w"], ["m"]), node("ReduceMean", ["m"], ["y"], axes=[1, 2], keepdims=0)],
     {"w": pw}, lambda x: (last(x) @ t(pw)).mean((1, 2)), "conv avgpool", sizes=(6, 5, 3))
case("channels_last_pad", [node("Pad", ["x", "p"], ["q"]), node("Concat", ["q", "q"], ["y"], axis=3)],
     {"p": ints(0, 1, 0, 0, 0, 0, 2, 0)}, lambda x: torch.cat([F.pad(x, (0, 2, 1, 0))] * 2, 1), "pad concat",
     sizes=(6, 5, 3))
case("squeeze", [node("GlobalAveragePool", ["x"], ["g"]), node("Squeeze", ["g"], ["s"], axes=[2, 3]),
                 node("Unsqueeze", ["s"], ["u"], axes=[-1]), node("Squeeze", ["u", ], ["v"], axes=[2]),
                 node("Softmax", ["v"], ["y"], axis=-1)], {}, lambda x: x.mean((2, 3)).softmax(1), "avgpool softmax", opset=11)
case("squeeze_input", [node("GlobalAveragePool", ["x"], ["g"]), node("Squeeze", ["g", "a"], ["s"]), node("Relu", ["s"], ["y"])],
     {"a": ints(2, -1)}, lambda x: F.relu(x.mean((2, 3))), "avgpool relu")

# ---- Ends ----

case("softmax_old", [node("GlobalAveragePool", ["x"], ["g"]), node("Softmax", ["g"], ["y"])], {},
     lambda x: x.mean((2, 3)).softmax(1), "avgpool softmax", opset=12)
case("logsoftmax", [node("Flatten", ["x"], ["f"]), node("LogSoftmax", ["f"], ["y"], axis=1)], {},
     lambda x: x.flatten(1).log_softmax(1), "flatten softmax function", shape=(1, 2, 2, 2))
case("passed_on", [node("Cast", ["x"], ["c"], to=1), node("Identity", ["c"], ["i"]), node("Relu", ["i"], ["r"], name="rectify"),
                   node("Dropout", ["r"], ["y"], name="drop")], {}, F.relu, "relu", shape=(1, 2, 3, 2))

# ---- Constants of every type and from computation ----

cw = weights(2, 3, 2, 2)
for name, kind in (("half", TensorProto.FLOAT16), ("bfloat", TensorProto.BFLOAT16), ("double", TensorProto.DOUBLE)):
    stored = helper.make_tensor("w", kind, cw.shape, cw.ravel()) if name != "double" else \
        numpy_helper.from_array(cw.astype(np.float64), "w")
    case("weights_" + name, [node("Conv", ["x", "w"], ["y"])], {"w": stored}, lambda x: F.conv2d(x, t(cw)), "conv")
case("weights_half_raw", [node("Cast", ["w"], ["wf"], to=1), node("Conv", ["x", "wf"], ["y"])],
     {"w": numpy_helper.from_array(cw.astype(np.float16), "w")}, lambda x: F.conv2d(x, t(cw)), "conv")
case("weights_typed", [node("Conv", ["x", "w"], ["y"])], {"w": helper.make_tensor("w", TensorProto.FLOAT, cw.shape, cw.ravel())},
     lambda x: F.conv2d(x, t(cw)), "conv")
cs = positive(2, 1, 1, 1)
case("weights_computed", [node("Transpose", ["w"], ["a"], perm=[1, 3, 0, 2]), node("Transpose", ["a"], ["b"], perm=[2, 0, 3, 1]),
                          node("Mul", ["b", "s"], ["c"]), node("Slice", ["c", "st", "en", "ax", "sp"], ["d"]),
                          node("Concat", ["d", "c"], ["e"], axis=0), node("Conv", ["x", "e"], ["y"])],
     {"w": cw, "s": cs, "st": ints(-1), "en": ints(-9), "ax": ints(0), "sp": ints(-1)},
     lambda x: F.conv2d(x, torch.cat([(t(cw) * t(cs)).flip(0), t(cw) * t(cs)])), "conv")
case("bias_computed", [node("ConstantOfShape", ["two"], ["z"], value=numpy_helper.from_array(np.array([0.5], np.float32))),
                       node("Conv", ["x", "w", "z"], ["y"])], {"two": ints(2), "w": cw},
     lambda x: F.conv2d(x, t(cw), torch.full((2,), 0.5)), "conv")
case("inputs_list_weights", [node("Conv", ["x", "w"], ["y"])], {"w": cw}, lambda x: F.conv2d(x, t(cw)), "conv", opset=7, ir=3,
     listed=["w"])

# ---- Metadata ----

case("metadata", [node("GlobalAveragePool", ["x"], ["y"])], {}, lambda x: x.mean((2, 3)), "avgpool",
     extra={"mean": "0.5, 0.25, 0.125", "std": "0.5 0.25 0.2", "channels": "BGR", "resize": "warp:9",
            "names": "{0: 'a cat', 1: \"the dog's\", 2: 'c'}"})
case("open_size", [node("Relu", ["x"], ["y"])], {}, F.relu, "relu", sizes=(3, "height", "width"))
case("open_size_crop", [node("Relu", ["x"], ["y"])], {}, F.relu, "relu", sizes=(3, "height", "width"),
     extra={"crop": "6x5"})

# ---- As exporters write it ----

root, invroot, half, one = np.float32(2 ** 0.5), np.float32(0.5 ** 0.5), np.float32(0.5), np.float32(1)
case("gelu_of_torch", [node("Conv", ["x", "w"], ["c"], name="conv"), node("Div", ["c", "root"], ["d"], name="div"),
                       node("Erf", ["d"], ["e"], name="erf"), node("Add", ["e", "one"], ["p"]), node("Mul", ["c", "p"], ["m"]),
                       node("Mul", ["m", "half"], ["y"], name="last")], {"w": k2, "root": root, "one": one, "half": half},
     lambda x: F.gelu(F.conv2d(x, t(k2))), "conv gelu")
case("gelu_of_keras", [node("Mul", ["x", "half"], ["h"]), node("Mul", ["x", "invroot"], ["d"]), node("Erf", ["d"], ["e"]),
                       node("Add", ["one", "e"], ["p"]), node("Mul", ["h", "p"], ["y"])],
     {"half": half, "invroot": invroot, "one": one}, F.gelu, "gelu", shape=(1, 2, 3, 2))
case("gelu_by_distribution", [node("Mul", ["x", "invroot"], ["d"]), node("Erf", ["d"], ["e"]), node("Mul", ["e", "half"], ["s"]),
                              node("Add", ["s", "half"], ["p"]), node("Mul", ["p", "x"], ["y"])],
     {"half": half, "invroot": invroot}, F.gelu, "gelu", shape=(1, 2, 3, 2))
case("gelu_doubled", [node("Mul", ["x", "invroot"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["p"]),
                      node("Mul", ["p", "x"], ["y"])], {"one": one, "invroot": invroot}, lambda x: 2 * F.gelu(x),
     "gelu scale", shape=(1, 2, 3, 2))
case("gemm_both_turned", [node("Flatten", ["x"], ["f"]), node("Transpose", ["f"], ["u"], perm=[1, 0]),
                          node("Gemm", ["u", "w", "b"], ["y"], transA=1, transB=1, alpha=2.0)], {"w": fw, "b": gb[:fw.shape[0]]},
     lambda x: 2 * F.linear(x.flatten(1), t(fw)) + t(gb[:fw.shape[0]]), "fc", shape=(1, 3, 3, 2))
case("constant_forms", [node("Constant", [], ["s"], value_ints=[0, 3, -1]), node("Constant", [], ["f"], value_float=0.5),
                        node("Constant", [], ["k"], value_floats=[0.25]), node("Constant", [], ["i"], value_int=1),
                        node("Constant", [], ["b"], value_ints=[1, 3, 2, 2]), node("Reshape", ["x", "s"], ["r"]),
                        node("Mul", ["r", "f"], ["m"]), node("Add", ["m", "k"], ["a"]), node("Reshape", ["a", "b"], ["q"]),
                        node("Gather", ["q", "i"], ["g"], axis=1), node("Relu", ["g"], ["y"])], {},
     lambda x: F.relu(x[:, 1] * 0.5 + 0.25), "scale slice relu", shape=(1, 3, 2, 2))
case("pad_axes", [node("Pad", ["x", "p", "", "a"], ["q"]), node("Relu", ["q"], ["y"])], {"p": ints(1, 0, 0, 2), "a": ints(-1, 2)},
     lambda x: F.relu(F.pad(x, (1, 0, 0, 2))), "pad relu", opset=18, shape=(1, 2, 3, 2))
case("reshape_allowzero", [node("Reshape", ["x", "s"], ["f"], allowzero=1), node("Gemm", ["f", "w"], ["y"], transB=1)],
     {"s": ints(1, -1), "w": dw}, lambda x: F.linear(x.flatten(1), t(dw)), "fc", opset=14, shape=(1, 3, 2, 2))
case("squeeze_all", [node("GlobalAveragePool", ["x"], ["g"]), node("Squeeze", ["g"], ["s"]), node("Unsqueeze", ["s", "0"], ["u"]),
                     node("Relu", ["u"], ["y"])], {"0": ints(0)}, lambda x: F.relu(x.mean((2, 3))), "avgpool relu")
case("softmax_new", [node("GlobalAveragePool", ["x"], ["g"]), node("Softmax", ["g"], ["y"], axis=1)], {},
     lambda x: x.mean((2, 3)).softmax(1), "avgpool softmax")
case("softmax_last", [node("Flatten", ["x"], ["f"]), node("Softmax", ["f"], ["y"])], {}, lambda x: x.flatten(1).softmax(1),
     "flatten softmax", shape=(1, 2, 2, 2))
case("dropout_inputs", [node("Dropout", ["x", "r", "t"], ["d", "mask"]), node("Relu", ["d"], ["y"])],
     {"r": np.float32(0.5), "t": np.array(False)}, F.relu, "relu", shape=(1, 2, 3, 2))
case("weights_passed_on", [node("Identity", ["w"], ["w2"]), node("Conv", ["x", "w"], ["c"]), node("Conv", ["x", "w2"], ["d"]),
                           node("Sub", ["c", "d"], ["s"]), node("Add", ["s", "c"], ["y"])], {"w": k2},
     lambda x: F.conv2d(x, t(k2)), "conv conv sub add")
case("hardsigmoid_defaults", [node("HardSigmoid", ["x"], ["y"])], {}, lambda x: (0.2 * x + 0.5).clamp(0, 1), "hardsigmoid",
     shape=(1, 2, 3, 2))
pool("maxpool_ceil_pad", "MaxPool", lambda x: F.max_pool2d(x, 2, 3, 1, ceil_mode=True), "maxpool", kernel_shape=[2, 2],
     strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1, shape=(1, 2, 4, 5))
pool("avgpool_ceil_inside", "AveragePool", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
     "avgpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, shape=(1, 2, 6, 6))
pool("avgpool_ceil_overhang", "AveragePool", lambda x: F.avg_pool2d(x, 3, 2, 0, ceil_mode=True), "avgpool", kernel_shape=[3, 3],
     strides=[2, 2], count_include_pad=1, ceil_mode=1, shape=(1, 2, 6, 6))
pool("avgpool_same", "AveragePool", lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True), "avgpool", kernel_shape=[2, 2],
     strides=[2, 2], auto_pad="SAME_UPPER")
# x.chunk(2, 1) of PyTorch without constant folding; a size by way of real numbers, as TensorFlow computes it.
case("chunk_computed", [node("Shape", ["x"], ["sh"]), node("Gather", ["sh", "1"], ["c"], axis=0), node("Add", ["c", "1"], ["c1"]),
                        node("Div", ["c1", "2"], ["h"]), node("Mul", ["h", "1"], ["m1"]), node("Mul", ["h", "2"], ["m2"]),
                        node("Unsqueeze", ["m1", "0v"], ["u1"]), node("Unsqueeze", ["m2", "0v"], ["u2"]),
                        node("Slice", ["x", "0v", "u1", "1v"], ["a"]), node("Slice", ["x", "u1", "u2", "1v"], ["b"]),
                        node("Concat", ["b", "a"], ["y"], axis=1)],
     {"1": np.int64(1), "2": np.int64(2), "0v": ints(0), "1v": ints(1)},
     lambda x: torch.cat([x[:, 3:], x[:, :3]], 1), "slice slice concat", shape=(1, 5, 2, 2))
case("floor_computed", [node("Shape", ["x"], ["sh"]), node("Slice", ["sh", "1v", "2v"], ["c"]), node("Cast", ["c"], ["f"], to=1),
                        node("Div", ["f", "2f"], ["d"]), node("Floor", ["d"], ["fl"]), node("Cast", ["fl"], ["e"], to=7),
                        node("Slice", ["x", "0v", "e", "1v"], ["y"])],
     {"0v": ints(0), "1v": ints(1), "2v": ints(2), "2f": np.float32(2)}, lambda x: x[:, :2], "slice", shape=(1, 5, 2, 2))
case("weights_bfloat_raw", [node("Conv", ["x", "w"], ["y"])],
     {"w": helper.make_tensor("w", TensorProto.BFLOAT16, cw.shape, (cw.view(np.uint32) >> 16).astype(np.uint16).tobytes(), raw=True)},
     lambda x: F.conv2d(x, t(cw)), "conv")
case("weights_double_typed", [node("Conv", ["x", "w"], ["y"])],
     {"w": helper.make_tensor("w", TensorProto.DOUBLE, cw.shape, cw.ravel().astype(np.float64))}, lambda x: F.conv2d(x, t(cw)), "conv")
# Maps and cells joined into one axis, of which the mean is one number.
case("reducemean_flat", [node("Flatten", ["x"], ["f"]), node("ReduceMean", ["f"], ["m"], axes=[1]), node("Sub", ["f", "m"], ["y"])],
     {}, lambda x: x.flatten(1) - x.mean(), "arrange avgpool sub", shape=(1, 3, 2, 2))
# Factors of groups, as opset 18 had them.
gs, gt = positive(2), weights(2)
case("groupnorm_18", [node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=2)], {"s": gs, "b": gt},
     lambda x: F.group_norm(x, 2, t(gs).repeat_interleave(2), t(gt).repeat_interleave(2)), "norm scale", opset=18, shape=(1, 4, 3, 2))
# Three columns are no channels where the filters see the second axis as that.
case("three_columns", [node("Conv", ["x", "w"], ["y"])], {"w": cw[:, :2]}, lambda x: F.conv2d(x, t(cw[:, :2])), "conv",
     shape=(1, 2, 4, 3))

# Over the pictures of a batch, plain and as the batch axis has been moved about.
joined("batch_mean", [node("Relu", ["x"], ["r"]), node("ReduceMean", ["r"], ["y"], axes=[0])], {}, F.relu, "relu")
joined("batch_mean_moved", [node("Relu", ["x"], ["r"]), node("Transpose", ["r"], ["t"], perm=[1, 2, 0, 3]),
                            node("ReduceSum", ["t", "2"], ["y"], keepdims=0)], {"2": ints(-2)}, lambda x: F.relu(x[0]), "relu")
joined("batch_softmax", [node("Flatten", ["x"], ["f"]), node("Softmax", ["f"], ["y"], axis=0)], {}, lambda x: torch.ones(60),
       "flatten arrange softmax", shape=(1, 3, 4, 5))
joined("batch_softmax_old", [node("Softmax", ["x"], ["y"], axis=0)], {}, lambda x: x.flatten().softmax(0), "flatten softmax", opset=11,
       shape=(1, 3, 2, 2))
joined("batch_products", [node("Flatten", ["x"], ["f"]), node("Transpose", ["f"], ["t"]), node("MatMul", ["t", "f"], ["y"])], {},
       lambda x: x.reshape(-1, 1) @ x.reshape(1, -1), "arrange arrange matmul", shape=(1, 2, 2, 2))
joined("batch_as_maps", [node("Transpose", ["x"], ["t"], perm=[1, 0, 2, 3]), node("Conv", ["t", "w"], ["y"])],
       {"w": (wm := weights(2, 1, 3, 3))}, lambda x: F.conv2d(x, t(wm)), "conv", shape=(1, 1, 4, 5))
refused("batch_constants", [node("Add", ["x", "b"], ["y"])], {"b": weights(4, 3, 1, 1)},
        "numbers of their own for each picture of its batch of 4", batch=4)
refused("dropout_training", [node("Dropout", ["x", "r", "t"], ["y"])], {"r": np.float32(0.5), "t": np.array(True)},
        "it drops numbers at random, as in training; export the model in evaluation mode")
case("dropout_of_nothing", [node("Relu", ["x"], ["r"]), node("Dropout", ["r", "0", "t"], ["y"])],
     {"0": np.float32(0), "t": np.array(True)}, F.relu, "relu")
refused("batchnorm_training", [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "", ""], training_mode=1)],
        {"s": positive(3), "b": weights(3), "m": weights(3), "v": positive(3)},
        "statistics of the batch; export the model in evaluation mode", opset=15)
# What only looks so: heads and pictures on one axis, the pictures behind the places, a channel shuffle by way of the batch.
case("batch_apart", [node("Reshape", ["x", "r"], ["a"]), node("Transpose", ["a"], ["b"], perm=[1, 0, 2]),
                     node("Reshape", ["b", "h"], ["c"]), node("Transpose", ["c"], ["d"], perm=[1, 0, 2]),
                     node("Softmax", ["d"], ["e"], axis=-1), node("Transpose", ["e"], ["f"], perm=[1, 0, 2]),
                     node("Reshape", ["f", "q"], ["g"]), node("MatMul", ["g", "w"], ["k"]), node("Reshape", ["k", "p"], ["m"]),
                     node("ReduceMean", ["m"], ["y"], axes=[0])],
     {"p": ints(6, -1, 3), "r": ints(0, 6, 8), "h": ints(6, 2, 4), "q": ints(6, 8), "w": (wa := weights(8, 3))},
     lambda x: (x.reshape(6, 2, 4).softmax(-1).reshape(6, 8) @ t(wa)).mean(0), "arrange arrange softmax arrange arrange conv avgpool", shape=(1, 3, 4, 4))

# Windows over a line: [1, maps, length].
l1, lb, l2 = weights(4, 2, 3), weights(4), weights(4, 3, 2)
case("line_conv", [node("Reshape", ["x", "s"], ["r"]),
                   node("Conv", ["r", "w", "b"], ["c"], kernel_shape=[3], group=2, strides=[2], dilations=[2], pads=[1, 2]),
                   node("Relu", ["c"], ["y"])], {"s": ints(1, 4, -1), "w": l1, "b": lb},
     lambda x: F.relu(F.conv1d(F.pad(x.reshape(1, 4, -1), (1, 2)), t(l1), t(lb), 2, 0, 2, 2)), "arrange conv relu", shape=(1, 2, 6, 4))
case("line_transposed", [node("Reshape", ["x", "s"], ["r"]),
                         node("ConvTranspose", ["r", "w"], ["y"], kernel_shape=[2], strides=[3], pads=[1, 0], output_padding=[1])],
     {"s": ints(1, 4, -1), "w": l2}, lambda x: F.conv_transpose1d(x.reshape(1, 4, -1), t(l2), None, 3, 0, 1)[..., 1:], "arrange convtranspose",
     shape=(1, 2, 6, 4))
case("line_pools", [node("Reshape", ["x", "s"], ["r"]), node("MaxPool", ["r"], ["m"], kernel_shape=[3], strides=[2], pads=[1, 1]),
                    node("AveragePool", ["m"], ["y"], kernel_shape=[2], auto_pad="SAME_UPPER")], {"s": ints(1, 4, -1)},
     lambda x: F.avg_pool1d(F.pad(F.max_pool1d(x.reshape(1, 4, -1), 3, 2, 1), (0, 1)), 2, 1) * t(np.array([1] * 5 + [2], np.float32)),
     "arrange maxpool avgpool", shape=(1, 2, 6, 4))
# Efficient channel attention: a convolution over the maps' means.
le = weights(1, 1, 3)
case("line_of_maps", [node("GlobalAveragePool", ["x"], ["p"]), node("Squeeze", ["p", "3"], ["q"]), node("Transpose", ["q"], ["t"], perm=[0, 2, 1]),
                      node("Conv", ["t", "w"], ["c"], pads=[1, 1]), node("Transpose", ["c"], ["u"], perm=[0, 2, 1]),
                      node("Unsqueeze", ["u", "3"], ["v"]), node("Sigmoid", ["v"], ["g"]), node("Mul", ["x", "g"], ["y"])],
     {"3": ints(3), "w": le},
     lambda x: x * torch.sigmoid(F.conv1d(x.mean((2, 3)).unsqueeze(1), t(le), padding=1)).reshape(1, -1, 1, 1),
     "avgpool arrange conv sigmoid flatten mul", shape=(1, 5, 3, 2))


# Quantised graphs, simulated in float.
def levels(x, step, zero, low, high):
    return (torch.round(x / step) + zero).clamp(low, high)


q8, qs = rng.randint(-127, 128, size=(2, 3, 3, 3)).astype(np.int8), np.array([2.0 ** -7, 2.0 ** -8], np.float32)
qd = (q8 * qs.reshape(2, 1, 1, 1)).astype(np.float32)
scale, byte, signed = np.float32, np.uint8, np.int8
case("quantised", [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]), node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
                   node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0), node("Conv", ["xd", "wd"], ["c"]),
                   node("Relu", ["c"], ["r"]), node("QuantizeLinear", ["r", "rs", "rz"], ["rq"]),
                   node("MaxPool", ["rq"], ["m"], kernel_shape=[2, 2]), node("DequantizeLinear", ["m", "rs", "rz"], ["y"])],
     {"xs": scale(1 / 64), "xz": byte(100), "w": q8, "ws": qs, "wz": np.zeros(2, np.int8), "rs": scale(1 / 32), "rz": byte(0)},
     lambda x: F.max_pool2d(levels(F.relu(F.conv2d((levels(x, 1 / 64, 100, 0, 255) - 100) / 64, t(qd))), 1 / 32, 0, 0, 255), 2, 1) / 32,
     "quantise scale conv relu quantise maxpool scale")
case("quantised_signed", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["y"])],
     {"s": scale(1 / 256), "z": signed(-7)}, lambda x: (levels(x, 1 / 256, -7, -128, 127) + 7) / 256, "quantise scale")
case("quantised_weights", [node("QuantizeLinear", ["w", "s"], ["q"]), node("DequantizeLinear", ["q", "s"], ["d"]), node("Conv", ["x", "d"], ["y"])],
     {"w": np.abs(cw), "s": scale(0.1)}, lambda x: F.conv2d(x, levels(t(np.abs(cw)), np.float32(0.1), 0, 0, 255) * np.float32(0.1)), "conv")
refused("quantised_by_channel", [node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=1), node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=1)],
        {"s": positive(3), "z": np.zeros(3, np.uint8)}, "several scales for what is computed from the picture; one is read")

import further  # noqa: E402  the rest of the cases, which draw their weights after these

if __name__ == "__main__":
    known = set(made)
    for path in glob.glob(os.path.join(HERE, "*.onnx")):
        if os.path.basename(path)[:-5] not in known:
            os.remove(path)
    print(len(made), "models,", sum(os.path.getsize(os.path.join(HERE, n + ".onnx")) for n in made), "bytes")
