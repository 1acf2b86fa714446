#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranks killed at random, and the run gone on with by other numbers of them: minutes.

    kill.py ZFSCOPE MPIRUN [KILLS]   20 by default; exits with 1 where the model is not that of a
                                     run that nobody disturbed
"""
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from bits import LIMIT_S, SPEC, Ranks, same, stop_one


def main():
    program, mpirun = os.path.abspath(sys.argv[1]), sys.argv[2]
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    random.seed(2)
    ranks = Ranks(program, mpirun)
    train = ["train", "tiny.ini", "--data", "synth:train:3200", "--val", "synth:val:70", "--epochs", "6",
             "--threads", "1", "--shards", "16", "--save-every", "1"]
    done, longest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("tiny.ini", "w", encoding="ascii") as spec:
            spec.write(SPEC)
        begun = time.time()
        assert ranks.run(0, *train, "-q", "-o", "alone").returncode == 0
        whole = time.time() - begun
        for trial in range(100 * kills):
            resume = ["--resume"] if os.path.exists("run/checkpoint") else []
            count = random.choice([1, 2, 4, 8])
            process = ranks.start(count, *train, "-q", "-o", "run", *resume)
            time.sleep(random.uniform(0.5, 1 + whole / 4))
            hit = stop_one(process, random.randrange(count), signal.SIGKILL) if done < kills else False
            at = time.time()
            text = process.communicate(timeout=LIMIT_S)[1]
            if hit and process.returncode != 0:
                done += 1
                longest = max(longest, time.time() - at)
                assert not os.path.exists("run/checkpoint") or \
                    ranks.run(0, "check", "run").returncode == 0, text
            if process.returncode == 0:
                equal = same("alone/model.safetensors", "run/model.safetensors")
                print(f"{trial + 1} starts, {done} kills so far, at an end with {count} ranks: "
                      f"{'the same bytes' if equal else 'ANOTHER MODEL'}", flush=True)
                if not equal:
                    return 1
                if done >= kills:
                    break
                shutil.rmtree("run")
    print(f"{done} ranks killed; the others ended within {longest:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
