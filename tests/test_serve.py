#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The server answers what the command line answers, and nobody who may not ask.

    test_serve.py ZFSCOPE
"""
import array
import ast
import json
import math
import os
import struct
import subprocess
import sys
import time

from served import Served, World, check, end

SAME = 1e-5  # of values: other batches and plans round the last digits otherwise


def read_npy(data):
    """Shape and numbers of a little-endian float32 .npy."""
    length = struct.unpack("<H", data[8:10])[0]
    form = ast.literal_eval(data[10:10 + length].decode())
    values = array.array("f")
    values.frombytes(data[10 + length:])
    return form["shape"], values


def apart(a, b):
    """Relative distance of two lists of numbers."""
    if len(a) != len(b):
        return math.inf
    size = math.sqrt(sum(x * x for x in b))
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b))) / (size or 1)


def flat(rows):
    return [value for row in rows for value in row]


def answers_equal(world, served):
    photo = world.photos[3]
    status, _, body = served.request("/api/pictures", "POST", world.bytes(photo))
    check(status == 200, "an upload is taken", body)
    shown = json.loads(body)
    said = world.json("classify", world.model, photo)["images"][0]["predictions"]
    check([row["index"] for row in shown["predictions"]] == [row["index"] for row in said],
          "the classes are those of classify", shown)
    check(apart([row["probability"] for row in shown["predictions"]], [row["probability"] for row in said]) < SAME,
          "so are their probabilities", shown)
    picture = shown["picture"]
    same = served.ask("picture", data=3)
    check(same["predictions"] == shown["predictions"], "a picture of the data set is answered as its upload", same)

    for layer in ("conv1", "pool2", "fc7"):
        world.run("activations", world.model, photo, "--layer", layer, "-o", "a.npy")
        here = read_npy(served.request("/api/activations", picture=picture, layer=layer)[2])
        there = read_npy(world.bytes("a.npy"))
        check(here[0] == there[0] and apart(here[1], there[1]) < SAME, f"activations of {layer}", here[0])
        wall = served.ask("layer", picture=picture, layer=layer)
        cells = there[0][2] * there[0][3]
        strongest = [max(there[1][m * cells:(m + 1) * cells]) for m in range(there[0][1])]
        check(apart(wall["strength"], strongest) < SAME, f"the strongest of each map of {layer}")

    engine = world.run("--version").decode().split("engine ")[1].split()[0]
    for rule in ("deconvnet", "gradient", "guided"):
        said = world.json("project", world.model, photo, "--layer", "conv3", "--rule", rule, "--engine", engine,
                          "--raw", "p.npy")
        shown = served.ask("projection", picture=picture, layer="conv3")
        check([shown[key] for key in ("layer", "map", "y", "x", "receptive_field")] ==
              [said[key] for key in ("layer", "map", "y", "x", "receptive_field")], "the strongest cell", shown)
        here = read_npy(served.request("/api/projection", picture=picture, layer="conv3", map=said["map"],
                                       y=said["y"], x=said["x"], rule=rule, form="npy")[2])
        check(apart(here[1], read_npy(world.bytes("p.npy"))[1]) < 1e-4, f"its projection by {rule}")
        check(abs(shown["largest"][rule] - max(map(abs, here[1]))) < 1e-6, f"the largest by {rule}", shown)
        world.run("project", world.model, photo, "--layer", "conv3", "--rule", rule, "--raw", "e.npy", "-o", "e.png")
        exact = read_npy(served.request("/api/exact", picture=picture, layer="conv3", rule=rule)[2])
        check(apart(exact[1], read_npy(world.bytes("e.npy"))[1]) < 1e-6, f"the exact one by {rule} is that of project")
    seen = served.ask("projection", picture=picture, layer="conv1")["receptive_field"]
    field = served.request("/api/projection", picture=picture, layer="conv1", form="png", field=1)[2]
    check(struct.unpack(">II", field[16:24]) == (seen["width"], seen["height"]), "the receptive field alone", seen)


def occlusions_equal(world, served):
    photo = world.photos[1]
    said = world.json("occlude", world.model, photo, "--stride", "4", "--class", "predicted",
                      "-o", "occlude")["images"][0]
    until = time.monotonic() + 60
    shown = {"done": 0, "places": 1}
    first = None
    while shown["done"] < shown["places"] and time.monotonic() < until:
        shown = served.ask("occlusion", data=1, stride=4)
        if shown["done"] and first is None:
            first = shown["probability_map"]
    check(shown["done"] == shown["places"], "the map of places is done", shown["done"])
    check([shown[key] for key in ("class", "size", "stride", "layer", "map")] ==
          [said[key] for key in ("class", "size", "stride", "layer", "map")], "what it is of", shown["map"])
    for key in ("probability_map", "activation_map"):
        check(apart(flat(shown[key]), flat(said[key])) < SAME, f"occlude's {key}")
    check(shown["class_map"] == said["class_map"], "occlude's class_map")
    check(first[0][0] is not None, "the coarse places come first")
    box = served.ask("hidden", data=1, x=8, y=4, width=said["size"], height=said["size"], hand="test")
    check(abs(box["probability"] - said["probability_map"][1][2]) < SAME, "one square is a place of the map", box)
    check(abs(box["activation"] - said["activation_map"][1][2]) < 1e-3, "and the sum of its map", box)
    small = served.ask("hidden", data=1, x=0, y=0, width=0, height=0)
    check(abs(small["probability"] - said["probability"]) < SAME, "an empty square hides nothing", small)


def motions_equal(world, served):
    said = world.json("invariance", world.model, world.photos[0], "--class", "predicted",
                      "-o", "invariance")["images"][0]
    for kind, name in (("translation", "shift_y"), ("scale", "scale"), ("rotation", "degrees")):
        motion = next(row for row in said["transforms"] if row["kind"] == kind)
        for i in (0, len(motion["values"]) // 2 + 1):
            shown = served.ask("moved", data=0, **{name: motion["values"][i]})
            check(abs(shown["probability"] - motion["probability"][i]) < SAME, f"{kind} {motion['values'][i]}", shown)
            for row in shown["distance"]:
                there = motion["distance"][row["layer"]][i]
                check(abs(row["distance"] - there) < 1e-4 * max(1, there), f"distance of {row['layer']}", shown)



def catalogued(served):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        units = served.ask("units")
        if units["done"] == units["images"]:
            return units
        time.sleep(0.1)
    raise AssertionError("the catalogue does not end")


def units_equal(world, served):
    units = catalogued(served)
    check(units["layers"][:2] == ["conv1", "conv2"] and not units["failed"], "layers with weights", units)
    top = world.json("top", world.model, "--data", "photos/val", "--layer", "conv3", "-o", "top")["layers"][0]
    for there in top["maps"][::9]:
        here = served.ask("unit", layer="relu3", map=there["map"])
        check(here["layer"] == "conv3", "a rectifier's unit is that of its convolution", here["layer"])
        check([row["path"] for row in here["top"][:4]] == [row["image"] for row in there["top"][:4]],
              f"the strongest pictures of map {there['map']}", here["top"][:2])
        for a, b in zip(here["top"], there["top"]):
            check(abs(a["activation"] - b["activation"]) < 1e-4 and a["patch"] == b["patch"], "its cell", (a, b))
        check(sum(here["histogram"]["counts"]) == here["active"], "the histogram counts what is above zero", here)
    check(served.ask("units", layer="conv3")["mean"][0] == served.ask("unit", layer="conv3", map=0)["mean"], "means")
    check(served.ask("unit", layer="pool1", map=3)["layer"] == "conv1", "so is a pooling's")
    story = world.json("unit", world.model, "--data", "photos/val", "--layer", "conv3", "--map", "2", "-o", "unit")
    here = served.ask("connections", layer="conv3", map=2)
    for key, value in (("fed_by", "adds"), ("feeds", "changes"), ("votes", "adds")):
        check(apart([row[value] for row in here[key]], [row[value] for row in story[key]]) < 1e-4,
              f"{key} are those of the experiment", (here[key][:2], story[key][:2]))
    check([row["sample"] for row in here["strongest"]] == [row["sample"] for row in story["strongest"]]
          and apart([row["silenced"] for row in here["strongest"]], [row["silenced"] for row in story["strongest"]]) < 1e-4,
          "so are the answers without it", here["strongest"][:1])
    check(served.request("/api/filter", layer="conv1", map=3)[2].startswith(b"\x89PNG"), "a filter is a picture")
    check(served.request("/api/filter", layer="conv3", map=3)[0] == 400, "where it is one")
    for parameters in ({}, {"layer": "conv1", "map": 10 ** 6}):
        check(served.request("/api/unit", **parameters)[0] == 400, f"unit {parameters}")
    check(served.request("/unit/a%2Fb/../12")[0] == 200, "a unit's page, whatever the layer is called")


def catalogue_is_kept(world):
    """By the file that the server before has left."""
    again = Served(world, "--data", "photos/val")
    units = again.ask("units")
    check(units["done"] == units["images"] > 0, "the catalogue is there at once", units["done"])
    again.stop()
    path = os.path.join(world.directory, world.model + ".units")
    with open(path, "r+b") as file:
        file.seek(200)
        file.write(b"damaged")
    again = Served(world, "--data", "photos/train", "--run", "run", "--other", "run/epochs/0001.safetensors")
    catalogued(again)
    check(again.ask("unit", layer="conv1", map=0)["top"][0]["path"].startswith("photos/train"), "or is made anew")
    training_is_seen(again)
    trial = again.ask("try", method="POST", experiment="compare")["id"]
    check(finished(again, trial)["state"] == "done", "with a second model two are compared")
    again.stop()


def training_is_seen(served):
    run = served.ask("run")
    check([row["epoch"] for row in run["lines"]] == [1] == run["epochs"] and run["planned"] == 1 and run["age"] >= 0,
          "a training's log, and the epochs that it kept", run)
    check(served.request("/api/filters", epoch=1)[2].startswith(b"\x89PNG"), "its first filters")
    seen = served.ask("epoch", epoch=1, layer="relu3")
    dead = next(row["dead"] for row in seen["layers"] if row["layer"] == "relu3")
    silent = [peak["activation"] <= 0 for peak in seen["peaks"]]
    check(sum(silent) == dead and len(silent) == 96, "dead maps are those that never fire", dead)
    best = max(range(96), key=lambda map_: seen["peaks"][map_]["activation"])
    peak = seen["peaks"][best]
    there = served.ask("projection", data=peak["data"], layer="relu3", map=best)
    check((there["y"], there["x"]) == (peak["y"], peak["x"]) and abs(there["activation"] - peak["activation"]) < 1e-4,
          "a map's strongest cell is where it is", (there, peak))
    grown = served.request("/api/grown", epoch=1, layer="relu3", map=best, data=peak["data"], y=peak["y"], x=peak["x"])
    box = there["receptive_field"]
    check(struct.unpack(">II", grown[2][16:24]) == (2 * box["width"], box["height"]), "what it sees, and its projection")
    for parameters in ({}, {"epoch": 2}, {"epoch": -1}, {"epoch": 1, "layer": "no"}):
        check(served.request("/api/epoch", **parameters)[0] in (400, 422), f"epoch {parameters}")


def finished(served, trial):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = next(row for row in served.ask("trials")["trials"] if row["id"] == trial)
        if found["state"] in ("done", "failed"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"experiment {trial} does not end")


def queue_is_canceled(served):
    ids = [served.ask("try", method="POST", experiment="occlude", data=i, **{"option.stride": 1})["id"] for i in range(3)]
    states = lambda: {row["id"]: row["state"] for row in served.ask("trials")["trials"]}
    served.ask("cancel", method="POST", id=ids[2])
    check(states()[ids[2]] in ("failed", "done"), "what waits is stopped at once", states())
    served.ask("cancel", method="POST", id=ids[2])
    check(ids[2] not in states(), "and forgotten")
    for trial in ids[:2]:
        served.ask("cancel", method="POST", id=trial)
        check(finished(served, trial)["state"] in ("failed", "done"), "so is what runs")


def experiments_run(world, served):
    listed = served.ask("experiments")["experiments"]
    commands = world.run("help").decode()
    check(all(f"  {row['name']} " in commands for row in listed) and len(listed) > 5, "every experiment is listed")
    settable = [option["name"] for row in listed for option in row["options"]]
    check("stride" in settable and "layer" in settable, "with its options")
    check(not {"data", "val", "save", "overlap"} & set(settable), "but those that name files")

    trial = served.ask("try", method="POST", experiment="diagnose")["id"]
    check(finished(served, trial)["state"] == "done", "diagnose runs")
    here = json.loads(served.request("/result", id=trial, form="json")[2])
    there = world.json("diagnose", world.model, "--data", "photos/val", "-o", "diagnose")
    check(here["layers"] == there["layers"], "and says what the command line says")
    status, headers, body = served.request("/result", id=trial)
    check(status == 200 and b"<h1>" in body and headers["Content-Security-Policy"].startswith("sandbox "),
          "its page comes, without rights")
    trial = served.ask("try", method="POST", experiment="occlude", data=1, **{"option.stride": 9})["id"]
    check(finished(served, trial)["state"] == "done", "occlude takes a picture of the data set")
    check(served.request("/report")[0] == 200, "a report of both")
    check(not served.request("/api/cancel", "POST", id=trial)[0] != 200, "a result is forgotten")
    check(served.request("/result", id=trial)[0] == 422, "and is gone")

    queue_is_canceled(served)
    for parameters in ({"experiment": "no"}, {"experiment": "occlude"}, {"experiment": "compare"},
                       {"experiment": "diagnose", "option.nothing": 1}, {"experiment": "diagnose", "option.batch": -1},
                       {"experiment": "top", "option.data": "/etc"}, {"experiment": "evolve"},
                       {"experiment": "transfer", "option.save": "/tmp/x"},
                       {"experiment": "ablate", "option.nets": "/etc/passwd"}):
        status = served.request("/api/try", "POST", **parameters)[0]
        check(status in (400, 422), f"refused: {parameters}", status)


def other_nets_are_served(world):
    """Those that end in maps, say yes or no, see in grey, or take what is no picture."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx")
    photo = os.path.join(world.directory, world.photos[0])
    for name in ("conv", "sigmoid", "conv_groups", "batch_as_maps", "softmax_new"):
        model = os.path.join(here, f"{name}.onnx")
        shape = world.json("info", model)["input"]
        picture = photo
        if shape[0] not in (1, 3):
            picture = os.path.join(world.directory, "input.npy")
            write_npy(picture, shape)
        other = Served(world, model=model)
        status, _, body = other.request("/api/pictures", "POST", world.bytes(picture))
        check(status == 200, f"{name} takes {os.path.basename(picture)}", body)
        seen = json.loads(body)
        model_said = other.ask("model")
        layer = model_said["layers"][0]["name"]
        if shape[0] == 1:
            check(any("becomes grey" in note for note in model_said["notes"]), f"{name}: what the terminal says of it is there",
                  model_said["notes"])
        world.run("activations", model, picture, "--layer", layer, "-o", "a.npy")
        there = read_npy(world.bytes("a.npy"))
        values = read_npy(other.request("/api/activations", picture=seen["picture"], layer=layer)[2])
        check(values[0] == there[0] and apart(values[1], there[1]) < SAME, f"{name}: activations")
        world.run("project", model, picture, "--layer", layer, "--raw", "p.npy", "-o", "p.png")
        exact = read_npy(other.request("/api/exact", picture=seen["picture"], layer=layer)[2])
        check(apart(exact[1], read_npy(world.bytes("p.npy"))[1]) < 1e-6, f"{name}: a projection")
        hidden = other.ask("hidden", picture=seen["picture"], x=0, y=0, width=0, height=0)
        check(hidden["predictions"] == seen["predictions"], f"{name}: nothing hidden changes nothing", hidden)
        if other.ask("model")["ends_in_maps"]:
            cells = there[0][2] * there[0][3]
            means = [sum(there[1][m * cells:(m + 1) * cells]) / cells for m in range(there[0][1])]
            check(apart([row["value"] for row in seen["predictions"]], means) < 1e-4, f"{name}: the mean of each map")
        other.stop()


def write_npy(path, shape):
    count = math.prod(shape)
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode())
        file.write(struct.pack(f"<{count}f", *((i * 37 % 101) / 101 - 0.5 for i in range(count))))


def only_who_may(served):
    for path in ("/", "/api/model", "/serve.js", "/api/picture?data=0"):
        check(served.request(path, token=False)[0] == 401, f"no token: {path}")
    for wrong in ("", served.token[:-1], served.token + "0", served.token.upper(), "0" * 32):
        status = served.request("/api/model", token=False, headers={"Authorization": f"Bearer {wrong}"})[0]
        check(status == 401, f"another token '{wrong}'", status)
    status, headers, _ = served.request(f"/?token={served.token}", token=False)
    cookie = headers["Set-Cookie"]
    check(status == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, "the link brings a cookie", cookie)
    cookie = cookie.split(";")[0]
    check(served.request("/api/model", token=False, headers={"Cookie": f"a=b; {cookie}"})[0] == 200, "which is known")
    check(served.request("/api/model", token=False, headers={"Cookie": cookie[:-1]})[0] == 401, "cut off it is not")
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1.evil.example", "", "localhost.", "[::1"):
        status = served.request("/api/model", headers={"Host": host})[0]
        check(status in (400, 421), f"Host '{host}'", status)
    for host in ("localhost", f"localhost:{served.port}", "127.0.0.1:9", "[::1]:8080"):
        check(served.request("/api/model", headers={"Host": host})[0] == 200, f"Host '{host}'")
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{served.port}", "http://127.0.0.1:1"):
        check(served.request("/api/model", headers={"Origin": origin})[0] == 403, f"Origin '{origin}'")
    own = {"Origin": f"http://127.0.0.1:{served.port}", "Sec-Fetch-Site": "same-origin"}
    check(served.request("/api/model", headers=own)[0] == 200, "its own page")
    check(served.request("/api/model", headers={"Sec-Fetch-Site": "cross-site"})[0] == 403, "another site's picture")
    _, headers, _ = served.request("/")
    policy = headers["Content-Security-Policy"]
    check("default-src 'none'" in policy and "unsafe" not in policy, "a strict policy", policy)
    check(headers["X-Content-Type-Options"] == "nosniff", "no sniffing")


def only_what_is(served):
    for path in ("/../../etc/passwd", "/%2e%2e/etc/passwd", "/serve.html", "//etc/passwd", "/api", "/api/", "/x\\y",
                 "/%00", "/serve.js%00.html", "/" + "a" * 3000, "/api/modelx", "/etc/passwd"):
        status, _, body = served.request(path)
        check(status in (400, 404, 414, 431) and b"root:" not in body, f"path {path[:40]}", status)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"):
        check(served.request("/api/model", method)[0] == 405, f"method {method}")
    check(served.request("/api/model", "POST", b"")[0] == 405, "POST where GET is meant")
    check(served.request("/api/pictures")[0] == 405, "GET where POST is meant")
    check(served.request("/api/model", "HEAD")[0] == 200, "HEAD")
    for parameters in ({"data": -1}, {"data": 10 ** 30}, {"data": "x"}, {"data": ""}, {"picture": "0" * 16}, {},
                       {"picture": ""}):
        check(served.request("/api/picture", **parameters)[0] in (400, 422), f"picture {parameters}")
    for parameters in ({"layer": "no"}, {"map": 10 ** 6}, {"y": 99, "x": 0}, {"y": 0}, {"rule": "x"}, {"form": "exe"},
                       {"limit": "nan", "form": "png"}):
        status = served.request("/api/projection", data=0, **parameters)[0]
        check(status in (400, 422), f"projection {parameters}", status)
    for colour in ("red", "1,2", "1,2,3,4", "256,0,0", "-1,0,0", "1,2,3 "):
        check(served.request("/api/hidden", data=0, colour=colour)[0] == 400, f"colour {colour}")
    for body in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"P6 100000 100000 255 "):
        status, _, said = served.request("/api/pictures", "POST", body)
        check(status == 422 and json.loads(said)["error"], "no picture", (status, said))
    status = served.request("/api/pictures", "POST", headers={"Content-Length": str(2 ** 30)})[0]
    check(status == 413, "a body of 1 GiB is refused before it comes", status)


def ends_well(world, served):
    code, said = subprocess.run([world.zfscope, "serve", world.model, "--port", str(served.port)],
                                cwd=world.directory, capture_output=True, text=True, timeout=60), None
    check(code.returncode == 1 and "is in use" in code.stderr, "a port in use", code.stderr)
    waiting = served.open_socket()
    waiting.sendall(b"GET / HTTP/1.1\r\n")
    code, said = served.stop()
    check(code == 0 and "zfscope:" not in said, "SIGTERM ends it in good order", (code, said))
    waiting.close()


def main():
    world = World(sys.argv[1])
    served = None
    try:
        served = Served(world, "--data", "photos/val")
        answers_equal(world, served)
        occlusions_equal(world, served)
        motions_equal(world, served)
        units_equal(world, served)
        experiments_run(world, served)
        only_who_may(served)
        only_what_is(served)
        ends_well(world, served)
        catalogue_is_kept(world)
        other_nets_are_served(world)
    finally:
        if served and served.process.poll() is None:
            served.process.kill()
            served.process.wait()
        world.close()
    end()


if __name__ == "__main__":
    main()
