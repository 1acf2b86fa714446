#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGKILL at random moments, to every command that writes. Whatever stands under a final name
afterwards must be whole; the next run must make all of it and clear what was left. A training is
killed and resumed until it ends, and must have the weights of one that was left alone, each epoch
once in log.jsonl and each step once in TensorBoard's files. SIGINT and SIGTERM end it with the sum so far.

Usage: kill.py ZFSCOPE N [--seed N] [--commands A,B]"""
import argparse
import filecmp
import json
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time

from world import COMMANDS, RESUMED, World, listing

LONGER = ["--epochs", "6"]


def events(paths):
    """(step, tag) of what TensorBoard shows of these files: where a session starts, what was there from its first step
    on is void."""
    found = []
    for path in sorted(paths):
        for step, tags, starts in records(path):
            if starts:
                found = [shown for shown in found if shown[0] < step]
            found += [(step, tag) for tag in tags]
    return found


def records(path):
    """(step, tags, whether a session starts) of each record; a torn end ends them."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at + 12 <= len(data):
        length = struct.unpack_from("<Q", data, at)[0]
        record = data[at + 12:at + 12 + length]
        if len(record) < length:
            break
        at += 16 + length
        step, tags, starts = 0, [], False
        for number, value in fields(record):
            if number == 2 and isinstance(value, int):
                step = value
            if number == 5:
                tags += [dict(fields(item)).get(1, b"").decode() for n, item in fields(value) if n == 1]
            if number == 7:
                starts = dict(fields(value)).get(1) == 1
        yield step, tags, starts


def fields(record):
    """Of a protobuf message: (number, integer or bytes)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (record[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if record[at - 1] < 128:
                return value
    while at < len(record):
        key = varint()
        wire = key & 7
        if wire == 0:
            yield key >> 3, varint()
        else:
            length = varint() if wire == 2 else {1: 8, 5: 4}[wire]
            yield key >> 3, record[at:at + length]
            at += length


def same(path, wanted):
    return os.path.exists(path) and filecmp.cmp(path, wanted, False)


class Kills:
    def __init__(self, given, work):
        self.given, self.work, self.world = given, work, World(given.zfscope, work)
        self.draw = random.Random(given.seed)
        self.clocked, self.seconds = {}, {}
        self.kills = self.alive = self.passed = self.failed = 0
        for name in given.commands:
            self.clocked[name] = self.world.learn(name)
            start = time.monotonic()
            self.world.start(name, f"{work}/timed")
            self.world.zfscope(COMMANDS[name][0], f"{work}/timed")
            self.seconds[name] = time.monotonic() - start
        os.makedirs(f"{work}/long")
        start = time.monotonic()
        self.world.zfscope([*COMMANDS["train"][0], *LONGER], f"{work}/long")
        self.long_s = time.monotonic() - start

    def kill(self, words, directory, longest_s):
        """Exit code: -9 when it came in time."""
        with self.world.begin(words, directory) as process:
            time.sleep(self.draw.uniform(0, longest_s))
            process.kill()
            self.world.end(process)
        self.kills += process.returncode == -9
        self.alive += process.returncode != -9
        return process.returncode

    def try_command(self, name, directory):
        clocked = self.clocked[name]
        self.world.start(name, directory)
        if RESUMED.match(name):
            clocked = clocked | listing(directory)
        self.kill(COMMANDS[name][0], directory, self.seconds[name])
        return self.world.differences(name, directory, clocked, False) + \
            self.world.run_again(name, directory, clocked)

    def try_training(self, directory):
        """Killed some times, then left to its end."""
        os.makedirs(directory)
        words = [*COMMANDS["train"][0], *LONGER]
        for _ in range(self.draw.randint(1, 5)):
            resume = ["--resume"] if os.path.exists(f"{directory}/out/checkpoint") else []
            if self.kill([*words, *resume], directory, self.long_s) != -9:
                break
        resume = ["--resume"] if os.path.exists(f"{directory}/out/checkpoint") else []
        code, err = self.world.zfscope([*words, *resume], directory)
        if code != 0:
            return [f"resumed, {code}: {err[-300:]}"]
        found = []
        for file in sorted(listing(f"{self.work}/long")):
            if file.endswith(".safetensors") and not same(f"{directory}/{file}", f"{self.work}/long/{file}"):
                found.append(f"{file} differs")
        with open(f"{directory}/out/log.jsonl", encoding="utf-8") as file:
            epochs = [json.loads(line)["epoch"] for line in file]
        found += [] if epochs == list(range(1, 7)) else [f"log.jsonl has the epochs {epochs}"]
        found += [f"{file} is left over" for file in listing(directory) if ".tmp-" in file]
        steps, wanted = (events(f"{at}/{file}" for file in listing(at) if "tfevents" in file)
                         for at in (directory, f"{self.work}/long"))
        if sorted(steps) != sorted(wanted):
            twice = sorted({str(step) for step in steps if steps.count(step) > 1})
            found.append(f"TensorBoard has {len(steps)} values for {len(wanted)}; twice: {', '.join(twice[:4])}")
        return found

    def run(self):
        try:
            self.kill_all()
        except KeyboardInterrupt:
            print("ended early")
        print(f"{self.kills} kills that came in time, {self.alive} after the end; seed {self.given.seed}")
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed > 0

    def kill_all(self):
        tried = 0
        while self.kills + self.alive < self.given.count:
            name = self.draw.choice([*self.given.commands, "a long training"])
            directory = f"{self.work}/killed"
            shutil.rmtree(directory, ignore_errors=True)
            found = self.try_training(directory) if name == "a long training" else self.try_command(name, directory)
            tried += 1
            self.passed += not found
            self.failed += bool(found)
            if found:
                print(f"FAIL  {name}, try {tried} of seed {self.given.seed}: {'; '.join(found)}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("zfscope", type=os.path.realpath)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=lambda text: text.split(","), default=list(COMMANDS))
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as work:
        return Kills(given, work).run()


sys.exit(main())
