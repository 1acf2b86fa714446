#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that mean harm, or do not know what they do; meanwhile an honest one is answered.

    serve_abuse.py ZFSCOPE [--short]
"""
import io
import json
import random
import resource
import select
import socket
import statistics
import struct
import sys
import threading
import time
import zlib

from served import Served, World, check, end

PATIENCE_S = 0.5  # that the honest client is kept waiting, at most
SLOW = 20  # times as long as it is answered when nobody else asks: so much it may be on a machine that has other work


class Honest(threading.Thread):
    """Asks again and again, and remembers how long each answer took."""

    def __init__(self, served):
        super().__init__(daemon=True)
        self.served, self.done, self.times, self.bad = served, False, [], []

    def run(self):
        while not self.done:
            begin = time.monotonic()
            try:
                status, _, body = self.served.request("/api/picture", data=len(self.times) % 8)
                if status != 200 or "predictions" not in json.loads(body):
                    self.bad.append((status, body[:80]))
            except OSError as error:
                self.bad.append(error)
            self.times.append(time.monotonic() - begin)
            time.sleep(0.02)


def head(served, path="/api/model", method="GET", more=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Authorization: Bearer {served.token}\r\n{more}").encode()


def crowd(served, short):
    """Connections at once, of which every other one asks for something and each stays."""
    count, held, answered = (200, [], 0) if short else (1000, [], 0)
    for i in range(count):
        try:
            one = served.open_socket()
            if i % 2:
                one.sendall(head(served, more="\r\n"))
            held.append(one)
        except OSError:
            break
    for one in held[1::2]:
        answered += one.recv(12) == b"HTTP/1.1 200"
    check(len(held) == count, "a crowd is let in", len(held))
    check(answered == len(held) // 2, "and who asks is answered", answered)
    time.sleep(1)
    for one in held:
        one.close()


def half_requests(served, short):
    for i in range(50 if short else 500):
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


def endless_headers(served, _):
    one = served.open_socket()
    try:
        one.sendall(head(served))
        for _ in range(1000):
            one.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
    except OSError:
        pass
    check(refused(one), "headers without end are cut off")
    one.close()


def endless_body(served, _):
    """A GiB that is announced, and one in chunks without end: cut off at the limit, not held in memory."""
    chunk = b"10000\r\n" + b"b" * 0x10000 + b"\r\n"
    for name, more in (("announced", f"Content-Length: {1 << 30}\r\n\r\n"), ("in chunks", "Transfer-Encoding: chunked\r\n\r\n")):
        one, sent = served.open_socket(), 0
        try:
            one.sendall(head(served, "/api/pictures", "POST", more))
            while sent < 200 << 20:
                one.sendall(chunk)
                sent += 0x10000
        except OSError:
            pass
        one.close()
        check(sent < 200 << 20, f"a body of 1 GiB, {name}, is cut off", sent)


def slow_clients(served, short):
    """Who sends a byte now and then, who reads one now and then, and who does not read at all."""
    count, seconds = (10, 2) if short else (100, 20)
    writers, readers, deaf = ([served.open_socket() for _ in range(count)] for _ in range(3))
    for one in readers + deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.sendall(head(served, "/api/activations?data=0&layer=conv1", more="\r\n"))
        time.sleep(0.02)  # what waits to be computed is bounded
    until, at, text = time.monotonic() + seconds, 0, head(served, more="X-A: " + "a" * 500)
    while time.monotonic() < until:
        for one in writers:
            try:
                one.sendall(text[at:at + 1])
            except OSError:
                pass
        for one in readers if at % 5 == 0 else ():
            check(len(one.recv(1)) == 1, "a slow reader is sent to")
        at += 1
        time.sleep(0.2)
    ended = sum(bool(select.select([one], [], [], 0 if short else 5)[0]) for one in writers)
    check(short or ended == count, "who sends a byte now and then is cut off", ended)
    for one in writers + readers + deaf:
        one.close()


def goers_away(served, short):
    """In the middle of everything."""
    paths = ("/api/hidden?data=1&x=3&y=3&width=8&height=8", "/api/projection?data=2&layer=conv5", "/api/sheet?data=3&layer=conv1",
             "/api/occlusion?data=4", "/api/moved?data=5&degrees=30", "/api/thumbnail?data=3", "/api/exact?data=2&layer=conv4",
             "/api/connections?layer=conv2&map=1", "/api/activations?data=1&layer=conv1")
    for i in range(60 if short else 600):
        one = served.open_socket()
        if i % 7 == 0:
            one.sendall(head(served, "/api/pictures", "POST", "Content-Length: 500000\r\n\r\n") + b"b" * 100000)
        else:
            one.sendall(head(served, paths[i % len(paths)], more="\r\n"))
        if i % 3 == 0:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def strangers(served, _):
    """Without the token or with another, for another host, from another site's page, by other methods."""
    own, wrong = served.token, "0" * 32
    for path in ("/", "/api/model", "/api/picture?data=0", "/api/activations?data=0&layer=conv1", "/unit/conv1/0", "/report"):
        for status, words in ((401, {"token": False}), (401, {"token": False, "headers": {"Authorization": f"Bearer {wrong}"}}),
                              (401, {"token": False, "headers": {"Authorization": f"Bearer {own[:-1]}"}}),
                              (421, {"headers": {"Host": "evil.example"}}), (403, {"headers": {"Origin": "http://evil.example"}}),
                              (405, {"method": "PUT"}), (405, {"method": "DELETE"}), (405, {"method": "BREW"}), (405, {"method": "POST"})):
            said = served.request(path, **words)[0]
            check(said == status, f"{path} {words}", said)
        if path.startswith("/api/"):  # another site may link to a page, but not fetch
            said = served.request(path, headers={"Sec-Fetch-Site": "cross-site"})[0]
            check(said == 403, f"{path} asked for by another site's page", said)


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


def bombs(served, short):
    """Few bytes, many pixels: refused, or decoded where it keeps nobody waiting."""
    side = 2000 if short else 7000
    claims = png(60000, 1, b"\0" * 10)
    check(served.request("/api/pictures", "POST", claims)[0] == 422, "a picture that is cut off")
    claims = png(100000, 1000 if short else 100000, b"")[:200] + b"x" * 100
    check(served.request("/api/pictures", "POST", claims)[0] == 422, "a picture of 10 000 million pixels")
    status = served.request("/api/pictures", "POST", png(side, side, b"\0" * (3 * side + 1)))[0]
    check(status in (200, 422), f"{side} x {side} px in few bytes", status)


def nonsense(served, short):
    rnd = random.Random(1)
    for _ in range(100 if short else 2000):
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


def paths(served, _):
    """A hundred that lead out, or nowhere."""
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


ABUSES = (crowd, half_requests, endless_headers, endless_body, slow_clients, goers_away, strangers, nonsense, paths, bombs)


def main():
    short = "--short" in sys.argv
    world = World(sys.argv[1])
    served = Served(world, "--data", "photos/val")
    try:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # this end's, for a crowd
        served.request("/api/picture", data=0)
        honest = Honest(served)
        honest.start()
        time.sleep(1)
        patience = max(PATIENCE_S, SLOW * statistics.median(honest.times))
        for abuse in ABUSES:
            begun = len(honest.times)
            abuse(served, short)
            times = sorted(honest.times[begun:]) or [0]
            print(f"{abuse.__name__.replace('_', ' ')}: the honest client was answered {len(times)} times, "
                  f"in {times[-1]:.3f} s at worst")
            # Of the short form the machine may stop one answer.
            check((times[-2:][0] if short else times[-1]) < patience, f"{abuse.__name__}: within {patience:.1f} s", times[-3:])
        honest.done = True
        honest.join()
        check(not honest.bad and len(honest.times) > 10, "the honest client is answered", honest.bad[:3])
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
