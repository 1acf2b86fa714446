#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trainings on several ranks: the bits of one process, whatever befalls them.

    bits.py ZFSCOPE MPIRUN   each check is a line; ends with 77 where zfscope is built without MPI
"""
import filecmp
import glob
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

SPEC = """[net]
name = tiny
input = 3x12x12
classes = 10
size = 16
scale = 0.02
[train]
batch = 32
epochs = 4
lr = 0.02
init = he
[conv1]
type = conv
maps = 6
kernel = 5
stride = 2
round = up
[relu1]
type = relu
[lrn1]
type = lrn
[pool1]
type = maxpool
kernel = 2
stride = 2
[fc2]
type = fc
maps = 512
[relu2]
type = relu
[drop2]
type = dropout
[fc3]
type = fc
maps = classes
[prob]
type = softmax
"""
DATA = ["--data", "synth:train:160", "--val", "synth:val:70"]
SILENCE_S = 20  # after which a rank is given up
LIMIT_S = 120  # of one run, on a machine that has other things to do


class Ranks:
    """zfscope by mpirun, or alone for 0 ranks."""

    def __init__(self, program, mpirun):
        self.program, self.mpirun = program, mpirun

    def line(self, ranks, arguments):
        words = [self.program] + arguments
        if ranks == 0:
            return words
        return [self.mpirun] + self.options() + ["-n", str(ranks)] + words

    def options(self):
        """Open MPI wants to be asked twice, MPICH (whose launcher is Hydra) knows none of it."""
        text = subprocess.run([self.mpirun, "--version"], capture_output=True, text=True,
                              check=False).stdout
        if "HYDRA" in text:
            return []
        return ["--allow-run-as-root", "--oversubscribe"]

    def run(self, ranks, *arguments):
        return subprocess.run(self.line(ranks, list(arguments)), capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)

    def start(self, ranks, *arguments):
        return subprocess.Popen(self.line(ranks, list(arguments)), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)


def children(process):
    """The ids of the ranks below a launcher, however deep."""
    found, level = [], [process.pid]
    while level:
        below = []
        for pid in level:
            # Of each thread: Open MPI 6 starts them by another than the first.
            for path in glob.glob(f"/proc/{pid}/task/*/children"):
                try:
                    with open(path, encoding="ascii") as text:
                        below += [int(word) for word in text.read().split()]
                except OSError:
                    pass
        found += below
        level = below
    return sorted(pid for pid in found if program_of(pid) == "zfscope")


def program_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


class Checks:
    def __init__(self):
        self.failed = 0

    def __call__(self, sentence, good, shown=""):
        print(("ok    " if good else "FAIL  ") + sentence, flush=True)
        if not good:
            self.failed += 1
            print(shown, flush=True)


def same(a, b):
    return os.path.exists(a) and os.path.exists(b) and filecmp.cmp(a, b, shallow=False)


def epochs_of(run):
    """What a log says of each epoch, without its times."""
    with open(os.path.join(run, "log.jsonl"), encoding="utf-8") as text:
        lines = [json.loads(line) for line in text]
    return [[line[key] for key in ("epoch", "loss", "train_top1_error", "val_top1_error",
                                   "val_top5_error", "lr", "best")] for line in lines]


def check_bits(check, ranks, precision):
    train = ["train", "tiny.ini", *DATA, "--shards", "16", "--threads", "1", "--seed", "3",
             "--precision", precision, "-q"]
    alone = ranks.run(0, *train, "-o", f"alone-{precision}")
    if precision == "bf16" and alone.returncode == 3:
        print(f"skip  {precision}: {alone.stderr.strip()}")
        return
    check(f"{precision}: one process trains", alone.returncode == 0, alone.stderr)
    for count in (1, 2, 4):
        run = f"{precision}-{count}"
        done = ranks.run(count, *train, "-o", run)
        check(f"{precision}: {count} ranks make the bytes of one process",
              done.returncode == 0 and same(f"alone-{precision}/model.safetensors",
                                            f"{run}/model.safetensors"), done.stderr)
        check(f"{precision}: and its log", epochs_of(f"alone-{precision}") == epochs_of(run))


def check_bad_pictures(check, ranks):
    """Of which some shards have nothing else: their rank adds zeros."""
    assert ranks.run(0, "synth", "photos", "--images", "80", "-q").returncode == 0
    paths = sorted(os.path.join(at, name) for at, _, names in os.walk("photos/train") for name in names)
    for path in random.sample(paths, len(paths) * 6 // 10):
        os.truncate(path, 60)
    train = ["train", "tiny.ini", "--data", "photos/train", "--batch", "4", "--shards", "2", "--threads", "1",
             "--epochs", "2", "-q"]
    alone, done = ranks.run(0, *train, "-o", "bad"), ranks.run(2, *train, "-o", "bad-2")
    check("2 ranks make the bytes of one process where most pictures cannot be read",
          alone.returncode == 0 and done.returncode == 0 and
          same("bad/model.safetensors", "bad-2/model.safetensors"), alone.stderr + done.stderr)


def stop_one(process, which, number):
    """A signal to a rank, once it has been training for a while."""
    deadline = time.time() + LIMIT_S
    while process.poll() is None and time.time() < deadline:
        ranks = children(process)
        if len(ranks) > which:
            os.kill(ranks[which], number)
            return True
        time.sleep(0.01)
    return False


def wait_for(path, process):
    deadline = time.time() + LIMIT_S
    while not os.path.exists(path) and process.poll() is None and time.time() < deadline:
        time.sleep(0.01)


def check_signals(check, ranks):
    """A run long enough to be hit, by SIGTERM and by SIGKILL; it goes on with other ranks."""
    train = ["train", "tiny.ini", "--data", "synth:train:1600", "--epochs", "3", "--threads", "1",
             "--shards", "16", "--save-every", "1"]
    alone = ranks.run(0, *train, "-q", "-o", "long")
    check("a longer training", alone.returncode == 0, alone.stderr)
    process = ranks.start(4, *train, "-o", "stopped")
    wait_for("stopped/checkpoint", process)
    time.sleep(random.uniform(0.2, 0.6))
    hit = stop_one(process, 2, signal.SIGTERM)
    text = process.communicate(timeout=LIMIT_S)[1]
    check("SIGTERM to one rank stops all of them, and one says how to go on",
          hit and process.returncode != 0 and text.count("--resume") == 1, text)
    process = ranks.start(2, "train", "-o", "stopped", "--resume")
    time.sleep(random.uniform(0.8, 1.6))
    hit = stop_one(process, 1, signal.SIGKILL)
    text = process.communicate(timeout=LIMIT_S)[1]
    check("a rank that is killed ends the others", hit and process.returncode != 0, text)
    check("the checkpoint is whole",
          ranks.run(0, "check", "stopped").returncode == 0)
    done = ranks.run(0, "train", "-o", "stopped", "--resume")
    check("and one process goes on from 4 and 2 ranks to the same bytes",
          done.returncode == 0 and same("long/model.safetensors", "stopped/model.safetensors"),
          done.stderr)


def fill(directory):
    """Leaves no byte on its disk."""
    with open(os.path.join(directory, "filler"), "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def check_full_disk(check, ranks):
    """The directory of rank 0 is on a small disk that fills during the run of check_signals()."""
    os.mkdir("small")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", "small"], capture_output=True,
                             check=False).returncode == 0
    if not mounted:
        print("skip  a full disk: cannot mount one")
        return
    try:
        process = ranks.start(2, "train", "tiny.ini", "--data", "synth:train:1600", "--epochs", "3", "--threads",
                              "1", "--shards", "16", "--save-every", "1", "-q", "-o", "small/run")
        wait_for("small/run/checkpoint", process)
        fill("small")
        begun = time.time()
        text = process.communicate(timeout=LIMIT_S)[1]
        took = time.time() - begun
        check("a full disk on one rank ends all, and one sentence names it", process.returncode != 0 and
              sum(line.startswith("zfscope: rank 0 of 2 (") and line.endswith("No space left on device")
                  for line in text.splitlines()) == 1, text)
        check(f"within {SILENCE_S} s", took < SILENCE_S, f"{took:.1f} s")
        check("the checkpoint is whole", ranks.run(0, "check", "small/run").returncode == 0)
        os.unlink("small/filler")
        done = ranks.run(4, "train", "-o", "small/run", "--resume")
        check("and 4 ranks go on to the same bytes once there is room", done.returncode == 0 and
              same("long/model.safetensors", "small/run/model.safetensors"), done.stderr)
    finally:
        subprocess.run(["umount", "-l", "small"], check=False)


def check_refusals(check, ranks):
    train = ["train", "tiny.ini", "--threads", "1"]
    done = ranks.run(3, *train, *DATA, "-o", "three")
    check("three ranks cannot share 16 shards", done.returncode == 2 and
          done.stderr.count("3 ranks cannot share the 16 shards of a batch evenly") == 1, done.stderr)
    done = ranks.run(2, *train, "--data", "nothing", "-o", "none")
    check("what all ranks fail in is said once", done.returncode == 3 and
          done.stderr.count("cannot open the data set nothing") == 1, done.stderr)
    with open("differs.sh", "w", encoding="ascii") as script:
        script.write('case ${OMPI_COMM_WORLD_RANK-$PMI_RANK} in 1) n=320 ;; *) n=160 ;; esac\n'
                     f'exec "{ranks.program}" train tiny.ini --data synth:train:$n -o differs\n')
    elsewhere = Ranks("bash", ranks.mpirun)
    done = elsewhere.run(2, "differs.sh")
    check("a rank with other data is named", done.returncode == 3 and
          "rank 1 of 2" in done.stderr and "the training data: 320 pictures" in done.stderr,
          done.stderr)
    done = ranks.run(2, "info", "alone-f32/model.safetensors")
    check("a command that does not divide its work says so once", done.returncode == 3 and
          done.stderr.count("info does not divide its work") == 1, done.stderr)


def main():
    program, mpirun = os.path.abspath(sys.argv[1]), sys.argv[2]
    random.seed(1)
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS"):
        os.environ.pop(name, None)
    ranks = Ranks(program, mpirun)
    versions = ranks.run(0, "--version").stdout
    if "MPI" not in versions:
        print("skipped: zfscope is built without MPI")
        return 77
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("tiny.ini", "w", encoding="ascii") as spec:
            spec.write(SPEC)
        check_bits(check, ranks, "f32")
        check_bits(check, ranks, "bf16")
        check_bad_pictures(check, ranks)
        check_signals(check, ranks)
        check_full_disk(check, ranks)
        check_refusals(check, ranks)
    return check.failed > 0


if __name__ == "__main__":
    sys.exit(main())
