# SPDX-License-Identifier: MIT
"""Small models, continued (make.py runs this): Einsum, choices by the picture's numbers, tensors of many axes."""
import numpy as np
import torch
import torch.nn.functional as F

from onnx import TensorProto, helper

from small import case, ints, joined, node, refused, t, weights

# ---- Einsum ----

w32, w23, w42 = weights(3, 2), weights(2, 3), weights(4, 2)


def einsum(name, equation, constants, expected, layers, names=None, **how):
    """x and the constants by their letters."""
    case("einsum_" + name, [node("Einsum", names or ["x"] + list(constants), ["y"], equation=equation)], constants, expected, layers, **how)


einsum("of_maps", "nchw,oc->nohw", {"w": w23}, lambda x: torch.einsum("nchw,oc->nohw", x, t(w23)), "conv")
einsum("from_the_left", " oc, n c h w -> nohw", {"w": w23}, lambda x: torch.einsum("nchw,oc->nohw", x, t(w23)), "conv", names=["w", "x"])
einsum("of_columns", "nchw,wv->nchv", {"w": (w52 := weights(5, 2))}, lambda x: x @ t(w52), "arrange conv arrange")
einsum("of_all", "nchw,chwo->no", {"w": (w3222 := weights(3, 2, 2, 2))}, lambda x: torch.einsum("nchw,chwo->no", x, t(w3222)), "flatten fc",
       shape=(1, 3, 2, 2))
einsum("without_arrow", "...c,cb", {"w": w52}, lambda x: x @ t(w52), "arrange conv arrange")
einsum("sum", "bchw->bc", {}, lambda x: x.sum((2, 3)), "arrange conv")
case("einsum_turned", [node("Relu", ["x"], ["r"]), node("Einsum", ["r"], ["t"], equation="abcd->abdc"), node("Flatten", ["t"], ["y"])], {},
     lambda x: F.relu(x).transpose(2, 3), "relu arrange", shape=(1, 3, 4, 3))
einsum("gate", "bchw,bc->bchw", {"s": (s3 := weights(1, 3))}, lambda x: x * t(s3).reshape(1, 3, 1, 1), "constant mul")
case("einsum_attention", [node("Reshape", ["x", "s"], ["q"]), node("Einsum", ["q", "q"], ["a"], equation="bhdi,bhdj->bhij"),
                          node("Softmax", ["a"], ["p"], axis=-1), node("Einsum", ["p", "q"], ["o"], equation="bhij,bhdj->bhdi"),
                          node("Einsum", ["o", "w"], ["y"], equation="bhdi,hd->bi")], {"s": ints(1, 2, 2, 4), "w": (w22 := weights(2, 2))},
     lambda x: torch.einsum("bhdi,hd->bi", torch.einsum(
         "bhij,bhdj->bhdi", torch.einsum("bhdi,bhdj->bhij", *[x.reshape(1, 2, 2, 4)] * 2).softmax(-1), x.reshape(1, 2, 2, 4)), t(w22)),
     "arrange arrange matmul arrange softmax arrange arrange matmul arrange conv", shape=(1, 4, 2, 2))
case("einsum_of_constants", [node("Einsum", ["v", "w"], ["m"], equation="io,ck->ioc"), node("Reshape", ["m", "s"], ["k"]),
                             node("Conv", ["x", "k"], ["y"])], {"v": w23, "w": w32, "s": ints(6, 3, 1, 1)},
     lambda x: F.conv2d(x, torch.einsum("io,ck->ioc", t(w23), t(w32)).reshape(6, 3, 1, 1)), "conv")
joined("einsum_over_the_batch", [node("Relu", ["x"], ["r"]), node("Einsum", ["r"], ["y"], equation="bchw->chw")], {}, lambda x: F.relu(x[0]), "relu")
refused("einsum_diagonal", [node("Einsum", ["x"], ["y"], equation="bcaa->bca")], {}, "a diagonal", shape=(1, 2, 3, 3))

# ---- Choices ----

mask = np.array([True, False, True, True, False]).reshape(1, 1, 1, 5)
zero, tenth = np.float32(0), np.float32(0.1)
case("where_positive", [node("Greater", ["x", "0"], ["c"]), node("Mul", ["x", "a"], ["s"]), node("Where", ["c", "x", "s"], ["y"])],
     {"0": zero, "a": tenth}, lambda x: F.leaky_relu(x, 0.1), "function relu scale mul constant sub mul add")
case("where_masked", [node("Where", ["m", "x", "v"], ["y"])], {"m": mask, "v": np.float32(-2)}, lambda x: torch.where(t(mask), x, t(np.float32(-2))), "constant mul constant add")
case("where_infinite", [node("Where", ["m", "x", "v"], ["w"]), node("Softmax", ["w"], ["y"], axis=-1)], {"m": mask, "v": np.float32(-np.inf)},
     lambda x: x.masked_fill(~t(mask), -np.inf).softmax(-1), "constant mul constant add arrange softmax arrange")
case("compared", [node("Less", ["x", "h"], ["a"]), node("GreaterOrEqual", ["x", "l"], ["b"]), node("And", ["a", "b"], ["c"]),
                  node("Equal", ["x", "e"], ["d"]), node("Or", ["c", "d"], ["f"]), node("Not", ["f"], ["g"]), node("Cast", ["g"], ["y"], to=1)],
     {"h": np.float32(0.5), "l": np.float32(-0.5), "e": np.float32(-1)},
     lambda x: (~(((x < 0.5) & (x >= -0.5)) | (x == -1))).float(), "constant sub function relu constant sub function relu constant sub mul constant sub function function constant sub max constant sub", opset=16)

# ---- More axes than maps, rows and columns ----

case("anchors", [node("Reshape", ["x", "s"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 4, 2]),
                 node("Split", ["b", "p"], ["c", "d"], axis=4), node("Sigmoid", ["c"], ["e"]), node("Add", ["e", "g"], ["f"]),
                 node("Mul", ["d", "k"], ["m"]), node("Concat", ["f", "m"], ["n"], axis=-1), node("Reshape", ["n", "q"], ["y"])],
     {"s": ints(1, 2, 3, 3, 2), "p": ints(2, 1), "g": (grid := weights(1, 1, 3, 2, 2)), "k": (size := weights(1, 2, 1, 1, 1)), "q": ints(1, -1, 3)},
     lambda x: (lambda b: torch.cat([b[..., :2].sigmoid() + t(grid), b[..., 2:] * t(size)], -1).reshape(1, -1, 3))(
         x.reshape(1, 2, 3, 3, 2).permute(0, 1, 3, 4, 2)), "arrange arrange sigmoid arrange constant add scale arrange arrange concat arrange", shape=(1, 6, 3, 2))
case("interleaved", [node("Reshape", ["x", "s"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 2, 4]), node("Mul", ["b", "k"], ["y"])],
     {"s": ints(1, 2, 3, 2, 2), "k": (part := weights(1, 2, 1, 3, 1))},
     lambda x: x.reshape(1, 2, 3, 2, 2).permute(0, 1, 3, 2, 4) * t(part), "arrange constant arrange mul", shape=(1, 6, 2, 2))

# ---- Windows ----

wt = weights(3, 2, 3, 3)
case("transposed_further", [node("ConvTranspose", ["x", "w", "b"], ["y"], strides=[1, 2], dilations=[2, 3], output_padding=[1, 2], pads=[0, 1, 1, 0])],
     {"w": wt, "b": (bt := weights(2))},
     lambda x: F.conv_transpose2d(x, t(wt), t(bt), (1, 2), 0, (1, 2), 1, (2, 3))[:, :, :-1, 1:], "pad convtranspose")
for kind, mode in (("bilinear", "linear"), ("bicubic", "cubic")):
    # PyTorch takes a of -0.5 here, and leaves out what is outside.
    case("resize_smooth_" + mode, [node("Resize", ["x", "", "", "s"], ["y"], mode=mode, antialias=1, exclude_outside=1, cubic_coeff_a=-0.5)],
         {"s": ints(1, 3, 3, 7)}, lambda x: F.interpolate(x, (3, 7), mode=kind, antialias=True), "resize", opset=18, shape=(1, 3, 13, 5))

# A matrix from the spectral norm's vectors: weights / (u . (W v)).
wu, wv = weights(4), weights(12)
case("spectral_norm", [node("Reshape", ["w", "s"], ["m"]), node("MatMul", ["m", "v"], ["mv"]), node("MatMul", ["u", "mv"], ["k"]),
                       node("Div", ["w", "k"], ["d"]), node("Conv", ["x", "d"], ["y"])],
     {"w": (ws := weights(4, 3, 2, 2)), "s": ints(4, -1), "u": wu, "v": wv},
     lambda x: F.conv2d(x, t(ws) / torch.dot(t(wu), t(ws).reshape(4, -1) @ t(wv))), "conv")

# ---- Constants by places, and numbers put into maps ----

mix = weights(3, 3)
case("masks_of_constants", [node("Trilu", ["m", "k"], ["a"], upper=0), node("EyeLike", ["m"], ["e"]), node("Add", ["a", "e"], ["b"]),
                            node("OneHot", ["i", "d", "v"], ["o"]), node("MatMul", ["b", "o"], ["c"]), node("CumSum", ["c", "ax"], ["s"], exclusive=1, reverse=1),
                            node("Unsqueeze", ["s", "u"], ["w"]), node("Conv", ["x", "w"], ["y"])],
     {"m": mix, "k": np.array(-1), "i": ints(2, 0, -2), "d": ints(3), "v": np.array([0.5, 2], np.float32), "ax": np.array(1), "u": ints(2, 3)},
     lambda x: F.conv2d(x, (lambda c: (c.flip(1).cumsum(1).flip(1) - c))(
         (torch.tril(t(mix), -1) + torch.eye(3)) @ (0.5 + 1.5 * F.one_hot(torch.tensor([2, 0, 1]), 3))).reshape(3, 3, 1, 1)), "conv", opset=14)
table, places = weights(5, 3), np.array([[0, 2, 1], [2, 2, 0]], np.int64)
case("places_of_constants", [node("GatherND", ["t", "i"], ["g"]), node("GatherElements", ["g", "p"], ["e"], axis=1), node("ScatterElements", ["e", "q", "n"], ["f"], axis=0),
                             node("ScatterND", ["f", "j", "m"], ["s"]), node("NonZero", ["z"], ["k"]), node("Reshape", ["k", "l"], ["h"]),
                             node("Gather", ["x", "h"], ["r"], axis=1), node("Unsqueeze", ["s", "u"], ["w"]), node("Conv", ["r", "w"], ["y"])],
     {"t": table, "i": np.array([[4], [1]]), "p": places, "q": np.array([[1, 0, -1]]), "n": np.array([[1, 2, 3]], np.float32), "j": np.array([[0, 1]]),
      "m": np.array([-1], np.float32), "z": np.array([1, 0, 1, 1], np.float32), "l": ints(-1), "u": ints(2, 3)},
     lambda x: F.conv2d(x[:, [0, 2, 3]], (lambda e: torch.tensor([[e[0, 0], -1, e[0, 2]], [1, e[1, 1], 3]]))(
         t(table)[[4, 1]].gather(1, t(places))).reshape(2, 3, 1, 1)), "conv conv", opset=13, shape=(1, 4, 3, 2))
cells = np.stack(np.meshgrid(*[np.arange(n) for n in (1, 2, 3, 2, 1)], indexing="ij"), -1)
case("put_into_maps", [node("Reshape", ["x", "s"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 4, 2]), node("Slice", ["b", "1", "2", "4"], ["c"]),
                       node("Mul", ["c", "c"], ["d"]), node("ScatterND", ["b", "i", "d"], ["e"]), node("Reshape", ["e", "q"], ["y"])],
     {"s": ints(1, 2, 3, 3, 2), "1": ints(1), "2": ints(2), "4": ints(4), "i": cells + np.array([0, 0, 0, 0, 1]), "q": ints(1, -1, 3)},
     lambda x: (lambda b: torch.cat([b[..., :1], b[..., 1:2] ** 2, b[..., 2:]], -1).reshape(1, -1, 3))(
         x.reshape(1, 2, 3, 3, 2).permute(0, 1, 3, 4, 2)), "arrange mul arrange arrange slice slice concat arrange", shape=(1, 6, 3, 2))

# ---- Powers and gates ----

for p, layers in ((1, "function avgpool scale"), (2, "power avgpool power scale"), (3, "function power avgpool power scale")):
    case("global_power_%d" % p, [node("GlobalLpPool", ["x"], ["y"], p=p)], {}, lambda x: (x.abs() ** p).sum((2, 3), keepdim=True) ** (1 / p), layers)
case("swish_steep", [node("Swish", ["x"], ["y"], alpha=1.5)], {}, lambda x: x * torch.sigmoid(1.5 * x), "scale sigmoid mul", opset=24)


# ---- Branches ----

def branch(name, constant):
    return helper.make_graph([node("Mul", ["r", constant], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])


# What an If makes is found by the name that it has outside: the branch taken is the condition's, computed from a shape here.
case("if_by_shape", [node("Relu", ["x"], ["r"]), node("Shape", ["r"], ["s"]), node("Gather", ["s", "1"], ["c"]), node("Equal", ["c", "3"], ["e"]),
                     node("If", ["e"], ["y"], then_branch=branch("then", "a"), else_branch=branch("other", "b"))],
     {"1": np.array(1), "3": np.array(3), "a": np.float32(2), "b": np.float32(5)}, lambda x: 2 * F.relu(x), "relu scale")
