#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How soon `zfscope serve` answers what a hand does: median and 95th percentile, ms, over HTTP.

    serve_latency.py ZFSCOPE MODEL DATA PHOTO... [--rounds N]

A round is a photo sent, its classes and the wall of a layer; a cell clicked, all rules projected and fetched as PNG; a
square at ten places; a unit's numbers and its first nine pictures. At the end, one whole occlusion map. No
browser's own time is in it.
"""
import argparse
import http.client
import json
import random
import subprocess
import time
import urllib.parse


class Client:
    def __init__(self, link):
        parts = urllib.parse.urlsplit(link)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port)
        self.headers = {"Authorization": "Bearer " + urllib.parse.parse_qs(parts.query)["token"][0]}

    def get(self, path, method="GET", body=None, **parameters):
        self.connection.request(method, f"/api/{path}?{urllib.parse.urlencode(parameters)}", body, self.headers)
        response = self.connection.getresponse()
        data = response.read()
        assert response.status == 200, (path, parameters, data[:200])
        return data

    def ask(self, path, **parameters):
        return json.loads(self.get(path, **parameters))


class Times:
    def __init__(self):
        self.rows = {}

    def take(self, name, work):
        begin = time.monotonic()
        result = work()
        self.rows.setdefault(name, []).append(1e3 * (time.monotonic() - begin))
        return result

    def print(self):
        for name, values in self.rows.items():
            values.sort()
            print(f"{name:40} n {len(values):4}  median {values[len(values) // 2]:7.1f}  "
                  f"95th {values[min(len(values) - 1, int(0.95 * len(values)))]:7.1f}", flush=True)


def one_round(client, times, rnd, model, photo):
    layers = [layer for layer in model["layers"] if layer["type"] in ("conv", "relu", "fc")]
    layer = rnd.choice(layers)

    def arrive():
        picture = json.loads(client.get("pictures", "POST", photo))["picture"]
        wall = client.ask("layer", picture=picture, layer=layer["name"])
        client.get("sheet", picture=picture, layer=layer["name"])
        return picture, wall

    def click(map_, y, x):
        cell = {"picture": picture, "layer": layer["name"], "map": map_, "y": y, "x": x}
        said = client.ask("projection", **cell)
        for rule in model["rules"]:
            client.get("projection", **cell, rule=rule, form="png", limit=said["limit"])

    picture, wall = times.take("photo to classes and a wall", arrive)
    for _ in range(2):
        map_ = rnd.randrange(wall["maps"])
        times.take("click to three projections", lambda: click(map_, wall["y"][map_], wall["x"][map_]))
    height, width = model["input"][1:]
    side = max(2, min(32, min(height, width) * 2 // 7))
    client.ask("hidden", picture=picture, x=0, y=0, width=side, height=side)  # a hand takes the square up
    for _ in range(10):
        times.take("a dragged square's answer", lambda: client.ask(
            "hidden", picture=picture, x=rnd.randrange(width - side), y=rnd.randrange(height - side), width=side,
            height=side, hand="bench"))
    weighted = rnd.choice([layer for layer in model["layers"] if layer["type"] in ("conv", "fc")])
    times.take("a unit's numbers", lambda: client.ask(
        "unit", layer=weighted["name"], map=rnd.randrange(weighted["shape"][0])))


def whole_map(client, times, picture):
    begin = time.monotonic()
    first = None
    while True:
        said = client.ask("occlusion", picture=picture)
        if said["done"] and first is None:
            first = time.monotonic() - begin
        if said["done"] == said["places"]:
            break
        time.sleep(0.03)
    times.rows.setdefault("every place: first seen", []).append(1e3 * first)
    times.rows.setdefault(f"every place ({said['places']}): done", []).append(1e3 * (time.monotonic() - begin))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zfscope")
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    served = subprocess.Popen([options.zfscope, "serve", options.model, "--data", options.data, "--port", "0", "--json"],
                              stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    try:
        client = Client(json.loads(served.stdout.readline())["link"])
        model, times, rnd = client.ask("model"), Times(), random.Random(0)
        photos = []
        for path in options.photos:
            with open(path, "rb") as file:
                photos.append(file.read())
        one_round(client, Times(), rnd, model, photos[0])  # plans are made
        for i in range(options.rounds):
            one_round(client, times, rnd, model, photos[i % len(photos)])
        whole_map(client, times, json.loads(client.get("pictures", "POST", photos[0]))["picture"])
        times.print()
    finally:
        served.terminate()
        served.wait()


if __name__ == "__main__":
    main()
