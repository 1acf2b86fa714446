#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every system call of every command fails once. What must come of it: the result all the same, or
exit code 1 (3 where the input is to blame) and one sentence; earlier files whole; nothing half-made
under a final name; and the same command, run again, makes all of it and clears what was left.

Usage: run.py ZFSCOPE SHIM [--short] [--most N] [--seed N] [--commands A,B] [--kinds A,B] [--jobs N]
--most N takes N calls of each kind and command, drawn with the seed, where there are more; --one
tries one number of each, drawn as well; --short is --most 3 with the first number of each, and only
of what is zfscope's to open. SIGINT and SIGTERM end it with the sum so far."""
import argparse
import concurrent.futures
import errno
import os
import random
import re
import shutil
import signal
import sys
import tempfile

from world import COMMANDS, RESUMED, World, listing

ERRORS = {
    "open": ["EMFILE", "EACCES", "EIO", "ENOMEM"], "read": ["EIO", "EINTR"], "readdir": ["EIO"],
    "mmap": ["ENOMEM", "EIO"], "memory": ["ENOMEM"], "write": ["ENOSPC", "EIO", "EINTR"], "fsync": ["EIO", "ENOSPC"],
    "rename": ["EACCES", "EIO"], "close": ["EIO", "ENOSPC"], "thread": ["EAGAIN"],
    "random": ["EAGAIN", "ENOSYS"], "stat": ["EIO", "ENOMEM"], "make": ["ENOSPC", "ENOMEM"]}
SYSTEM = re.compile(r"/(usr|etc|proc|sys|dev|var|lib|opt)/|pipe:|socket:|-$")
# Where their own memory fails, GLib ends the program by an assertion, and oneDNN crashes; where a
# thread for its fonts does not start, Pango does the one or letters otherwise.
ENDS_ITSELF = [-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGSEGV]
LETTERED = re.compile(r"fonts|fontconfig")  # without one of them, words in pictures look otherwise
OF_THE_INPUT = ["EACCES"]  # may be exit code 3: what was named may not be opened


class Faults:
    def __init__(self, given, work):
        self.given, self.work, self.world = given, work, World(given.zfscope, work)
        self.passed = self.failed = 0

    def fault(self, kind, call, error, log=None):
        number = getattr(errno, error) if error else 0
        return {"LD_PRELOAD": self.given.shim, "ZF_FAULT": f"{kind}:{call}:{number}",
                **({"ZF_FAULT_LOG": log} if log else {})}

    def judge(self, name, case, clocked):
        """Complaints, and what was said."""
        kind, call, error, what = case
        directory = tempfile.mkdtemp(prefix="case-", dir=self.work)
        self.world.start(name, directory)
        if RESUMED.match(name):
            clocked = clocked | listing(directory)
        if kind == "thread" or LETTERED.search(what):
            clocked = clocked | {file for file in listing(f"{self.work}/{name}.wanted")
                                 if file.endswith((".png", ".html", ".json"))}
        code, err = self.world.zfscope(COMMANDS[name][0], directory, self.fault(kind, call, error))
        lines = [line for line in err.splitlines() if line.startswith("zfscope: ")]
        found = []
        if code == 0:
            found += self.world.differences(name, directory, clocked, True)
        elif kind in ("memory", "thread") and code in ENDS_ITSELF:
            pass
        elif code not in (1, 3):
            found.append(f"exit code {code}: {err[-300:]}")
        elif len(lines) != 1 or not err.endswith(lines[0] + "\n"):
            found.append(f"no one sentence: {err[-300:]!r}")
        elif code == 3 and error not in OF_THE_INPUT:
            found.append(f"exit code 3: {lines[0]}")
        if code != 0 and not found:
            found += self.world.differences(name, directory, clocked, False)
            found += self.world.run_again(name, directory, clocked)
        shutil.rmtree(directory, ignore_errors=True)
        return found, lines[0] if lines else ""

    def cases(self, name, calls):
        draw = random.Random(f"{self.given.seed} {name}")
        for kind in self.given.kinds:
            ours = [(int(call), what) for of, call, what in calls if of == kind]
            if self.given.short:
                ours = [case for case in ours if not SYSTEM.search(case[1])]
            if self.given.most and len(ours) > self.given.most:
                ours = sorted(draw.sample(ours, self.given.most))
            for call, what in ours:
                errors = ERRORS[kind][: 1 if self.given.short else None]
                for error in [draw.choice(errors)] if self.given.one else errors:
                    yield kind, call, error, what
        yield "short", 0, None, "each transfer"

    def learn(self, name):
        log = f"{self.work}/{name}.log"
        clocked = self.world.learn(name, self.fault("none", 0, None, log))
        with open(log, encoding="utf-8", errors="replace") as file:
            return clocked, [line.rstrip("\n").split(" ", 2) for line in file]

    def run(self):
        try:
            self.fail_all()
        except KeyboardInterrupt:
            print("ended early")
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed > 0

    def fail_all(self):
        with concurrent.futures.ThreadPoolExecutor(self.given.jobs) as pool:
            for name in self.given.commands:
                clocked, calls = self.learn(name)
                cases = list(self.cases(name, calls))
                results = pool.map(lambda case: self.judge(name, case, clocked), cases)
                failed = 0
                for (kind, call, error, what), (found, said) in zip(cases, results):
                    self.passed += not found
                    self.failed += bool(found)
                    failed += bool(found)
                    what = what.replace(self.work, "")
                    if found:
                        print(f"FAIL  {name}: {kind} {call} ({what}), {error}: {'; '.join(found)}", flush=True)
                    elif self.given.verbose:
                        print(f"ok    {name}: {kind} {call} ({what}), {error}: {said}", flush=True)
                print(f"{'FAIL' if failed else 'ok'}    {name}: {len(calls)} calls, {len(cases)} failures tried, "
                      f"{failed} with another end", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("zfscope", type=os.path.realpath)
    parser.add_argument("shim", type=os.path.realpath)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--commands", type=lambda text: text.split(","), default=list(COMMANDS))
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(ERRORS))
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if given.short and not given.most:
        given.most = 3
    with tempfile.TemporaryDirectory() as work:
        return Faults(given, work).run()


sys.exit(main())
