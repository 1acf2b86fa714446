#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each command that looks at a net leaves the same bytes when it is run again, and finds the same
with other batches and threads. Usage: test_repeat.py ZFSCOPE"""
import ast
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BATCH_BOUND = 1e-5  # relative to the larger of a number and 1; of arrays the L2 norm
THREADS_BOUND = 1e-4  # sums over pictures are split by threads, on top of what a batch does

# Commands run in COMMAND/a, COMMAND/b and so on, by names that are the same from each.
MODEL, VAL, TRAIN = "../../run/model.safetensors", "../../data/val", "../../data/train"
PICTURES = ["../../one.png", "../../two.png"]
RECIPE = ["--batch", "20", "--epochs", "2"]

# Words, and what of a run is varied. Not in training, where a last digit that differs after the
# first step is a first digit after many; nor batches where the option is not there, or training's.
COMMANDS = {
    "train": (["train", "zfnet32", "--data", TRAIN, "--val", VAL, *RECIPE, "--keep", "1",
               "-o", "out"], []),
    "eval": (["eval", MODEL, "../../run/epochs/0001.safetensors", "--data", VAL, "--views", "10"],
             ["batch", "threads"]),
    "classify": (["classify", MODEL, *PICTURES], ["threads"]),
    "activations": (["activations", MODEL, PICTURES[0], "--layer", "conv4", "-o", "a.npy"],
                    ["threads"]),
    "project": (["project", MODEL, PICTURES[0], "-o", "p.png", "--raw", "p.npy"], ["threads"]),
    "top": (["top", MODEL, "--data", VAL, "-k", "3", "--maps", "8", "-o", "out"],
            ["batch", "threads"]),
    "unit": (["unit", MODEL, "--data", VAL, "--layer", "relu5", "--map", "3", "-o", "out"],
             ["batch", "threads"]),
    "evolve": (["evolve", "../../run", "--data", VAL, "--maps", "2", "-o", "out"],
               ["batch", "threads"]),
    "invariance": (["invariance", MODEL, PICTURES[0], "-o", "out"], ["batch", "threads"]),
    "diagnose": (["diagnose", MODEL, "--data", VAL, "-o", "out"], ["batch", "threads"]),
    "occlude": (["occlude", MODEL, *PICTURES, "--data", VAL, "--stride", "2", "-o", "out"],
                ["batch", "threads"]),
    "correspond": (["correspond", MODEL, "../../parts.tsv", "--permutations", "100", "-o", "out"],
                   ["batch", "threads"]),
    "transfer": (["transfer", MODEL, "--data", TRAIN, "--per-class", "2,3", "--folds", "2",
                  "--layer", "conv5", "relu7", "-o", "out"], ["threads"]),
    "transfer by SVM": (["transfer", MODEL, "--data", TRAIN, "--per-class", "3", "--folds", "1",
                         "--layer", "relu7", "--classifier", "svm", "-o", "out"], ["threads"]),
    "ablate": (["ablate", "--nets", "zfnet32", "--data", TRAIN, "--val", VAL, *RECIPE,
                "-o", "out"], []),
    "report": (["report", "../../results", "-o", "page.html"], []),
}
VARIATIONS = {"batch": (["--threads", "2", "--batch", "3"], BATCH_BOUND),
              "threads": (["--threads", "1"], THREADS_BOUND)}

# What tells the clock, and so differs: keys that log.jsonl, top.json and occlude --json are promised
# to have, what an ablation cost, and TensorBoard's own format.
CLOCK = ("seconds", "waited_seconds", "wait", "images_per_second")
CLOCK_COLUMN = "training, minutes"
CLOCK_FILES = re.compile(r"(.*/)?events\.out\.tfevents\.[^/]*|ablate/out/index\.html"
                         r"|train/out/command\.json")

zfscope = os.path.realpath(sys.argv[1])
passed = failed = 0


def judge(name, complaint):
    global passed, failed
    print(f"FAIL  {name}: {complaint}" if complaint else f"ok    {name}")
    passed, failed = passed + (not complaint), failed + bool(complaint)


def run(words, directory):
    os.makedirs(directory)
    with open(os.path.join(directory, "stdout.json"), "wb") as out:
        done = subprocess.run([zfscope, *words, "--json"], cwd=directory, stdout=out,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stderr.decode()


def files(directory, name):
    found = {}
    for parent, _, names in os.walk(directory):
        for file in names:
            path = os.path.join(parent, file)
            short = os.path.relpath(path, directory)
            if not CLOCK_FILES.fullmatch(f"{name}/{short}"):
                found[short] = path
    return found


def without_clock(value):
    """A JSON value with zeros for what tells the clock."""
    if isinstance(value, list):
        return [without_clock(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: 0 if key in CLOCK else without_clock(item) for key, item in value.items()}
    if value.get("type") == "table" and CLOCK_COLUMN in value["columns"]:
        at = value["columns"].index(CLOCK_COLUMN)
        value["rows"] = [row[:at] + row[at + 1:] for row in value["rows"]]
    return value


def contents(path):
    with open(path, "rb") as file:
        data = file.read()
    if any(b'"%s"' % key.encode() in data for key in CLOCK) and path.endswith((".json", ".jsonl")):
        return [without_clock(json.loads(line)) for line in
                (data.splitlines() if path.endswith("l") else [data])]
    return data


def same_bytes(name, one, two):
    first, second = files(one, name), files(two, name)
    if first.keys() != second.keys():
        return f"other files: {sorted(first.keys() ^ second.keys())}"
    differ = [file for file in sorted(first) if contents(first[file]) != contents(second[file])]
    return f"other bytes in {', '.join(differ)}" if differ else ""


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in CLOCK:
                yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def read_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack_from("<H", data, 8)[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    assert header["descr"] == "<f4", header
    return struct.unpack_from(f"<{(len(data) - 10 - length) // 4}f", data, 10 + length)


def near(one, two, bound):
    """The sentence on the largest difference in stdout's JSON and in .npy files, if beyond bound."""
    objects = []
    for directory in (one, two):
        with open(os.path.join(directory, "stdout.json"), encoding="utf-8") as file:
            objects.append(dict(leaves(json.load(file))))
    first, second = objects
    if first.keys() != second.keys():
        return "other keys"
    for path, a in first.items():
        b = second[path]
        if not (isinstance(a, float) or isinstance(b, float)):
            if a != b:
                return f"{path} is {a} and {b}"
        elif not abs(a - b) <= bound * max(1.0, abs(a), abs(b)):
            return f"{path} is {a} and {b}, more than {bound} apart"
    for name in os.listdir(one):
        if name.endswith(".npy"):
            a, b = read_npy(os.path.join(one, name)), read_npy(os.path.join(two, name))
            apart = sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5
            if len(a) != len(b) or not apart <= bound * sum(x * x for x in a) ** 0.5:
                return f"{name} is {apart} apart"
    return ""


def prepare():
    def must(*words):
        subprocess.run([zfscope, *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    must("synth", "data", "--images", "60")
    must("train", "zfnet32", "--data", "data/train", "--val", "data/val", *RECIPE, "--keep", "1",
         "-o", "run")
    with open("data/truth.json", encoding="utf-8") as file:
        truth = json.load(file)["images"]
    for image, name in zip(truth, PICTURES):
        shutil.copy(os.path.join("data", image["path"]), os.path.basename(name))
    alike = [image for image in truth if image["label"] == truth[0]["label"]][:4]
    with open("parts.tsv", "w", encoding="utf-8") as file:
        for image in alike:
            for part in image["parts"]:
                file.write(f"data/{image['path']}\t{part['name']}\t{part['x']}\t{part['y']}\n")


def check(name, words, vary):
    base = ["--threads", "2"]
    code, said = run(words + base, os.path.join(name, "a"))
    if code != 0 and "liblinear" in said:
        print(f"skip  {name}: {said.strip()}")
        return
    if code != 0:
        judge(name, f"exit {code}: {said}")
        return
    run(words + base, os.path.join(name, "b"))
    judge(f"{name} repeated", same_bytes(name, os.path.join(name, "a"), os.path.join(name, "b")))
    for variation in vary:
        extra, bound = VARIATIONS[variation]
        code, said = run(words + extra, os.path.join(name, variation))
        judge(f"{name} with other {variation}", said if code else
              near(os.path.join(name, "a"), os.path.join(name, variation), bound))


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    prepare()
    for name, (words, vary) in COMMANDS.items():
        if name == "report":
            os.makedirs("results")
            for other in COMMANDS:
                if os.path.isdir(f"{other}/a/out"):
                    shutil.copytree(f"{other}/a/out", f"results/{other}")
        check(name, words, vary)
    os.chdir("/")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
