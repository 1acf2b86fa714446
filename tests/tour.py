#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tour of docs/tour.md, typed in as it stands there: each command must succeed, and what stands below it must be
on the screen, in that order. Numbers and the names of the drawings' classes may differ, as they do from machine to
machine; a line of "..." stands for any others.

    tour.py ZFSCOPE TOUR.md           run it in a temporary directory
    tour.py ZFSCOPE TOUR.md --print   and print what came, to be put there
"""
import os
import re
import subprocess
import sys
import tempfile

CLASSES = "boat|butterfly|car|clock|cup|face|fish|flower|house|tree"


def steps(text):
    """Command and expected lines of every console block."""
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            lines = part.rstrip("\n").split("\n")
            while lines[0].endswith("\\"):
                lines[0] = lines[0][:-1] + lines.pop(1)
            yield lines[0], lines[1:]


def pattern(line):
    """Any number where one stands, any class where one stands; blanks as many as there are."""
    escaped = re.escape(line.strip())
    escaped = re.sub(r"(?<![a-z])\d[\d.]*(?:e-\d+)?|(?<![a-z])\d(?:\\ \d{3})+", r"[0-9][0-9e. -]*", escaped)
    escaped = re.sub(rf"\b(?:{CLASSES})\b", f"(?:{CLASSES})", escaped)
    return re.sub(r"(?:\\ )+", r"\\s+", escaped)


def missing(expected, came):
    """The first expected line that did not come behind those before it, or None."""
    at = 0
    for line in expected:
        if line.strip() in ("...", ""):
            continue
        form = re.compile(pattern(line))
        while at < len(came) and not form.fullmatch(came[at].strip()):
            at += 1
        if at == len(came):
            return line
        at += 1
    return None


def main():
    zfscope, tour = os.path.realpath(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
    showing = "--print" in sys.argv
    found = list(steps(tour))
    assert len(found) >= 8, f"only {len(found)} commands were found"
    with tempfile.TemporaryDirectory() as work:
        os.symlink(zfscope, os.path.join(work, "zfscope"))
        environment = dict(os.environ, PATH=work + ":" + os.environ["PATH"])
        inside = os.path.join(work, "tour")
        os.mkdir(inside)
        for command, expected in found:
            done = subprocess.run(["bash", "-c", command], cwd=inside, env=environment, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if showing:
                print("$ " + command + "\n" + done.stdout, end="")
            if done.returncode:
                sys.exit(f"FAIL  {command}: exit code {done.returncode}\n{done.stdout}")
            line = missing(expected, done.stdout.split("\n"))
            if line is not None and not showing:
                sys.exit(f"FAIL  {command}: no line like\n    {line}\nin\n{done.stdout}")
            print("ok    " + command, file=sys.stderr if showing else sys.stdout)


def test():
    assert missing(["top-1 error 0.1 boat", "...", "10 pictures"],
                   ["x", "top-1  error 0.95 tree", "y", "7 pictures", ""]) is None
    assert missing(["10 pictures"], ["10 pictures more"]) == "10 pictures"
    assert missing(["b", "a"], ["a", "b"]) == "a"
    assert list(steps("```console\n$ a \\\n  b\nc\n$ d\n```\n")) == [("a   b", ["c"]), ("d", [])]


if __name__ == "__main__":
    test()
    main()
