#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that mean harm, or do not know what they do; meanwhile an honest one is answered.

    serve_abuse.py ZFSCOPE [--short]
"""
import io
import json
import random
import select
import socket
import struct
import sys
import threading
import time
import zlib

from served import Served, World, check, end

PATIENCE_S = 0.5  # that the honest client is kept waiting, at most


class Honest(threading.Thread):
    """Asks again and again, and remembers the longest answer."""

    def __init__(self, served):
        super().__init__(daemon=True)
        self.served, self.done, self.worst, self.count, self.bad = served, False, 0.0, 0, []

    def run(self):
        while not self.done:
            begin = time.monotonic()
            try:
                status, _, body = self.served.request("/api/picture", data=self.count % 8)
                if status != 200 or "predictions" not in json.loads(body):
                    self.bad.append((status, body[:80]))
            except OSError as error:
                self.bad.append(error)
            self.worst = max(self.worst, time.monotonic() - begin)
            self.count += 1
            time.sleep(0.02)


def head(served, path="/api/model", method="GET", more=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Authorization: Bearer {served.token}\r\n{more}").encode()


def crowd(served, count):
    """Connections that say nothing."""
    held = []
    for _ in range(count):
        try:
            held.append(served.open_socket())
        except OSError:
            break
    time.sleep(1)
    for one in held:
        one.close()
    return len(held)


def half_requests(served, count):
    for i in range(count):
        one = served.open_socket()
        whole = head(served, more="Content-Length: 5\r\n\r\nab", method="POST", path="/api/pictures")
        one.sendall(whole[:1 + i * 7 % len(whole)])
        one.close()


def refused(one):
    """What comes back is a refusal, or an end."""
    try:
        said = one.recv(100)
    except OSError:
        return True
    return said == b"" or said.startswith(b"HTTP/1.1 4")


def endless_headers(served):
    one = served.open_socket()
    try:
        one.sendall(head(served))
        for _ in range(1000):
            one.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
    except OSError:
        pass
    good = refused(one)
    one.close()
    return good


def endless_body(served):
    """Chunks without end: cut off at the limit, not held in memory."""
    one = served.open_socket()
    chunk = b"10000\r\n" + b"b" * 0x10000 + b"\r\n"
    sent = 0
    try:
        one.sendall(head(served, "/api/pictures", "POST", "Transfer-Encoding: chunked\r\n\r\n"))
        while sent < 200 << 20:
            one.sendall(chunk)
            sent += 0x10000
    except OSError:
        pass
    one.close()
    return sent < 200 << 20


def slow_clients(served, count, seconds):
    """A byte now and then, and readers that do not read."""
    writers = [served.open_socket() for _ in range(count)]
    readers = [served.open_socket() for _ in range(count)]
    for one in readers:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.sendall(head(served, "/api/activations?data=0&layer=conv1", more="\r\n"))
    until, at, text = time.monotonic() + seconds, 0, head(served, more="X-A: " + "a" * 500)
    while time.monotonic() < until:
        for one in writers:
            try:
                one.sendall(text[at:at + 1])
            except OSError:
                pass
        at += 1
        time.sleep(0.2)
    ended = sum(bool(select.select([one], [], [], 0)[0]) for one in writers)
    for one in writers + readers:
        one.close()
    return ended


def goers_away(served, count):
    """In the middle of everything."""
    for i in range(count):
        one = served.open_socket()
        path = ("/api/hidden?data=1&x=3&y=3&width=8&height=8", "/api/projection?data=2&layer=conv5", "/api/sheet?data=3&layer=conv1",
                "/api/occlusion?data=4", "/api/moved?data=5&degrees=30", "/api/thumbnail?data=3")[i % 6]
        one.sendall(head(served, path, more="\r\n"))
        if i % 3 == 0:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def png(width, height, row):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compressobj(9)
    data = io.BytesIO()
    for _ in range(height):
        data.write(rows.compress(row))
    data.write(rows.flush())
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", data.getvalue()) + chunk(b"IEND", b""))


def bombs(served, side):
    """Few bytes, many pixels: refused, or decoded where it keeps nobody waiting."""
    claims = png(60000, 1, b"\0" * 10)
    check(served.request("/api/pictures", "POST", claims)[0] == 422, "a picture that is cut off")
    claims = png(100000, 100000 if side > 5000 else 1000, b"")[:200] + b"x" * 100
    check(served.request("/api/pictures", "POST", claims)[0] == 422, "a picture of 10 000 million pixels")
    status = served.request("/api/pictures", "POST", png(side, side, b"\0" * (3 * side + 1)))[0]
    check(status in (200, 422), f"{side} x {side} px in few bytes", status)


def nonsense(served, count):
    rnd = random.Random(1)
    for i in range(count):
        one = served.open_socket()
        text = bytearray(head(served, "/api/projection?data=1&layer=conv2&map=3&y=1&x=1&form=png", more="\r\n"))
        for _ in range(rnd.randrange(1, 6)):
            text[rnd.randrange(len(text))] = rnd.randrange(256)
        try:
            one.sendall(bytes(text))
            one.settimeout(0.2)
            one.recv(100)
        except OSError:
            pass
        one.close()


def paths(served):
    parts = ["..", "%2e%2e", "..%2f", "%2e%2e%2f", "..\\", "%c0%ae%c0%ae", "%00", "~", ".", "//", "%252e%252e", "/etc/passwd",
             "etc%2fpasswd", "run/model.safetensors", "proc/self/environ", "file:///etc/passwd", "%0d%0aX:y", "%ff%fe"]
    for first in ("/", "/api/", "/unit/", "/result/", "/report/", "/serve.js/"):
        for part in parts:
            one = served.open_socket()
            one.sendall(head(served, first + part + "/" + part, more="Connection: close\r\n\r\n"))
            said = b""
            while True:
                got = one.recv(65536)
                if not got:
                    break
                said += got
            one.close()
            good = said.startswith((b"HTTP/1.1 40", b"HTTP/1.1 414")) or (first == "/unit/" and b"unit.js" in said)
            check(good and b"root:" not in said and b"PATH=" not in said and b"\r\nX:y" not in said,
                  f"{first}{part}", said[:60])


def main():
    short = "--short" in sys.argv
    world = World(sys.argv[1])
    served = Served(world, "--data", "photos/val")
    try:
        served.request("/api/picture", data=0)
        honest = Honest(served)
        honest.start()
        held = crowd(served, 200 if short else 1000)
        check(held >= (200 if short else 900), "a crowd is let in", held)
        half_requests(served, 50 if short else 500)
        check(endless_headers(served), "headers without end are cut off")
        check(endless_body(served), "a body without end is cut off")
        ended = slow_clients(served, 10 if short else 100, 2 if short else 20)
        check(short or ended == 100, "who sends a byte now and then is cut off", ended)
        goers_away(served, 60 if short else 600)
        nonsense(served, 100 if short else 2000)
        paths(served)
        bombs(served, 2000 if short else 7000)
        honest.done = True
        honest.join()
        check(not honest.bad and honest.count > 10, "the honest client is answered", honest.bad[:3])
        print(f"the honest client was answered {honest.count} times, in {honest.worst:.3f} s at worst")
        check(short or honest.worst < PATIENCE_S, "and soon", honest.worst)
        code, said = served.stop()
        check(code == 0 and "ERROR" not in said and "runtime error" not in said, "it ends in good order", (code, said[-2000:]))
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
        world.close()
    end()


if __name__ == "__main__":
    main()
