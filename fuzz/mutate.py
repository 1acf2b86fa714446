#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Damaged models, pictures and arrays through whole commands: each must work, or end in a sentence.

    fuzz/mutate.py ZFSCOPE [COUNT] [--seed N] [--jobs N] [--keep DIR] [FOLDER...]

ZFSCOPE should be a build with sanitizers (-Db_sanitize=address,undefined). COUNT files (5000) are made of those
in tests/onnx, fuzz/corpus and the FOLDERs by a few changes each: bits and bytes, numbers at the ends of
their range, runs left out, doubled, moved or from another file, a cut end. Models go through info,
project and diagnose, pictures and arrays through classify. What ends by a signal, with another exit code than 0 to
3, with a report of a sanitizer, without a sentence, or not within a minute is kept in DIR and named, and the script exits 1.
"""
import argparse
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODELS, INPUTS = (".onnx", ".safetensors"), (".npy", ".npz")
ENDS = [b"\x00", b"\xff", b"\x7f", b"\x80", b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00" * 8, b"\xff" * 8,
        b"\xff" * 9 + b"\x01", b"\x80\x80\x80\x80\x08"]
SECONDS = 60


def find_files(folders):
    found = []
    for folder in folders:
        for path, _, names in sorted(os.walk(folder)):
            found += [os.path.join(path, name) for name in sorted(names)
                      if name.endswith(MODELS + INPUTS) or os.path.basename(path) in ("picture", "pictures")]
    return found


def mutate(rng, data, other):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(data) + 1)
        run = rng.randrange(1, 33)
        kind = rng.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 2:
            end = rng.choice(ENDS)
            data[at:at + len(end)] = end
        elif kind == 3:
            del data[at:at + run]
        elif kind == 4:
            data[at:at] = data[at:at + run]
        elif kind == 5:
            to = rng.randrange(len(data) + 1)
            data[to:to + run] = data[at:at + run]
        elif kind == 6:
            begin = rng.randrange(len(other) + 1)
            data[at:at] = other[begin:begin + run]
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def commands(path, picture, model, out):
    if path.endswith(MODELS):
        sized = ["--input-size", "6x5"] if "open_size" in path else []
        return [["info", path] + sized,
                ["project", path, picture, "--layer", "0", "--prepare", "none", "--raw", out + ".npy", "-o", out + ".png"],
                ["diagnose", path, "-o", out]]
    return [["classify", model, path, "--prepare", "none"]]


def run_one(zfscope, words):
    """What is wrong, or None."""
    environment = dict(os.environ, ASAN_OPTIONS="abort_on_error=0:exitcode=99:allocator_may_return_null=1:detect_leaks=0",
                       UBSAN_OPTIONS="halt_on_error=1:exitcode=99:print_stacktrace=1", OMP_WAIT_POLICY="passive")
    try:
        ran = subprocess.run([zfscope, *words, "--threads", "1"], capture_output=True, timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        return "took more than %d s" % SECONDS
    errors = ran.stderr.decode(errors="replace")
    if ran.returncode not in (0, 1, 2, 3) or "Sanitizer" in errors or "runtime error" in errors:
        return "exit code %d: %s" % (ran.returncode, errors.strip()[:600])
    if ran.returncode != 0 and "zfscope:" not in errors:
        return "exit code %d without a sentence" % ran.returncode
    return None


def try_one(asked, files, work, i):
    """The i-th damaged file, which depends on the seed and i alone. (source, what is wrong)."""
    rng = random.Random(asked.seed * 1000003 + i)
    source, other = rng.choice(files), rng.choice(files)
    path = os.path.join(work, "%d-%s" % (i, os.path.basename(source)))
    with open(source, "rb") as file, open(other, "rb") as more:
        data = mutate(rng, file.read(), more.read())
    with open(path, "wb") as file:
        file.write(data)
    wrong = None
    for words in commands(path, asked.picture, asked.model, os.path.join(work, "out-%d" % i)):
        wrong = run_one(asked.zfscope, words)
        if wrong:
            wrong = "%s: %s" % (words[0], wrong)
            break
    subprocess.run(["rm", "-rf"] + [os.path.join(work, "out-%d%s" % (i, end)) for end in ("", ".npy", ".png")], check=True)
    if wrong and asked.keep:
        os.makedirs(asked.keep, exist_ok=True)
        os.replace(path, os.path.join(asked.keep, os.path.basename(path)))
    elif os.path.exists(path):
        os.remove(path)
    return source, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zfscope", type=os.path.abspath)
    parser.add_argument("count", nargs="?", type=int, default=5000)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", metavar="DIR")
    asked = parser.parse_intermixed_args()
    asked.model = os.path.join(ROOT, "tests", "onnx", "conv.onnx")
    asked.picture = os.path.join(ROOT, "fuzz", "corpus", "picture", "good.png")
    files = find_files([os.path.join(ROOT, "tests", "onnx"), os.path.join(ROOT, "fuzz", "corpus")] + asked.folders)
    bad = 0
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        for i, (source, wrong) in enumerate(pool.map(lambda i: try_one(asked, files, work, i), range(asked.count))):
            if wrong:
                bad += 1
                print("%d, of %s: %s" % (i, os.path.relpath(source, ROOT), wrong), flush=True)
            if i % 500 == 499:
                print("%d files, %d bad" % (i + 1, bad), file=sys.stderr, flush=True)
    print("%d damaged files of %d: %d end badly" % (asked.count, len(files), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
