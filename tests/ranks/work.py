#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What ranks find out together about a net: the bytes of one process, or one sentence.

    work.py ZFSCOPE MPIRUN   each check is a line; ends with 77 where zfscope is built without MPI
"""
import filecmp
import json
import os
import shutil
import signal
import sys
import tempfile
import time

from bits import LIMIT_S, SPEC, Checks, Ranks, same, stop_one, wait_for

SECOND = """[conv2]
type = conv
maps = 8
kernel = 3
pad = 1
[relu3]
type = relu
[fc2]
"""
CLOCK = ("seconds", "waited_seconds", "wait", "images_per_second", "minutes")


def files_of(folder):
    found = []
    for at, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(at, name), folder) for name in names]
    return sorted(found)


class Work:
    def __init__(self, check, ranks):
        self.check, self.ranks = check, ranks

    def run(self, count, folder, *arguments):
        """In a folder of its own, so that the command line is the same."""
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        os.chdir(folder)
        try:
            return self.ranks.run(count, *arguments, "--threads", "1", "-o", "out")
        finally:
            os.chdir("..")

    def equal(self, name, counts, *arguments, compare=None):
        alone = self.run(0, "alone", *arguments)
        self.check(f"{name}: one process", alone.returncode == 0, alone.stderr)
        names = files_of("alone/out")
        for count in counts:
            done = self.run(count, "shared", *arguments)
            if compare:
                good = compare("alone/out", "shared/out")
            else:
                good = bool(names) and files_of("shared/out") == names and \
                    not filecmp.cmpfiles("alone/out", "shared/out", names, shallow=False)[1] and \
                    done.stdout == alone.stdout
            self.check(f"{name}: {count} ranks make its bytes, and say what it says",
                       done.returncode == 0 and good, done.stderr)


def same_numbers(one, other, left_out=()):
    """But for those of a clock."""
    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in CLOCK and k not in left_out}
        return [strip(v) for v in value] if isinstance(value, list) else value

    with open(one, encoding="utf-8") as a, open(other, encoding="utf-8") as b:
        return strip(json.load(a)) == strip(json.load(b))


def same_top(a, b):
    names = [name for name in files_of(a) if name != "top.json"]
    return files_of(a) == files_of(b) and len(names) > 2 and same_numbers(f"{a}/top.json", f"{b}/top.json") and \
        all(same(f"{a}/{name}", f"{b}/{name}") for name in names)


def same_ablation(a, b):
    models = [name for name in files_of(a) if name.endswith("model.safetensors")]
    return same_numbers(f"{a}/ablate.json", f"{b}/ablate.json", ("blocks",)) and len(models) == 4 and \
        all(same(f"{a}/{name}", f"{b}/{name}") for name in models)


def check_bytes(work):
    net = os.path.abspath("net/model.safetensors")
    other = os.path.abspath("other/model.safetensors")
    spec = os.path.abspath("deep.ini")
    tiny = os.path.abspath("tiny.ini")
    photos = [os.path.abspath(f"photos/val/{name}") for name in files_of("photos/val")[:5]]
    work.equal("eval of two nets, ten views", (3,), "eval", net, other, "--data", "synth:val:97",
               "--views", "10", "--batch", "40", "--explain", "2")
    work.equal("eval with pictures that cannot be read", (4,), "eval", net, "--data",
               os.path.abspath("bad"), "--batch", "4")
    work.equal("eval of fewer pictures than ranks", (4,), "eval", net, "--data", os.path.abspath("few"),
               "--batch", "1")
    work.equal("eval as JSON", (2,), "eval", net, "--data", "synth:val:97", "--json", "--prepare", "auto")
    work.equal("top", (2, 3), "top", net, "--data", "synth:val:43", "--batch", "8", "--k", "4",
               "--layer", "all", compare=same_top)
    work.equal("diagnose", (4,), "diagnose", net, "--data", "synth:val:43", "--batch", "8")
    work.equal("transfer", (2,), "transfer", net, "--data", "synth:val:300", "--per-class", "3",
               "--folds", "2", "--test-per-class", "3")
    work.equal("occlude", (4,), "occlude", net, *photos, "--data", "synth:val:40", "--layer", "conv1")
    work.equal("ablate", (3,), "ablate", "--nets", spec, tiny, "--data", "synth:train:64", "--val",
               "synth:val:20", "--epochs", "1", "--seeds", "2", compare=same_ablation)


def check_failures(work):
    check, ranks = work.check, work.ranks
    net = os.path.abspath("net/model.safetensors")
    bad = os.path.abspath("bad")
    done = work.run(4, "strict", "eval", net, "--data", bad, "--batch", "2", "--strict")
    check("a picture that cannot be read under --strict is named with its rank, once",
          done.returncode == 3 and done.stderr.count("zfscope:") == 1 and "rank " in done.stderr and
          "bad/" in done.stderr and not os.path.exists("strict/out/eval.json"), done.stderr)
    with open("differs.sh", "w", encoding="ascii") as script:
        script.write('case ${OMPI_COMM_WORLD_RANK-$PMI_RANK} in 1) n=32 ;; *) n=16 ;; esac\n'
                     f'exec "{ranks.program}" top {net} --data synth:val:$n -o differs\n')
    done = Ranks("bash", ranks.mpirun).run(2, os.path.abspath("differs.sh"))
    check("a rank with other data is named", done.returncode == 3 and "rank 1 of 2" in done.stderr and
          "the data: 32 pictures" in done.stderr, done.stderr)
    for number, sentence in ((signal.SIGTERM, "stopped after"), (signal.SIGKILL, "")):
        process = ranks.start(3, "eval", net, "--data", "synth:val:400000", "--threads", "1", "-o",
                              number.name)
        wait_for(number.name, process)  # made with the first batch
        hit = stop_one(process, 1, number)
        at = time.time()
        text = process.communicate(timeout=LIMIT_S)[1]
        check(f"{number.name} to one rank ends all of them soon",
              hit and process.returncode != 0 and time.time() - at < 20 and sentence in text, text)
    done = work.run(3, "missing", "diagnose", net, "--data", "nothing")
    check("what all ranks fail in is said once", done.returncode == 3 and
          done.stderr.count("cannot open the data set nothing") == 1, done.stderr)


def prepare(ranks):
    with open("tiny.ini", "w", encoding="ascii") as spec:
        spec.write(SPEC)
    with open("deep.ini", "w", encoding="ascii") as spec:
        spec.write(SPEC.replace("name = tiny", "name = deep").replace("[fc2]\n", SECOND))
    for seed, run in (("1", "net"), ("2", "other")):
        done = ranks.run(0, "train", "deep.ini", "--data", "synth:train:160", "--epochs", "1", "--seed",
                         seed, "-q", "-o", run)
        assert done.returncode == 0, done.stderr
    assert ranks.run(0, "synth", "photos", "--images", "50", "-q").returncode == 0
    shutil.copytree("photos/val", "bad")
    os.mkdir("few")
    for name in files_of("photos/val")[::4]:
        os.makedirs(os.path.dirname(f"few/{name}"), exist_ok=True)
        shutil.copy(f"photos/val/{name}", f"few/{name}")
    for name in files_of("bad")[1::4]:
        with open(f"bad/{name}", "r+b") as file:
            file.truncate(60)


def main():
    program, mpirun = os.path.abspath(sys.argv[1]), sys.argv[2]
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS"):
        os.environ.pop(name, None)
    ranks = Ranks(program, mpirun)
    if "MPI" not in ranks.run(0, "--version").stdout:
        print("skipped: zfscope is built without MPI")
        return 77
    work = Work(Checks(), ranks)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(ranks)
        check_bytes(work)
        check_failures(work)
    return work.check.failed > 0


if __name__ == "__main__":
    sys.exit(main())
