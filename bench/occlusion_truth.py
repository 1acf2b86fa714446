#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does occlusion find what is known to be there? On generated pictures, of which truth.json tells
where the object is: the share of correctly classified ones in which the class is least probable with
the square on the object, and how often chance would put it there.

    zfscope synth pictures --images 1500 --seed 201
    bench/occlusion_truth.py zfscope model.safetensors pictures
"""
import argparse
import json
import math
import os
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
parser.add_argument("zfscope")
parser.add_argument("model")
parser.add_argument("pictures")
parser.add_argument("--images", type=int, default=200)
parser.add_argument("--size", default="0")
parser.add_argument("--stride", default="0")
parser.add_argument("--misses", action="store_true", help="name those whose square has its middle elsewhere")
args = parser.parse_args()


def zfscope(*words):
    out = subprocess.run([args.zfscope, *words, "--json"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)


def interval(hits, count):
    """Wilson's, of 95 %."""
    z = 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    half = z * math.sqrt(hits * (count - hits) / count + z * z / 4) / (count + z * z)
    return middle - half, middle + half


with open(os.path.join(args.pictures, "truth.json"), encoding="utf-8") as file:
    truth = [image for image in json.load(file)["images"] if image["path"].startswith("val/")]
side = zfscope("info", args.model)["input"][2]
paths = {os.path.join(args.pictures, image["path"]): image for image in truth}
answers = zfscope("classify", args.model, *paths)["images"]
right = [a["path"] for a in answers if a["predictions"][0]["label"] == paths[a["path"]]["label"]]
print(f"{len(right)} of {len(paths)} pictures are classified correctly")
right = right[: args.images]

# A generated picture is 96 px, the net's square 8/7 of its input, of which it sees the centre.
scale = side * 8 / 7 / 96
margin = side / 14


def hits(image, x, y):
    """Whether a square at (x, y) touches the object's box, and whether its middle is within."""
    box, size = paths[image["path"]]["box"], image["size"]
    left, top = box["x"] * scale - margin, box["y"] * scale - margin
    end, bottom = left + box["width"] * scale, top + box["height"] * scale
    return (left < x + size and x < end and top < y + size and y < bottom,
            left <= x + size / 2 <= end and top <= y + size / 2 <= bottom)


found, rounded, chance = [0, 0], [0, 0], [0.0, 0.0]
misses = []
with tempfile.TemporaryDirectory() as directory:
    for image in zfscope("occlude", args.model, *right, "--size", args.size, "--stride",
                         args.stride, "-o", directory)["images"]:
        grid, step = image["probability_map"], image["stride"]
        places = [(x * step, y * step) for y in range(len(grid)) for x in range(len(grid[0]))]
        values = [value for row in grid for value in row]
        at_lowest = hits(image, image["lowest"]["x"], image["lowest"]["y"])
        at_first = hits(image, *places[values.index(min(values))])
        if not at_lowest[1]:
            misses.append(image)
        for i in range(2):
            found[i] += at_lowest[i]
            rounded[i] += at_first[i]
            chance[i] += sum(hits(image, *place)[i] for place in places) / len(places)
for i, name in enumerate(("touches the object's box", "has its middle in the object's box")):
    low, high = interval(found[i], len(right))
    print(f"where the class is least probable the square {name}: {found[i]} of {len(right)}, "
          f"{100 * found[i] / len(right):.1f} % (95 % interval {100 * low:.1f} to {100 * high:.1f}); "
          f"a random place {100 * chance[i] / len(right):.1f} %; the first minimum of the "
          f"probability in float32 {rounded[i]}")
for image in misses if args.misses else ():
    print(f"{image['path']}: {image['probability']:.3f}, lowest at {image['lowest']}")
