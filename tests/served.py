# SPDX-License-Identifier: MIT
"""A small net, a few pictures, and a `zfscope serve` of them: for the tests of the server."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse

checked = failed = 0


def check(good, what, found=""):
    global checked, failed
    checked += 1
    if not good:
        failed += 1
        print(f"FAIL: {what} {found}")


def end():
    print(f"{checked - failed} of {checked} checks passed")
    sys.exit(failed > 0)


class World:
    """A directory with run/model.safetensors and photos/."""

    def __init__(self, zfscope, net="zfnet32"):
        self.zfscope = os.path.abspath(zfscope)
        self.directory = tempfile.mkdtemp(prefix="zfscope-serve-")
        self.run("synth", "photos", "--images", "20", "--seed", "3")
        self.run("train", net, "--data", "synth:train:40", "--val", "synth:val:20", "--epochs", "1", "--keep", "1",
                 "-o", "run")
        self.model = "run/model.safetensors"
        self.photos = sorted(os.path.join(folder, name)[len(self.directory) + 1:]
                             for folder, _, names in os.walk(os.path.join(self.directory, "photos/val"))
                             for name in names)

    def run(self, *words):
        return subprocess.run([self.zfscope, *words], cwd=self.directory, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def bytes(self, path):
        with open(os.path.join(self.directory, path), "rb") as file:
            return file.read()

    def close(self):
        shutil.rmtree(self.directory)


class Served:
    """The server of a world, on a port of its own."""

    def __init__(self, world, *words, model=None):
        self.process = subprocess.Popen(
            [world.zfscope, "serve", model or world.model, "--port", "0", "--json", *words], cwd=world.directory,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"serve did not start: {self.process.stderr.read()}")
        self.link = json.loads(line)["link"]
        parts = urllib.parse.urlsplit(self.link)
        self.host, self.port = parts.hostname, parts.port
        self.token = urllib.parse.parse_qs(parts.query)["token"][0]

    def request(self, path, method="GET", body=None, headers=None, token=True, timeout=60, **parameters):
        """Status, headers and bytes."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        known = {"Authorization": f"Bearer {self.token}"} if token else {}
        if parameters:
            path += "?" + urllib.parse.urlencode(parameters)
        try:
            connection.request(method, path, body=body, headers={**known, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def ask(self, path, **parameters):
        status, _, body = self.request(f"/api/{path}", **parameters)
        if status != 200:
            raise AssertionError(f"{path} {parameters}: {status} {body[:200]!r}")
        return json.loads(body)

    def open_socket(self, timeout=10):
        return socket.create_connection((self.host, self.port), timeout=timeout)

    def stop(self, number=signal.SIGTERM):
        """Its exit code, and what it said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        said = self.process.communicate(timeout=30)[1]
        return self.process.returncode, said
