# SPDX-License-Identifier: MIT
"""Programs that are timed: one process a round, or one that stays alive between rounds; on this
system, or in the root of another one."""
import json
import os
import pathlib
import subprocess
import tempfile

BENCH = pathlib.Path(__file__).resolve().parents[1]
NOT_INSTALLED = 77

# In a mount namespace of its own, so that nothing is left behind in the root.
ENTER = """
set -e
root=$1 bench=$2 work=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/mnt"
mkdir "$root/mnt/bench" "$root/mnt/made"
mount --bind "$bench" "$root/mnt/bench"
mount --bind "$work" "$root/mnt/made"
exec chroot "$root" "$@"
"""


class Missing(Exception):
    """A peer, or a file, that is not there; the text says which."""


class System:
    """This system, or the one below a root; scripts and made files are seen in both."""

    def __init__(self, work, root=""):
        self.work, self.root = pathlib.Path(work), root
        if root and os.geteuid() != 0:
            raise Missing(f"{root}: only root may enter another system")
        if root and not os.path.exists(f"{root}/etc/os-release"):
            raise Missing(f"{root} is not the root of a system")

    def name(self):
        with open(f"{self.root}/etc/os-release", encoding="utf-8") as release:
            facts = dict(line.rstrip().split("=", 1) for line in release if "=" in line)
        return f"{facts['NAME']} {facts.get('VERSION_ID', '')}".replace('"', "").replace(
            " GNU/Linux", "").strip()

    def script(self, name):
        return f"/mnt/bench/peers/{name}" if self.root else BENCH / "peers" / name

    def made(self, path):
        return f"/mnt/made/{path.relative_to(self.work)}" if self.root else path

    def command(self, words):
        words = [str(word) for word in words]
        if not self.root:
            return words
        return ["unshare", "--mount", "sh", "-c", ENTER, "sh", self.root, str(BENCH),
                str(self.work), *words]

    def environment(self, more):
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return os.environ | (path if self.root else {}) | more


class Program:
    """A process, and what it said on stderr should it fail."""

    def __init__(self, system, words, environment):
        self.words, self.log = words, tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                system.command(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.log, text=True, env=system.environment(environment))
        except FileNotFoundError as error:
            self.log.close()
            raise Missing(f"{words[0]} is not installed") from error

    def last_words(self):
        self.log.seek(0)
        return (self.log.read().decode(errors="replace").strip() or "failed").splitlines()[-1]

    def check(self):
        """After its end: that it ended well. Its peak memory, MiB."""
        _, status, usage = os.wait4(self.process.pid, 0)
        status = self.process.returncode = os.waitstatus_to_exitcode(status)
        if status == NOT_INSTALLED:
            raise Missing("not installed")
        if status != 0:
            raise Missing(f"{' '.join(map(str, self.words))}: {self.last_words()}")
        return usage.ru_maxrss / 1024

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.log.close()


def once(system, words, environment=None):
    """Runs it; its JSON, with its peak memory where that does not say it."""
    program = Program(system, words, environment or {})
    try:
        text = program.process.stdout.read()
        peak = program.check()
        return {"peak_rss_mib": peak} | json.loads(text)
    finally:
        program.close()


class Server:
    """A peer that is asked for one round at a time (peers/serve.py). `facts`: its first line."""

    def __init__(self, system, words, environment):
        self.program = Program(system, words, environment)
        try:
            self.facts = self.answer()
        except Missing:
            self.program.close()
            raise

    def answer(self):
        line = self.program.process.stdout.readline()
        if not line:
            self.program.check()
        return json.loads(line)

    def ask(self, runs):
        self.program.process.stdin.write(f"{runs}\n")
        self.program.process.stdin.flush()
        return self.answer()

    def close(self):
        self.program.close()
