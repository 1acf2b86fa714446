#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Other people's ONNX nets: every output against ONNX Runtime's, and every command once.

    tests/oracle/foreign_nets.py ZFSCOPE FOLDER [--commands DATA] [NAME...]

FOLDER holds a folder a net, with model.onnx and io.npz: `x`, an input in the model's own layout, and `y0`,
`y1`, ..., what ONNX Runtime answers to it. Distances are in parts of the output's largest number (at
least 1). Of what is further away than 1e-5, both distances from the model in double (in_double.py) are told: then
zfscope may be no further from it than ONNX Runtime. --commands runs each command that takes a MODEL on the net and DATA, pictures in two class folders
or more, or on `x` where the net takes no colour pictures, and prints a row of a table: what ran, and what was refused, whose sentences follow.
Exits 1 where an output is wrong, or a command ends in any way but with a sentence.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BOUND = 1e-5
COMMANDS = ("info", "classify", "activations", "project", "occlude", "invariance", "diagnose", "top", "eval", "transfer",
            "convert", "bench")


class Net:
    def __init__(self, zfscope, folder, work):
        self.zfscope, self.folder, self.work = zfscope, folder, work
        self.model = os.path.join(folder, "model.onnx")
        io = np.load(os.path.join(folder, "io.npz"))
        self.expected = [io["y%d" % k].astype(np.float64) for k in range(len(io.files) - 1)]
        self.x = os.path.join(work, "x.npy")
        x = io["x"].astype(np.float32)
        self.own_x = os.path.join(work, "own.npy")  # in the model's layout
        np.save(self.own_x, x)
        self.sides = []
        said = self.run("info", self.model, "--json")
        if "--input-size" in said.stderr:  # the file leaves it open
            self.sides = ["--input-size", "%dx%d" % x.shape[2:4]]
            said = self.run("info", self.model, "--json")
        self.info = json.loads(said.stdout) if said.returncode == 0 else {"input": x.shape[1:], "refused": said.stderr}
        if list(x.shape[1:]) != list(self.info["input"]):
            x = x.transpose(0, 3, 1, 2)
        np.save(self.x, np.ascontiguousarray(x))

    def run(self, *words):
        return subprocess.run([self.zfscope, *words, *self.sides], capture_output=True, text=True, errors="replace")

    def outputs(self):
        """The names that the file gives its outputs: zfscope says them, where there are several."""
        import onnx

        return [value.name for value in onnx.load(self.model, load_external_data=False).graph.output]

    def distances(self):
        out = os.path.join(self.work, "y.npy")
        for name, right in zip(self.outputs(), self.expected):
            ran = self.run("activations", self.model, self.x, "--prepare", "none", "--output", name, "--layer", name, "-o", out,
                           "--exact")
            if ran.returncode:
                raise RuntimeError("%s: %s" % (name, ran.stderr.strip().split("\n")[-1]))
            ours = np.load(out)
            if ours.size != right.size:
                raise RuntimeError("%s: %d numbers, not %d" % (name, ours.size, right.size))
            ours = ours.reshape(right.shape) if ours.shape != right.shape else ours
            yield name, distance(ours, right), ours, right

    def in_double(self):
        """All outputs, or None where the evaluator lacks an operator, or lacks it in double."""
        out = os.path.join(self.work, "double.npz")
        ran = subprocess.run([sys.executable, os.path.join(HERE, "in_double.py"), self.model, self.own_x, out],
                             capture_output=True, text=True)
        answers = np.load(out) if ran.returncode == 0 else None
        return answers and dict(zip(self.outputs(), (answers["y%d" % k] for k in range(len(answers.files)))))

    def command(self, name, subject, folder):
        """The words of a command on the net."""
        layer = next((l["name"] for l in self.info["layers"] if l["op"] == "conv"), "0")
        out = lambda end: ["-o", os.path.join(self.work, name + end)]
        none = ["--prepare", "none"]
        return [name, self.model] + {
            "info": [],
            "classify": [subject] + none,
            "activations": [subject, "--layer", layer] + none + out(".npy"),
            "project": [subject, "--layer", layer] + none + out(".png"),
            "occlude": [subject, "--size", "16", "--stride", "16"] + none + out(""),
            "invariance": [subject, "--batch", "4"] + none + out(""),
            "diagnose": none + out(""),
            "top": ["--data", folder, "--layer", layer, "--maps", "1"] + none + out(""),
            "eval": ["--data", folder] + none,
            "transfer": ["--data", folder, "--folds", "2", "--per-class", "2", "--layer", layer] + none + out(""),
            "convert": [os.path.join(self.work, "again.onnx")],
            "bench": ["--batch", "1", "--runs", "1", "--warm-up", "0"],
        }[name]


def distance(ours, right):
    return float(np.abs(ours.ravel() - right.ravel()).max() / max(1, np.abs(right).max()))


def judge(net):
    """Whether all outputs are right, and in words."""
    worst = max(net.distances(), key=lambda found: found[1])
    name, away, ours, theirs = worst
    words = "%d outputs, %.0e at most (%s)" % (len(net.expected), away, name)
    if away <= BOUND:
        return True, words
    exact = net.in_double()
    if exact is None:
        return False, words + ", not computed in double"
    own, peer = distance(ours, exact[name]), distance(theirs, exact[name])
    return own <= max(BOUND, peer), words + ": zfscope %.0e and ONNX Runtime %.0e from double" % (own, peer)


def first_picture(data):
    return next(os.path.join(folder, sorted(files)[0]) for folder, _, files in sorted(os.walk(data)) if files)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope")
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--commands", metavar="DATA", help="run every command as well")
    asked = parser.parse_intermixed_args()
    names = asked.names or sorted(n for n in os.listdir(asked.folder) if os.path.exists(os.path.join(asked.folder, n, "io.npz")))
    bad = 0
    for name in names:
        with tempfile.TemporaryDirectory() as work:
            net = Net(os.path.abspath(asked.zfscope), os.path.join(asked.folder, name), work)
            if "refused" in net.info:
                print("%s: refused: %s" % (name, net.info["refused"].strip()), flush=True)
                bad += 1
                continue
            try:
                good, words = judge(net)
                bad += not good
                print("%-4s %s: %s" % ("ok" if good else "OVER", name, words), flush=True)
            except RuntimeError as reason:
                bad += 1
                print("FAIL %s: %s" % (name, reason), flush=True)
            if not asked.commands:
                continue
            subject = first_picture(asked.commands) if net.info["input"][0] == 3 else net.x
            row, sentences = [], []
            for command in COMMANDS:
                ran = net.run(*net.command(command, subject, asked.commands))
                last = (ran.stderr.strip().split("\n") or [""])[-1]
                said = ran.returncode in (1, 2, 3) and last.startswith("zfscope: ")
                row.append("yes" if ran.returncode == 0 else "-" if said else "CRASH")
                bad += row[-1] == "CRASH"
                if ran.returncode:
                    sentences.append("    %s: exit %d: %s" % (command, ran.returncode, last[:300]))
            print("| %s | %s |" % (name, " | ".join(row)))
            print("\n".join(sentences), flush=True)
    return 1 if bad else 0


sys.exit(main())
