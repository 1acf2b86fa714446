# SPDX-License-Identifier: MIT
"""Somebody who uses a `zfscope serve` while its calls fail: asks for everything once, and again what
was refused, and then ends it."""
import http.client
import json
import signal
import threading
import time
import urllib.parse

TRIES = 3  # one call fails, and two halves of a connection may see it
PATIENCE_S = 600


class Asker(threading.Thread):
    """`refused` is what was refused for good; None where all was answered, or the server ended."""

    def __init__(self, process, picture):
        super().__init__(daemon=True)
        self.process, self.picture, self.refused = process, picture, None
        self.start()

    def run(self):
        link = self.process.stdout.readline()
        try:
            if link:
                self.place = urllib.parse.urlsplit(json.loads(link)["link"])
                self.ask_all()
        except (OSError, http.client.HTTPException):
            pass  # a server that has ended is judged by its exit code
        except LookupError as refused:
            self.refused = str(refused)
        self.process.send_signal(signal.SIGTERM)

    def answer(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=PATIENCE_S)
        token = urllib.parse.parse_qs(self.place.query)["token"][0]
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ask(self, path, method="GET", body=None):
        for attempt in range(TRIES):
            try:
                status, answer = self.answer(method, path, body)
            except (OSError, http.client.HTTPException):
                if attempt == TRIES - 1 or self.process.poll() is not None:
                    raise
                continue
            if status == 200:
                return answer
        raise LookupError(f"{path}: {status} {answer[:200]!r}")

    def json(self, *words):
        return json.loads(self.ask(*words))

    def wait(self, path, over):
        end = time.monotonic() + PATIENCE_S
        while not over(found := self.json(path)):
            if time.monotonic() > end:
                raise LookupError(f"{path} stays at {found}")
            time.sleep(0.05)
        return found

    def ask_all(self):
        with open(self.picture, "rb") as file:
            picture = self.json("/api/pictures", "POST", file.read())["picture"]
        where = f"picture={picture}&layer=conv4"
        for path in ("/", "/api/model", "/api/data", "/api/thumbnail?data=1", "/api/picture?data=0",
                     f"/api/layer?{where}", f"/api/sheet?{where}", f"/api/activations?{where}&form=npy",
                     f"/api/projection?{where}&map=1", f"/api/projection?{where}&map=1&rule=deconvnet&form=png",
                     f"/api/hidden?{where}&x=4&y=4&width=8&height=8", "/api/experiments"):
            self.ask(path)
        for _ in range(TRIES):
            trial = self.json(f"/api/try?experiment=invariance&picture={picture}", "POST")["id"]
            trials = self.wait("/api/trials", lambda found: all(
                one["state"] in ("done", "failed") for one in found["trials"]))["trials"]
            if any(one["id"] == trial and one["state"] == "done" for one in trials):
                break
        else:
            raise LookupError(f"no trial is done: {trials}")
        self.ask(f"/result?id={trial}")
        self.wait("/api/units", lambda units: units["failed"] or units["done"] == units["images"])
