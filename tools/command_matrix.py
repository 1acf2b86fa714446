#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every command on every kind of output and number of channels: a table, each cell run.

    tools/command_matrix.py ZFSCOPE [COMMAND...]        (needs python3-onnx)

Small nets, pictures and arrays are made on the spot. A cell is the channels on which the command ran; where it
was refused, the sentence follows the table. Exits 1 where a command ended in any way but these two, where it ran
or was refused other than REFUSED says, or where its JSON says NaN.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, EACH = 24, 6
CHANNELS = (1, 3, 4)
# How a kind ends: the operators behind six maps, how many classes it tells apart (0 = none).
KINDS = {
    "softmax": (["pool", "fc 5", "Softmax"], 5),
    "log-softmax": (["pool", "fc 5", "LogSoftmax"], 5),
    "logits": (["pool", "fc 5"], 5),
    "one sigmoid": (["pool", "fc 1", "Sigmoid"], 2),
    "one logit": (["pool", "fc 1"], 2),
    "sigmoids": (["pool", "fc 5", "Sigmoid"], 5),
    "numbers": (["pool", "fc 5", "Tanh"], 0),
    "maps": (["Tanh"], 0),
}
# (command, kind or channels) that must be refused; all others must run.
REFUSED = {("classify", "maps"), ("eval", "maps"), ("eval", "numbers"), ("compare", "numbers"), ("compare", "maps"),
           ("train", "maps"), ("invariance", 4)}


def net(path, channels, ends, seed):
    rng = np.random.RandomState(seed)
    nodes, constants, value, width = [], [], "x", channels

    def constant(name, array):
        constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def add(kind, inputs, **attributes):
        nonlocal value
        nodes.append(helper.make_node(kind, [value, *inputs], ["v%d" % len(nodes)], name="%s%d" % (kind.lower(), len(nodes)),
                                      **attributes))
        value = nodes[-1].output[0]

    for maps, stride in ((8, 2), (6, 1)):
        add("Conv", [constant("w%d" % maps, rng.normal(size=(maps, width, 3, 3)) / (3 * width ** 0.5)),
                     constant("b%d" % maps, rng.normal(size=maps) * 0.1)], pads=[1] * 4, strides=[stride] * 2)
        add("Relu", [])
        width = maps
    for end in ends:
        if end == "pool":
            add("GlobalAveragePool", [])
            add("Flatten", [])
        elif end.startswith("fc"):
            outputs = int(end.split()[1])
            add("Gemm", [constant("fc", rng.normal(size=(outputs, width))), constant("fb", rng.normal(size=outputs) * 0.1)], transB=1)
        else:
            add(end, [])
    nodes[-1].output[0] = "y"
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", channels, SIDE, SIDE])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def picture(path, channels, rng, k):
    """A grating whose direction is the class, as a picture or, of other channels, as an array."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    wave = np.cos((x * np.cos(k) + y * np.sin(k)) * 0.8 + rng.uniform(0, 6))
    values = wave[None] * rng.uniform(0.4, 1, size=(channels, 1, 1)) + rng.normal(size=(channels, SIDE, SIDE)) * 0.2
    if channels > 3:
        np.save(path + ".npy", values.astype(np.float32))
        return path + ".npy"
    levels = np.clip(values * 60 + 128, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    with open(path + (".pgm" if channels == 1 else ".ppm"), "wb") as out:
        out.write(b"P%d %d %d 255\n" % (5 if channels == 1 else 6, SIDE, SIDE) + levels.tobytes())
        return out.name


class World:
    """The nets of all kinds, and the pictures of each number of channels in two and in five classes."""

    def __init__(self, directory):
        self.directory = directory
        rng = np.random.RandomState(1)
        self.subjects = {}
        for channels in CHANNELS:
            for k, (kind, (ends, _)) in enumerate(KINDS.items()):
                for other in (0, 1):
                    net(self.model(kind, channels, other), channels, ends, 10 * k + other)
            for classes in (2, 5):
                for c in range(classes):
                    os.makedirs(os.path.join(self.data(channels, classes), "class%d" % c))
                    paths = [picture(os.path.join(self.data(channels, classes), "class%d" % c, str(i)), channels, rng, c)
                             for i in range(EACH)]
            self.subjects[channels] = paths[:2]
            with open(self.parts(channels), "w") as out:
                out.write("".join("%s\t%s\t%d\t%d\t5\n" % (path, part, x, 12) for part, x in (("left", 7), ("right", 16))
                                  for path in paths[:4]))

    def model(self, kind, channels, other=0):
        return os.path.join(self.directory, "%s-%d-%d.onnx" % (kind.replace(" ", "_"), channels, other))

    def data(self, channels, classes):
        return os.path.join(self.directory, "data-%d-%d" % (channels, classes))

    def parts(self, channels):
        return os.path.join(self.directory, "parts-%d.tsv" % channels)

    def words(self, command, kind, channels, out):
        """The command's words, and what it must have written; --json where it has it."""
        model, subjects = self.model(kind, channels), self.subjects[channels]
        data = self.data(channels, KINDS[kind][1] or 5)
        quick = ["--epochs", "1", "--batch", "10"]
        return [command] + {
            "info": [model],
            "classify": [model, *subjects],
            "eval": [model, "--data", data, "-o", out],
            "activations": [model, subjects[0], "--layer", "conv2", "-o", out + ".npy"],
            "project": [model, subjects[0], "-o", out + ".png"],
            "top": [model, "--data", data, "-k", "2", "-o", out],
            "unit": [model, "--data", data, "--layer", "conv2", "--map", "0", "-o", out],
            "occlude": [model, subjects[0], "--size", "6", "--stride", "6", "-o", out],
            "invariance": [model, subjects[0], "-o", out],
            "correspond": [model, self.parts(channels), "--layer", "conv2", "--permutations", "20", "-o", out],
            "diagnose": [model, "--data", data, "-o", out],
            "compare": [model, self.model(kind, channels, 1), "--data", data, "-o", out],
            "transfer": [model, "--data", data, "--per-class", "2", "--folds", "2", "--save", out + ".onnx", "-o", out],
            "train": [model, "--data", data, *quick, "-o", out],
            "convert": [model, out + ".safetensors"],
            "bench": [model, "--batch", "1", "--runs", "1", "--warm-up", "0"],
        }[command] + ([] if command in ("activations", "convert") else ["--json"])


COMMANDS = ("info", "classify", "eval", "activations", "project", "top", "unit", "occlude", "invariance", "correspond",
            "diagnose", "compare", "transfer", "train", "convert", "bench")


def refuse_constant(word):
    raise ValueError("JSON with " + word)


def run(zfscope, words):
    """Whether it ran, what it said where it was refused, and None or what is wrong with how it ended."""
    ran = subprocess.run([zfscope, *words], capture_output=True, text=True, errors="replace")
    last = (ran.stderr.strip().split("\n") or [""])[-1]
    if ran.returncode:
        good = ran.returncode in (2, 3) and last.startswith("zfscope: ")
        return False, last, None if good else "exit %d: %s" % (ran.returncode, last)
    try:
        if "--json" in words:
            json.loads(ran.stdout, parse_constant=refuse_constant)
    except ValueError as why:
        return True, "", "%s: %s" % (why, ran.stdout[:200])
    return True, "", None


def main():
    zfscope, commands = os.path.abspath(sys.argv[1]), sys.argv[2:] or COMMANDS
    wrong, sentences = [], {}
    print("| command | %s |\n|---%s|" % (" | ".join(KINDS), "|---" * len(KINDS)))
    with tempfile.TemporaryDirectory() as directory:
        world = World(directory)
        for command in commands:
            row = []
            for kind in KINDS:
                cell = []
                for channels in CHANNELS:
                    out = os.path.join(directory, "out-%s-%s-%d" % (command, kind.replace(" ", "_"), channels))
                    good, sentence, fault = run(zfscope, world.words(command, kind, channels, out))
                    expected = not {(command, kind), (command, channels)} & REFUSED
                    if fault or good != expected:
                        wrong.append("%s, %s, %d channels: %s" % (command, kind, channels, fault or sentence or "it ran"))
                    if good:
                        cell.append(str(channels))
                    else:
                        sentences.setdefault((command, sentence.replace(directory + "/", "")), (kind, channels))
                row.append(" ".join(cell) or "-")
            print("| `%s` | %s |" % (command, " | ".join(row)), flush=True)
    print("\nRefused:")
    for (command, sentence), (kind, channels) in sentences.items():
        print("    %s (%s, %d): %s" % (command, kind, channels, sentence))
    print("\n%d of %d cells wrong%s" % (len(wrong), len(commands) * len(KINDS) * len(CHANNELS), "".join("\n    " + w for w in wrong)))
    return 1 if wrong else 0


sys.exit(main())
