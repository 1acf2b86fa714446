#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands of docs/imagenet.md, on an imitation of ImageNet's files: ten classes of drawings, under ImageNet's names
and in tars like its own. Nets are a small one in their places, and trained for an epoch.

    imagenet.py ZFSCOPE IMAGENET.md
"""
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

CLASSES = ["n01440764", "n01443537", "n01484850", "n01491361", "n01494475", "n01496331", "n01498041", "n01514668",
           "n01514859", "n01518878"]
SMALL = "[net]\nname = small\nbase = zfnet32\nclasses = 10\n" + "".join(
    f"[{layer}]\nmaps = {maps}\n" for layer, maps in
    [("conv1", 4), ("conv2", 4), ("conv3", 4), ("conv4", 4), ("conv5", 4), ("fc6", 8), ("fc7", 8)])
PAPERS = re.compile(r"(zfnet|alexnet)(64)?(-wide|-no\d+|-fc\d+)*")


def smaller(words):
    """A command of the page as this test runs it: small nets in the place of the paper's, and little of everything."""
    nets = ["small.ini", "smaller.ini"] + [None] * 20 if words[0] == "ablate" else ["small.ini"] * 20
    made = [nets.pop(0) if PAPERS.fullmatch(word) else word for word in words]
    made = [word for word in made if word is not None]
    if "--parts" in made:
        made[made.index("--parts") + 1] = "3"
    more = {"train": ["--epochs", "2", "--batch", "10"], "ablate": ["--epochs", "1", "--batch", "10"],
            "top": ["--layer", "conv2"], "evolve": ["--layer", "conv2"]}
    if "--resume" in words: # the rest is as it was
        return made
    return made + [word for k, word in enumerate(more.get(words[0], []))
                   if (more[words[0]][k - k % 2]) not in words]


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def pictures(folder):
    """(class, bytes) of every drawing, the class by ImageNet's name."""
    drawn = sorted(os.listdir(folder))
    for name, kind in zip(CLASSES, drawn):
        for file in sorted(os.listdir(os.path.join(folder, kind))):
            with open(os.path.join(folder, kind, file), "rb") as picture:
                yield name, picture.read()


def imitate():
    inner = {name: io.BytesIO() for name in CLASSES}
    tars = {name: tarfile.open(fileobj=inner[name], mode="w", format=tarfile.GNU_FORMAT) for name in CLASSES}
    for k, (name, data) in enumerate(pictures("drawn/train")):
        add(tars[name], f"{name}_{k}.JPEG", data)
    with tarfile.open("ILSVRC2012_img_train.tar", "w", format=tarfile.GNU_FORMAT) as outer:
        for name in CLASSES:
            tars[name].close()
            add(outer, name + ".tar", inner[name].getvalue())
    with tarfile.open("ILSVRC2012_img_val.tar", "w", format=tarfile.GNU_FORMAT) as tar, \
            open("LOC_val_solution.csv", "w") as solution, open("val.txt", "w") as labels:
        solution.write("ImageId,PredictionString\n")
        for k, (name, data) in enumerate(pictures("drawn/val")):
            add(tar, f"ILSVRC2012_val_{k + 1:08}.JPEG", data)
            solution.write(f"ILSVRC2012_val_{k + 1:08},{name} 85 1 499 272 \n")
            labels.write(f"ILSVRC2012_val_{k + 1:08}.JPEG {CLASSES.index(name)}\n")
    with open("synsets.txt", "w") as synsets:
        synsets.write("".join(name + "\n" for name in CLASSES))
    for name in ("small", "smaller"):
        with open(name + ".ini", "w") as spec:
            spec.write(SMALL.replace("name = small", "name = " + name))


def main():
    if sys.argv[1] == "--run": # from the page's commands, in the place of zfscope
        os.execv(sys.argv[2], [sys.argv[2]] + smaller(sys.argv[3:]))
    zfscope, text = os.path.realpath(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) >= 9, f"only {len(blocks)} blocks of commands were found"
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        subprocess.run([zfscope, "synth", "drawn", "--images", "60", "--quiet"], check=True)
        imitate()
        os.mkdir("bin")
        with open("bin/zfscope", "w") as wrapper:
            wrapper.write(f"#!/bin/sh\nexec {sys.executable} -B {os.path.realpath(__file__)} --run {zfscope} \"$@\"\n")
        os.chmod("bin/zfscope", 0o755)
        environment = dict(os.environ, PATH=os.path.join(work, "bin") + ":" + os.environ["PATH"])
        lists = []
        for block in blocks:
            done = subprocess.run(["bash", "-e", "-c", block], env=environment, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                sys.exit(f"FAIL  exit code {done.returncode} of\n{block}\n{done.stdout}")
            print("ok    " + block.split("\n")[0])
            if "> val.tsv" in block:
                with open("val.tsv") as made:
                    lists.append(made.read())
        assert len(lists) == 2 and lists[0] == lists[1], "the two ways to a list of classes differ"
        with open("six.json") as result:
            six = json.load(result)
        assert len(six["models"]) == 6 and six["ensemble"] and six["images"] == 12 and six["views"] == 10, six
        bits = [open(f"zfnet-{seed}/model.safetensors", "rb").read() for seed in (1, 2)]
        assert bits[0] != bits[1], "two seeds gave one net"


if __name__ == "__main__":
    main()
