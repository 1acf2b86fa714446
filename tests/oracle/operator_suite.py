#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ONNX's own operator tests (Debian's libonnx-testdata), as far as they can be layers of a net.

    tests/oracle/operator_suite.py ZFSCOPE [FOLDER] [--list]     (needs python3-onnx)

A test is a model of an operator or two, its inputs and what must come out. The first input of real
numbers is taken for the picture, or made from one by a Reshape and a Neg where it has not the shape of
one, or nothing is done to it; the others become constants, as they are in a net. Counted are those whose first output agrees to 1e-5 of
its largest number, those that are refused and those that differ; --list prints the sentence of each
refusal. Exits 1 where one differs or ends in any way but with a sentence, 77 (skipped) where the tests
are not there.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

BOUND = 1e-5
HALF = 5e-4  # where the test rounds to half precision: zfscope computes on in float32
REAL = (np.float32, np.float16, np.float64)


def tensors(folder, kind):
    out = []
    while os.path.exists(os.path.join(folder, "%s_%d.pb" % (kind, len(out)))):
        with open(os.path.join(folder, "%s_%d.pb" % (kind, len(out))), "rb") as file:
            tensor = onnx.TensorProto.FromString(file.read())
        out.append(numpy_helper.to_array(tensor))
    return out


def as_net(model, inputs):
    """The picture; the other inputs are written into the model. None where no input is one."""
    graph = model.graph
    stored = {t.name for t in graph.initializer}
    asked = [i for i in graph.input if i.name not in stored]
    picture = next((k for k, x in enumerate(inputs) if x.dtype in REAL and x.size > 0), None)
    if picture is None or len(asked) != len(inputs):
        return None
    for k, value in enumerate(asked):
        if k != picture:
            graph.initializer.append(numpy_helper.from_array(inputs[k], value.name))
            graph.input.remove(value)
    return inputs[picture].astype(np.float32)


# Where ONNX Runtime leaves these tests out too ("results mismatch with onnx tests"), and agrees with zfscope:
# the corner of one cell is the first cell's.
NOT_OF_ONNX_RUNTIME = {"test_resize_downsample_scales_cubic_align_corners", "test_resize_downsample_scales_linear_align_corners"}


def behind_a_layer(model, picture):
    """The same with a picture of one row, which is brought into the shape and negated."""
    graph = model.graph
    name = graph.input[0].name
    shape = numpy_helper.from_array(np.array(picture.shape, np.int64), "picture_shape")
    graph.initializer.append(shape)
    graph.node.insert(0, helper.make_node("Reshape", ["picture", "picture_shape"], ["negative"], name="picture_reshape"))
    graph.node.insert(1, helper.make_node("Neg", ["negative"], [name], name="picture_negative"))
    graph.input.insert(0, helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, 1, picture.size]))
    del graph.input[1]
    return -picture.reshape(1, 1, 1, -1)


def compute(zfscope, model, picture, work):
    """The first output, or None, and the sentence of what went wrong."""
    path, x, y = (os.path.join(work, name) for name in ("model.onnx", "x.npy", "y.npy"))
    name = model.graph.output[0].name
    onnx.save(model, path)
    np.save(x, np.ascontiguousarray(picture))
    ran = subprocess.run([zfscope, "activations", path, x, "--output", name, "--layer", name, "-o", y, "--exact",
                          "--engine", "reference"], capture_output=True, text=True, errors="replace")
    if ran.returncode == 0:
        return np.load(y), ""
    sentence = (ran.stderr.strip().split("\n") or [""])[-1]
    if ran.returncode not in (1, 2, 3) or not sentence.startswith("zfscope: "):
        raise RuntimeError("exit %d: %s" % (ran.returncode, sentence))
    return None, sentence.replace(path, "model.onnx")


def agrees(ours, right):
    """Whether it does, and a sentence where not."""
    bound = HALF if right.dtype == np.float16 else BOUND
    away = distance(ours, right)
    return away <= bound, "by %.1e" % away


def distance(ours, right):
    ours, right = ours.ravel().astype(np.float64), right.ravel().astype(np.float64)
    if ours.size != right.size:
        return np.inf
    return np.abs(ours - right).max(initial=0) / max(1, np.abs(right).max(initial=0))


def run_one(zfscope, folder, work):
    """agrees, differs, refused, not a net or crash; and a sentence."""
    model = onnx.load(os.path.join(folder, "model.onnx"))
    try:
        inputs, expected = (tensors(os.path.join(folder, "test_data_set_0"), kind) for kind in ("input", "output"))
        picture = as_net(model, inputs)
    except (TypeError, ValueError, AttributeError) as error:  # sequences, strings, types that NumPy has not
        return "not a net", str(error)
    if picture is None:
        return "not a net", "no input of real numbers"
    try:
        sentence = "no batch of pictures"
        if picture.ndim == 4:
            found, sentence = compute(zfscope, model, picture, work)
            good, words = (False, "") if found is None else agrees(found, expected[0])
            if good or (found is not None and len(picture) == 1):
                return ("agrees" if good else "differs"), words
        found, sentence = compute(zfscope, model, behind_a_layer(model, picture), work)
    except RuntimeError as reason:
        return "crash", str(reason)
    if found is None:
        return "refused", sentence
    good, words = agrees(found, expected[0])
    return ("agrees" if good else "differs"), words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope")
    parser.add_argument("folder", nargs="?", default="/usr/share/libonnx-testdata/data")
    parser.add_argument("--list", action="store_true", help="print every refusal")
    asked = parser.parse_args()
    folders = sorted(os.path.dirname(p) for p in glob.glob(os.path.join(asked.folder, "*", "*", "model.onnx")))
    if not folders:
        print("skipped: no libonnx-testdata; on Debian: apt-get install libonnx-testdata")
        return 77
    counts = {}
    for folder in folders:
        with tempfile.TemporaryDirectory() as work:
            fate, sentence = run_one(asked.zfscope, folder, work)
        if fate == "differs" and os.path.basename(folder) in NOT_OF_ONNX_RUNTIME:
            fate = "differs as ONNX Runtime does"
        counts[fate] = counts.get(fate, 0) + 1
        if fate in ("crash", "differs") or (asked.list and fate != "agrees"):
            print("%-9s %s: %s" % (fate, os.path.relpath(folder, asked.folder), sentence), flush=True)
    print(", ".join("%d %s" % (counts[fate], fate) for fate in sorted(counts)), "of", len(folders))
    return 1 if counts.get("crash") or counts.get("differs") else 0


sys.exit(main())
