#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random ONNX graphs over all operators that are read, held against ONNX Runtime.

    tests/oracle/random_graphs.py ZFSCOPE COUNT [SEED] [--project]     (needs python3-onnx and ONNX Runtime)

Each graph takes a picture through a dozen operators with random attributes, in a random opset. Prints a
line for each that differs by more than 1e-5 of its largest number, is refused, or ends zfscope in any other
way, and leaves its model. Where ONNX Runtime's float32 is that far away, ONNX's reference evaluator judges
the same graph in double; and a graph whose output moves as far, to a factor of four, when its numbers move
by their last digit (the sine of large numbers, a small number under a root) says nothing. With --project the
gradient of one of the output's numbers at the picture, times any direction, is how that number changes in
this direction, by the same evaluator in double ($ZFSCOPE_PYTHON, if this Python has none). Exits 0 when all
agree, 1 when one does not, 77 (skipped) without ONNX Runtime (python3-onnxruntime, or onnxruntime-node).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
BOUND = 1e-5
SLOPE_BOUND = 1e-4
EVALUATOR = os.environ.get("ZFSCOPE_PYTHON", sys.executable).split()  # one that has onnx.reference


class Graph:
    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)
        self.opset = int(self.rng.choice([11, 12, 13, 14, 17]))
        self.nodes, self.constants = [], []
        self.shape = [1, int(self.rng.randint(2, 7)), int(self.rng.randint(6, 13)), int(self.rng.randint(6, 13))]
        self.input = list(self.shape)
        self.name = "input"
        self.others = []  # tensors met on the way, with their shapes

    def pick(self, *choices):
        return choices[self.rng.randint(len(choices))]

    def constant(self, array):
        name = "c%d" % len(self.constants)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def floats(self, *shape, low=-1.0, high=1.0):
        return self.constant(self.rng.uniform(low, high, shape).astype(np.float32))

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def emit(self, op, inputs, shape, **attributes):
        name = "t%d" % len(self.nodes)
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self.others.append((self.name, list(self.shape)))
        self.name, self.shape = name, [int(s) for s in shape]

    # ---- One method an operator ----

    def conv(self):
        n, c, h, w = self.shape
        k, s, d = self.pick(1, 2, 3), self.pick(1, 1, 2), self.pick(1, 1, 2)
        group = c if self.pick(0, 0, 1) else 1
        maps = c if group > 1 else int(self.rng.randint(2, 7))
        pads = [int(p) for p in self.rng.randint(0, 3, 4)]
        reach = (k - 1) * d + 1
        oh, ow = (h + pads[0] + pads[2] - reach) // s + 1, (w + pads[1] + pads[3] - reach) // s + 1
        if oh < 1 or ow < 1:
            return
        self.emit("Conv", [self.name, self.floats(maps, c // group, k, k), self.floats(maps)], [1, maps, oh, ow],
                  kernel_shape=[k, k], strides=[s, s], dilations=[d, d], pads=pads, group=group)

    def conv_transpose(self):
        n, c, h, w = self.shape
        k, s, d = self.pick(1, 2, 3, 4), self.pick(1, 2, 3), self.pick(1, 1, 2)
        group = c if self.pick(0, 0, 1) else 1
        per = int(self.rng.randint(1, 4))
        more, pads = [int(self.rng.randint(0, s)) for _ in "hw"], [int(p) for p in self.rng.randint(0, 2, 4)]
        oh = (h - 1) * s + (k - 1) * d + 1 + more[0] - pads[0] - pads[2]
        ow = (w - 1) * s + (k - 1) * d + 1 + more[1] - pads[1] - pads[3]
        if oh < 1 or ow < 1 or oh * ow > 2000:
            return
        self.emit("ConvTranspose", [self.name, self.floats(c, per, k, k), self.floats(per * group)],
                  [1, per * group, oh, ow], strides=[s, s], dilations=[d, d], pads=pads, output_padding=more,
                  group=group)

    def pool(self):
        n, c, h, w = self.shape
        k, s, p = self.pick(2, 3), self.pick(1, 2), self.pick(0, 1)
        if h + 2 * p < k or w + 2 * p < k:
            return
        out = [1, c, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1]
        if self.pick(0, 1):
            self.emit("MaxPool", [self.name], out, kernel_shape=[k, k], strides=[s, s], pads=[p] * 4)
        else:
            self.emit("AveragePool", [self.name], out, kernel_shape=[k, k], strides=[s, s], pads=[p] * 4,
                      count_include_pad=self.pick(0, 1))

    def resize(self):
        n, c, h, w = self.shape
        mode = self.pick("nearest", "linear", "cubic")
        place = self.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
        oh, ow = self.pick(2 * h, h, max(1, h // 2), h + 3), self.pick(2 * w, w, max(1, w // 2), w + 1)
        if oh * ow > 2000:
            return
        inputs = [self.name, self.floats(0), self.floats(0), self.ints(1, c, oh, ow)]
        if self.opset >= 13:
            inputs = [self.name, "", "", inputs[3]]
        extra = {"nearest_mode": self.pick("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")}
        if mode == "cubic":
            extra = {"cubic_coeff_a": self.pick(-0.75, -0.5), "exclude_outside": self.pick(0, 1)}
        elif mode == "linear":
            extra = {}
        self.emit("Resize", inputs, [1, c, oh, ow], mode=mode, coordinate_transformation_mode=place, **extra)

    def pad(self):
        n, c, h, w = self.shape
        mode = self.pick("constant", "reflect", "edge")
        p = [int(v) for v in self.rng.randint(-1 if min(h, w) > 4 else 0, 3, 4)]
        if mode == "reflect":
            p = [min(max(0, v), (h, w)[i % 2] - 1) for i, v in enumerate(p)]
        inputs = [self.name, self.ints(0, 0, p[0], p[1], 0, 0, p[2], p[3])]
        if mode == "constant" and self.pick(0, 1):
            inputs.append(self.constant(np.array(0.5, np.float32)))
        self.emit("Pad", inputs, [1, c, h + p[0] + p[2], w + p[1] + p[3]], mode=mode)

    def function(self):
        op = self.pick("Relu", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Sigmoid", "Tanh", "HardSigmoid",
                       "Abs", "Erf", "Sin", "Cos", "ThresholdedRelu", "Neg", "Floor", "Celu", "Sign")
        if op == "Celu" and self.opset < 12:
            op = "Elu"
        extra = {"alpha": float(np.float32(self.pick(0.3, 0.9, 1.4)))} if op in (
            "LeakyRelu", "Elu", "ThresholdedRelu", "Celu") else {}
        if op in ("Floor", "Sign") and len(self.nodes) > 1:
            op = "Tanh"  # a step on a computed number hangs on its last digit
        self.emit(op, [self.name], self.shape, **extra)

    def arithmetic(self):
        n, c, h, w = self.shape
        op = self.pick("Add", "Sub", "Mul", "Max", "Min", "Div")
        shape = self.pick((1,), (1, c, 1, 1), (c, 1, 1), (1, 1, h, w), (1, c, h, w), (h, w), (1, c, h, 1))
        low = 0.5 if op == "Div" else -1.0
        constant = self.floats(*shape, low=low)
        first = op in ("Sub", "Add", "Mul") and self.pick(0, 1)
        self.emit(op, [constant, self.name] if first else [self.name, constant], self.shape)

    def combine(self):
        same = [t for t in self.others if t[1] == self.shape]
        if not same:
            return
        other = same[self.rng.randint(len(same))][0]
        self.emit(self.pick("Add", "Sub", "Mul", "Max", "Min"), [self.name, other], self.shape)

    def gate(self):
        n, c, h, w = self.shape
        x, shape = self.name, list(self.shape)
        self.emit("GlobalAveragePool", [x], [1, c, 1, 1])
        self.emit("Sigmoid", [self.name], [1, c, 1, 1])
        self.emit("Mul", [x, self.name], shape)

    def concat(self):
        axis = self.pick(1, 2, 3)
        fits = [t for t in self.others if len(t[1]) == 4 and all(t[1][i] == self.shape[i] for i in range(4) if i != axis)]
        shape = list(self.shape)
        if fits and self.pick(0, 1):
            other, its = fits[self.rng.randint(len(fits))]
        else:
            its = list(shape)
            its[axis] = 2
            other = self.floats(*its)
        shape[axis] += its[axis]
        if np.prod(shape) < 20000:
            self.emit("Concat", [self.name, other] if self.pick(0, 1) else [other, self.name], shape, axis=axis)

    def slice(self):
        axis = self.pick(1, 2, 3)
        extent, step = self.shape[axis], self.pick(1, 2, -1)
        if extent < 4:
            return
        start, end = (1, extent) if step > 0 else (extent - 2, -extent - 1)
        shape = list(self.shape)
        shape[axis] = len(range(*slice(start, end, step).indices(extent))) if step > 0 else extent - 1
        self.emit("Slice", [self.name, self.ints(start), self.ints(end), self.ints(axis), self.ints(step)], shape)

    def gather(self):
        axis = self.pick(1, 2, 3)
        count = int(self.rng.randint(1, 6))
        indices = self.rng.randint(0, self.shape[axis], count)
        shape = list(self.shape)
        shape[axis] = count
        self.emit("Gather", [self.name, self.ints(*indices)], shape, axis=axis)

    def shuffle(self):
        n, c, h, w = self.shape
        if c % 2:
            return
        self.emit("Reshape", [self.name, self.ints(1, 2, c // 2, h, w)], [1, 2, c // 2, h, w])
        self.emit("Transpose", [self.name], [1, c // 2, 2, h, w], perm=[0, 2, 1, 3, 4])
        self.emit("Reshape", [self.name, self.ints(1, c, h, w)], [1, c, h, w])

    def transpose(self):
        perm = self.pick([0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1], [0, 2, 3, 1])
        self.emit("Transpose", [self.name], [self.shape[i] for i in perm], perm=perm)

    def blocks(self):
        n, c, h, w = self.shape
        if h % 2 == 0 and w % 2 == 0 and self.pick(0, 1):
            self.emit("SpaceToDepth", [self.name], [1, 4 * c, h // 2, w // 2], blocksize=2)
        elif c % 4 == 0:
            self.emit("DepthToSpace", [self.name], [1, c // 4, 2 * h, 2 * w], blocksize=2, mode=self.pick("DCR", "CRD"))

    def normal(self):
        n, c, h, w = self.shape
        kind = self.pick("instance", "batch", "layer", "pieces")
        if kind == "instance":
            self.emit("InstanceNormalization", [self.name, self.floats(c), self.floats(c)], self.shape)
        elif kind == "batch":
            self.emit("BatchNormalization", [self.name, self.floats(c), self.floats(c), self.floats(c),
                                             self.floats(c, low=0.5, high=2)], self.shape)
        elif kind == "layer" and self.opset >= 17:
            self.emit("LayerNormalization", [self.name, self.floats(w), self.floats(w)], self.shape, axis=-1)
        else:
            x, shape, axis = self.name, list(self.shape), self.pick([1], [2, 3], [3])
            kept = [1 if i in axis else s for i, s in enumerate(shape)]
            self.emit("ReduceMean", [x], kept, axes=axis)
            self.emit("Sub", [x, self.name], shape)
            centred = self.name
            self.emit("Mul", [centred, centred], shape)
            self.emit("ReduceMean", [self.name], kept, axes=axis)
            self.emit("Add", [self.name, self.constant(np.array(1e-3, np.float32))], kept)
            self.emit("Sqrt", [self.name], kept)
            self.emit("Div", [centred, self.name], shape)

    def reduce(self):
        x, shape = self.name, list(self.shape)
        axes = self.pick([1], [2], [3], [2, 3], [1, 2])
        kept = [1 if i in axes else s for i, s in enumerate(shape)]
        self.emit(self.pick("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"), [x], kept, axes=axes)
        self.emit("Add", [x, self.name], shape)

    def joined(self):
        """A reduction over an axis that maps and rows share, or all of them."""
        n, c, h, w = self.shape
        whole, into = list(self.shape), self.pick([1, c * h, w], [1, c, h * w], [1, c * h * w])
        axis = int(self.rng.randint(1, len(into)))
        self.emit("Reshape", [self.name, self.ints(*into)], into)
        x, kept = self.name, [1 if i == axis else e for i, e in enumerate(into)]
        self.emit(self.pick("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"), [x], kept, axes=[axis])
        self.emit(self.pick("Add", "Sub", "Max"), [x, self.name], into)
        self.emit("Reshape", [self.name, self.ints(*whole)], whole)

    def softmax(self):
        self.emit("Softmax", [self.name], self.shape, axis=self.pick(1, 3) if self.opset >= 13 else 1)

    def matmul(self):
        w, out = self.shape[3], int(self.rng.randint(2, 7))
        self.emit("MatMul", [self.name, self.floats(w, out)], self.shape[:3] + [out])

    def expand(self):
        n, c, h, w = self.shape
        if c * h * w < 600:
            self.emit("Tile", [self.name, self.ints(1, 1, 2, 1)], [1, c, 2 * h, w])

    def einsum(self):
        n, c, h, w = self.shape
        if self.opset < 12:
            return
        out = int(self.rng.randint(2, 6))
        how = self.pick("nchw,oc->nohw", "nchw,wv->nchv", "nchw,hv->ncvw", "nchw,co->nowh", "nchw,c->nhwc", "...w,wv", "pairs")
        if how == "pairs":
            x = self.name
            if c * h * h * max(h, w) > 20000:
                return
            self.emit("Einsum", [x, x], [n, c, h, h], equation="nchw,nckw->nchk")
            self.emit("Mul", [self.name, self.constant(np.array(0.1, np.float32))], self.shape)
            return
        extents = {"n": n, "c": c, "h": h, "w": w, "o": out, "v": out}
        terms, _, result = how.partition("->")
        matrix = [extents[k] for k in terms.split(",")[1]]
        result = result or "nchv"
        inputs = [self.name, self.floats(*matrix)]
        if how == "nchw,oc->nohw" and self.pick(0, 1):
            inputs, how = inputs[::-1], "oc,nchw->nohw"
        self.emit("Einsum", inputs, [extents[k] for k in result], equation=how)

    def choose(self):
        n, c, h, w = self.shape
        x, shape = self.name, list(self.shape)
        kind = self.pick("greater", "mask", "half")
        if kind == "mask":
            mask = self.constant(self.rng.rand(*self.pick((1, 1, h, w), (c, 1, 1), (w,))) > 0.3)
            self.emit("Where", self.pick([mask, x, self.constant(np.array(-0.7, np.float32))],
                                         [mask, self.floats(1, c, 1, 1), x]), shape)
            return
        self.emit(self.pick("Greater", "Less"), [x, self.constant(np.array(self.pick(0, 0.1), np.float32))], shape)
        condition = self.name
        if kind == "half":
            self.emit("Not", [condition], shape)
            condition = self.name
        self.emit("Mul", [x, self.constant(np.array(0.3, np.float32))], shape)
        self.emit("Where", [condition, x, self.name], shape)

    def apart(self):
        """As a detector's head: [1, anchors, rows, columns, numbers], cut, computed with, joined."""
        n, c, h, w = self.shape
        if c % 2 or c < 4:
            return
        x, k = self.name, c // 2
        self.emit("Reshape", [x, self.ints(1, 2, k, h, w)], [1, 2, k, h, w])
        self.emit("Transpose", [self.name], [1, 2, h, w, k], perm=[0, 1, 3, 4, 2])
        whole, parts = self.name, []
        for first, last in ((0, 1), (1, k)):
            self.emit("Slice", [whole, self.ints(first), self.ints(last), self.ints(4)], [1, 2, h, w, last - first])
            shape = list(self.shape)
            spread = self.pick((1, 1, h, w, 1), (1, 2, 1, 1, last - first), (1, 2, 1, w, 1), (1, 1, h, 1, last - first))
            self.emit(self.pick("Add", "Mul"), [self.name, self.floats(*spread)], shape)
            parts.append(self.name)
        self.emit("Concat", parts, [1, 2, h, w, k], axis=-1)
        self.emit("Reshape", [self.name, self.ints(1, 2 * h, w, k)], [1, 2 * h, w, k])

    STEPS = [conv, conv, conv_transpose, pool, resize, resize, pad, function, function, function, arithmetic, arithmetic,
             combine, combine, gate, concat, slice, gather, shuffle, transpose, blocks, normal, normal, reduce, joined, softmax,
             matmul, expand, einsum, einsum, choose, apart]

    def build(self, path):
        while len(self.nodes) < 12:
            before = (list(self.nodes), list(self.constants), self.name, list(self.shape))
            self.STEPS[self.rng.randint(len(self.STEPS))](self)
            if np.prod(self.shape) > 20000 or min(self.shape) < 1:
                self.nodes, self.constants, self.name, self.shape = before
        self.emit("Flatten", [self.name], [1, int(np.prod(self.shape))])  # maps in any order have one here
        self.nodes[-1].output[0] = "y"
        graph = helper.make_graph(self.nodes, "random", [helper.make_tensor_value_info("input", TensorProto.FLOAT, self.input)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=7), path)
        x = self.rng.normal(size=self.input).astype(np.float32)
        np.save(path.replace(".onnx", ".npy"), x)


class Skip(Exception):
    pass


def onnx_runtime(path, work, moved=None):
    """What ONNX Runtime makes of the input beside the model, in float32; `moved` moves it by a last digit."""
    x = np.load(path.replace(".onnx", ".npy"))
    try:
        import onnxruntime
    except ImportError:
        out = os.path.join(work, "ort.npy")
        ran = subprocess.run(["node", os.path.join(HERE, "onnxruntime.mjs"), "run", path, path.replace(".onnx", ".npy"), out],
                             capture_output=True, text=True)
        if ran.returncode == 77:
            raise Skip(ran.stdout.strip())
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip().split("\n")[-1][-150:])
        return np.load(out)
    model = onnx.load(path)
    if moved:
        x = a_digit_off(x, moved)
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT and tensor.name not in whole_inputs(model):
                tensor.CopyFrom(numpy_helper.from_array(a_digit_off(numpy_helper.to_array(tensor), moved), tensor.name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"input": x})[0]
    except Exception as error:  # its own exceptions have no common base
        raise RuntimeError(str(error).split("\n")[0][-150:])


def a_digit_off(numbers, rng):
    return np.nextafter(numbers, np.where(rng.rand(*numbers.shape) < 0.5, -np.inf, np.inf).astype(np.float32))


def wavering(path, work, right):
    """How far ONNX Runtime's output moves when all numbers of the graph move by their last digit."""
    rng = np.random.RandomState(0)
    return max(distance(onnx_runtime(path, work, rng), right) for _ in range(5))


def in_double(path):
    """The same graph with all its numbers in double (in_double.py)."""
    out = path.replace(".onnx", ".npz")
    ran = subprocess.run(EVALUATOR + [os.path.join(HERE, "in_double.py"), path, path.replace(".onnx", ".npy"), out],
                         capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().split("\n")[-1])
    return np.load(out)["y0"]


def whole_inputs(model):
    """Those that stay float32 whatever the numbers are: Resize's region and scales."""
    return {name for node in model.graph.node if node.op_type == "Resize" for name in node.input[1:3]}


def distance(ours, right):
    ours, right = ours.ravel().astype(np.float64), right.ravel().astype(np.float64)
    return np.inf if ours.size != right.size else np.abs(ours - right).max() / max(1, np.abs(right).max())


class Slopes:
    """directional.py, kept running: ONNX's evaluator takes a second to load."""

    def __init__(self):
        self.run = subprocess.Popen(EVALUATOR + [os.path.join(HERE, "directional.py")], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)

    def away(self, path, gradient, number):
        """How far the gradient is from the number's change in several directions; None where the evaluator cannot say."""
        self.run.stdin.write("%s\t%s\t%s\t%d\n" % (path, path.replace(".onnx", ".npy"), gradient, number))
        self.run.stdin.flush()
        said = self.run.stdout.readline().strip()
        return None if said.startswith("-") else float(said)


def projected(zfscope, path, work, shape):
    """The gradient of the output's largest number, as a file, and which number it is; None where that is 0."""
    raw = os.path.join(work, "gradient.npy")
    ran = subprocess.run([zfscope, "project", path, path.replace(".onnx", ".npy"), "--layer", "y", "--rule", "gradient", "--exact", "--threads", "1",
                          "--engine", "reference", "--raw", raw, "-o", os.path.join(work, "p.png"), "--json"],
                         capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError("project: exit %d: %s" % (ran.returncode, ran.stderr.strip()[-200:]))
    said = json.loads(ran.stdout)
    if said["activation"] == 0:
        return None, 0
    np.save(raw, np.load(raw).astype(np.float64) / said["activation"])
    return raw, int(np.ravel_multi_index((0, said["map"], said["y"], said["x"]), shape))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--project", action="store_true", help="hold the gradients as well")
    asked = parser.parse_args()
    zfscope, count, first = os.path.abspath(asked.zfscope), asked.count, asked.seed
    slopes = Slopes() if asked.project else None
    held = 0
    work = tempfile.mkdtemp()
    bad = unjudged = 0
    for seed in range(first, first + count):
        path = os.path.join(work, "%d.onnx" % seed)
        Graph(seed).build(path)
        run = subprocess.run([zfscope, "activations", path, path.replace(".onnx", ".npy"), "--layer", "y", "-o",
                              os.path.join(work, "y.npy"), "--exact", "--threads", "1", "--engine", "reference"], capture_output=True, text=True)
        if run.returncode:
            print("%d: exit %d: %s  %s" % (seed, run.returncode, run.stderr.strip()[-200:], path), flush=True)
            bad += 1
            continue
        try:
            theirs = onnx_runtime(path, work)
        except Skip as reason:
            print(reason)
            return 77
        except RuntimeError as reason:  # what ONNX Runtime itself refuses says nothing
            print("%d: ONNX Runtime: %s" % (seed, reason), flush=True)
            unjudged += 1
            os.remove(path)
            continue
        ours = np.load(os.path.join(work, "y.npy"))
        away = distance(ours, theirs)
        if not away <= BOUND:
            try:
                exact = in_double(path)
                exact_away, rounding = distance(ours, exact), "by %.1e" % distance(theirs, exact)
                away = min(away, exact_away)
            except RuntimeError as reason:  # an operator that the evaluator has not, or not in double
                rounding = reason
            moves = wavering(path, work, theirs)
            print("%d: off by %.1e in the end; ONNX Runtime %s; a last digit moves it by %.1e" % (seed, away, rounding, moves),
                  flush=True)
            away = 0 if away <= 4 * moves else away  # each of a dozen operators rounds as well
        if not away <= BOUND:
            print("%d: DIFFERS  %s" % (seed, path), flush=True)
            bad += 1
            continue
        if slopes:
            try:
                gradient, number = projected(zfscope, path, work, (ours.shape + (1, 1))[:4])
                away = slopes.away(path, gradient, number) if gradient else None
            except RuntimeError as reason:
                print("%d: %s  %s" % (seed, reason, path), flush=True)
                bad += 1
                continue
            held += away is not None
            if away is not None and not away <= SLOPE_BOUND:
                print("%d: GRADIENT off by %.1e  %s" % (seed, away, path), flush=True)
                bad += 1
                continue
        os.remove(path)
    if slopes:
        print("%d gradients held" % held)
    print("%d of %d graphs agree, %d that ONNX Runtime refuses" % (count - bad - unjudged, count, unjudged))
    return 1 if bad else 0


sys.exit(main())
