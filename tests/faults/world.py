#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What run.py and kill.py work on: data and a net that take no time, every command that writes, the
files that it makes when nothing fails, and what differs from them when something did."""
import filecmp
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib

from asking import Asker

RESUMED = re.compile(r"train|resume|ablate")  # whose files may stand as they were, and are gone on with
REFUSES = ("train", "ablate", "synth")  # to write where it has written before
# A checkpoint is of its moment; the page of an ablation has its minutes and its command line.
CLOCKS = {name: re.compile(r"checkpoint(\.previous)?$") for name in ("train", "resume")}
CLOCKS["ablate"] = re.compile(r"checkpoint(\.previous)?$|^out/index\.html$")
# What is kept for the next time only: where it cannot be, the result is the same without it.
KEPT = {"eval tar": re.compile(r"\.zfindex$"), "serve": re.compile(r"\.units$")}
NEVER = re.compile(r"(?!)")
GROWS = {"top/out/index.html"}  # a whole page of what there is so far, until all of it is there
TIMEOUT = 600  # seconds; each takes some, on a machine that does nothing else under one
HUNG, UNANSWERED = "hung", "goes on, but does not answer"

RECIPE = ["--batch", "4", "--epochs", "2"]
MODEL, RUN, DATA = "../world/run/model.safetensors", "../world/run", "../world/data"
PICTURES = ["../world/data/a/0.png", "../world/data/b/1.png"]
TRAIN = ["train", "../world/tiny.ini", "--data", DATA, "--val", DATA, *RECIPE, "--keep", "1", "-o", "out"]
ABLATE = ["ablate", "--nets", "../world/tiny.ini", "--data", DATA, "--val", DATA, *RECIPE, "-o", "out"]
# Words, and the words of a second run where they are others.
COMMANDS = {
    "train": (TRAIN, [*TRAIN, "--resume"]),
    "resume": ([*TRAIN, "--resume"], None),
    "eval": (["eval", MODEL, "--data", DATA, "--json", "-o", "eval.json"], None),
    "classify": (["classify", MODEL, *PICTURES, "--json", "-o", "classify.json"], None),
    "activations": (["activations", MODEL, PICTURES[0], "--layer", "conv4", "-o", "a.npy"], None),
    "project": (["project", MODEL, PICTURES[0], "-o", "p.png", "--raw", "p.npy"], None),
    "top": (["top", MODEL, "--data", DATA, "-k", "2", "--maps", "2", "--layer", "conv1", "-o", "out"],
            None),
    "evolve": (["evolve", RUN, "--data", DATA, "--maps", "1", "--layer", "conv1", "-o", "out"], None),
    "invariance": (["invariance", MODEL, PICTURES[0], "-o", "out"], None),
    "diagnose": (["diagnose", MODEL, "--data", DATA, "-o", "out"], None),
    "occlude": (["occlude", MODEL, PICTURES[0], "--data", DATA, "--stride", "8", "-o", "out"], None),
    "correspond": (["correspond", MODEL, "../world/parts.tsv", "--permutations", "10", "-o", "out"],
                   None),
    "transfer": (["transfer", MODEL, "--data", DATA, "--per-class", "2", "--folds", "1", "--layer",
                  "relu7", "-o", "out"], None),
    "ablate": (ABLATE, [*ABLATE, "--resume"]),
    "report": (["report", "../world/results", "-o", "page.html"], None),
    "info": (["info", MODEL, "--json", "-o", "info.json"], None),
    "convert": (["convert", MODEL, "model.onnx"], None),
    "check": (["check", DATA, "--json", "-o", "check.json"], None),
    "pack": (["pack", DATA, "data.pack", "--size", "32"], None),
    "pack parts": (["pack", DATA, "parts", "--size", "32", "--parts", "2"], None),
    "eval packed": (["eval", MODEL, "--data", "../world/data.pack", "--json", "-o", "eval.json"], None),
    "synth": (["synth", "out", "--images", "10"], None),
    "eval page": (["eval", MODEL, "--data", DATA, "--explain", "1", "-o", "out"], None),
    "eval tar": (["eval", MODEL, "--data", "data.tar", "--json", "-o", "eval.json"], None),
    "unit": (["unit", MODEL, "--data", DATA, "--layer", "conv1", "--map", "0", "-o", "out"], None),
    "transfer save": (["transfer", MODEL, "--data", DATA, "--per-class", "2", "--folds", "1", "--layer",
                       "relu7", "--save", "best.safetensors", "-o", "out"], None),
    "serve": (["serve", "model.safetensors", "--data", DATA, "--port", "0", "--json"], None),
}
GIVEN = {"resume": "halfway", "eval tar": "tars", "serve": "served"}  # what stands there before
TINY = "[net]\nname = tiny\nbase = zfnet32\nsize = 32\nclasses = 2\n" + "".join(
    f"\n[{layer}]\nmaps = {maps}\n" for layer, maps in
    [*[(f"conv{i}", 4) for i in range(1, 6)], ("fc6", 8), ("fc7", 8)])


def png(path, side, slope):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x * slope + y * 3 + c * 80) % 256 for x in range(side) for c in range(3))
                    for y in range(side))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class World:
    """A directory with `world` in it, and beside it one for each run of a command."""

    def __init__(self, zfscope, work):
        self.program, self.work = zfscope, work
        self.environment = {**os.environ, "HOME": work, "GOMP_SPINCOUNT": "10000", "OMP_NUM_THREADS": "1",
                            "VIPS_CONCURRENCY": "1"}
        self._make_world()
        os.makedirs(f"{work}/halfway")
        self.zfscope([*TRAIN, "--epochs", "1"], f"{work}/halfway")

    def begin(self, words, directory, more=None):
        process = subprocess.Popen([self.program, *words, "--threads", "1"], cwd=directory,
                                   env=self.environment | (more or {}), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.asker = Asker(process, f"{self.work}/world/data/a/0.png") if words[0] == "serve" else None
        return process

    def end(self, process):
        """Exit code and stderr."""
        try:
            if process.asker:  # who reads what it prints, and ends it
                process.wait(TIMEOUT)
                err = process.stderr.read()
                process.asker.join()
            else:
                err = process.communicate(timeout=TIMEOUT)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            return HUNG, ""
        if process.asker and process.asker.refused:
            return UNANSWERED, process.asker.refused
        return process.returncode, err.decode(errors="replace")

    def zfscope(self, words, directory, more=None):
        with self.begin(words, directory, more) as process:
            return self.end(process)

    def _make_world(self):
        world = os.path.join(self.work, "world")
        for i, name in enumerate("ab"):
            os.makedirs(f"{world}/data/{name}")
            for k in range(4):
                png(f"{world}/data/{name}/{k}.png", 32, 5 + 55 * i + k)
        os.rename(f"{world}/data/a/3.png", f"{world}/data/a/3")  # known by its first bytes
        with open(f"{world}/tiny.ini", "w", encoding="utf-8") as file:
            file.write(TINY)
        with open(f"{world}/parts.tsv", "w", encoding="utf-8") as file:
            file.write("".join(f"data/{c}/{k}.png\tpart{p}\t{8 * p + 10}\t16\n" for c in "ab" for k in range(3)
                               for p in range(2)))
        os.makedirs(f"{self.work}/base")
        for words in (TRAIN, ["top", MODEL, "--data", DATA, "-k", "2", "--maps", "2", "--layer", "conv1",
                              "-o", "../world/results/top"],
                      ["pack", DATA, "../world/data.pack", "--size", "32"]):
            code, err = self.zfscope(words, f"{self.work}/base")
            if code != 0:
                sys.exit(f"cannot make what everything works on: {' '.join(words)}: {code}: {err}")
            if words is TRAIN:
                shutil.move(f"{self.work}/base/out", f"{world}/run")
        os.makedirs(f"{self.work}/served")
        shutil.copy(f"{world}/run/model.safetensors", f"{self.work}/served")
        os.makedirs(f"{self.work}/tars")
        with tarfile.open(f"{self.work}/tars/data.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for name in "ab":
                tar.add(f"{world}/data/{name}", name)

    def start(self, name, directory):
        """What stands there before the command runs."""
        shutil.rmtree(directory, ignore_errors=True)
        if name in GIVEN:
            shutil.copytree(f"{self.work}/{GIVEN[name]}", directory)
        elif name not in REFUSES and os.path.isdir(f"{self.work}/{name}.wanted"):
            shutil.copytree(f"{self.work}/{name}.wanted", directory)
        else:
            os.makedirs(directory)

    def learn(self, name, more=None):
        """Runs a command twice; returns those of its files that tell the clock."""
        words, wanted, second = COMMANDS[name][0], f"{self.work}/{name}.wanted", f"{self.work}/{name}.second"
        for directory, environment in ((second, None), (wanted, more)):
            self.start(name, directory)
            code, err = self.zfscope(words, directory, environment)
            if code != 0:
                sys.exit(f"{name} fails by itself: {code}: {err}")
        return {file for file in listing(wanted)
                if CLOCKS.get(name, NEVER).search(file) or file not in listing(second) or not filecmp.cmp(f"{wanted}/{file}", f"{second}/{file}", False)}

    def differences(self, name, directory, clocked, whole):
        """Torn files; where the `whole` result is to be there, also what is missing and left over."""
        wanted = f"{self.work}/{name}.wanted"
        there, expected = listing(directory), listing(wanted)
        found = [f"{file} is torn" for file in sorted(there & expected - clocked)
                 if not filecmp.cmp(f"{directory}/{file}", f"{wanted}/{file}", False)
                 and (whole or f"{name}/{file}" not in GROWS or not ends_as_page(f"{directory}/{file}"))]
        if whole:
            stable = {re.sub(r"tfevents\..*", "tfevents", file) for file in expected}
            optional = {file for file in expected if KEPT.get(name, NEVER).search(file)}
            found += [f"{file} is missing" for file in sorted(expected - there - clocked - optional)]
            found += [f"{file} is left over" for file in sorted(there - expected)
                      if re.sub(r"tfevents\..*", "tfevents", file) not in stable]
        return found

    def run_again(self, name, directory, clocked):
        """What the next run of a command that failed leaves to be wished for."""
        words, resume = COMMANDS[name]
        code, err = 1, ""
        if resume and listing(directory):
            code, err = self.zfscope(resume, directory)
        if code != 0:
            if name == "synth":
                shutil.rmtree(f"{directory}/out", ignore_errors=True)  # as it asks for
            code, err = self.zfscope(words, directory)
        if code != 0:
            return [f"run again, {code}: {err[-300:]}"]
        return [f"run again, {what}" for what in
                self.differences(name, directory, clocked - {"out/model.safetensors"}, True)]


def ends_as_page(path):
    """Of a page that is written anew while the command runs, with what there is so far."""
    with open(path, "rb") as file:
        return file.read().rstrip().endswith(b"</html>")


def listing(directory):
    return {os.path.relpath(os.path.join(at, file), directory)
            for at, _, files in os.walk(directory) for file in files}
