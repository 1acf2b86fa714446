#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Other people's ONNX nets: every output against ONNX Runtime's, and every command once.

    tests/oracle/foreign_nets.py ZFSCOPE FOLDER [--commands DATA] [NAME...]

FOLDER holds a folder a net, with model.onnx and io.npz: `x`, an input in the model's own layout, and `y0`,
`y1`, ..., what ONNX Runtime answers to it. Distances are in parts of the output's largest number (at
least 1). Of what is further away than 1e-5, both distances from the model in double (in_double.py) are told: then
zfscope may be no further from it than ONNX Runtime. --commands runs each command that takes a MODEL on the net and pictures
of DATA (a folder of folders), sorted into as many classes as the net has, or into two where its outputs are none, and prints
a row of a table: what ran, and what was refused, whose sentences follow. Exits 1 where an output is wrong, or a command ends in any way but with a sentence.
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
COMMANDS = ("info", "classify", "activations", "project", "occlude", "invariance", "correspond", "diagnose", "top", "eval",
            "compare", "transfer", "train", "convert", "bench")
EACH = 3  # pictures of a class


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

    def sort(self, pictures):
        """A folder for each class, with links to the pictures in turn; a list of two parts in four of them."""
        said = self.run("classify", self.model, pictures[0], "--json")
        classes = ["a", "b"]
        if said.returncode == 0 and self.info["answer"] != "numbers":
            labels = [p["label"] for p in json.loads(said.stdout)["images"][0]["predictions"]]
            named = any(not label.isdigit() for label in labels)
            classes = labels if named else ["c%05d" % k for k in range(self.info["classes"])]
        folder = os.path.join(self.work, "data")
        for k, name in enumerate(classes):
            os.makedirs(os.path.join(folder, name.replace("/", "_")))
            for i in range(EACH):
                picture = pictures[(k * EACH + i) % len(pictures)]
                os.symlink(os.path.abspath(picture), os.path.join(folder, name.replace("/", "_"), "%d-%s" % (i, os.path.basename(picture))))
        with open(os.path.join(self.work, "parts.tsv"), "w") as out:
            out.writelines("%s\t%s\t%d\t40\n" % (os.path.abspath(p), part, x) for p in pictures[:4] for part, x in (("left", 40), ("right", 80)))
        return folder

    def command(self, name, subject, folder):
        """The words of a command on the net."""
        layer = next((l["name"] for l in self.info["layers"] if l["op"] == "conv"), "0")
        square = str(max(4, min(self.info["input"][1:]) // 4))
        out = lambda end: ["-o", os.path.join(self.work, name + end)]
        none = ["--prepare", "none"]
        return [name, self.model] + {
            "info": [],
            "classify": [subject] + none,
            "activations": [subject, "--layer", layer] + none + out(".npy"),
            "project": [subject, "--layer", layer] + none + out(".png"),
            "occlude": [subject, "--size", square, "--stride", square] + none + out(""),
            "invariance": [subject, "--batch", "4"] + none + out(""),
            "correspond": [os.path.join(self.work, "parts.tsv"), "--size", square, "--permutations", "20", "--resize", "warp"] + none + out(""),
            "diagnose": none + out(""),
            "top": ["--data", folder, "--layer", layer, "--maps", "1"] + none + out(""),
            "eval": ["--data", folder] + none,
            "compare": [self.model, "--data", folder] + none + out(""),
            "transfer": ["--data", folder, "--folds", "1", "--per-class", "2"] + none + out(""),
            "train": ["--data", folder, "--epochs", "1", "--batch", "2", "--lr", "1e-6"] + none + out(""),
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


def pictures_of(data):
    return [os.path.join(folder, name) for folder, _, files in sorted(os.walk(data)) for name in sorted(files)]


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
            pictures = pictures_of(asked.commands)
            folder, row, sentences = net.sort(pictures), [], []
            for command in COMMANDS:
                ran = net.run(*net.command(command, pictures[0], folder))
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
