#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do occlusion and correspondence find what is known to be there? On generated pictures, whose
objects and parts truth.json names: the share of correctly classified pictures in which the
probability is lowest with the square on the object, and for each class the parts' p values.

    zfscope synth pictures --images 1500
    bench/occlusion_truth.py zfscope model.safetensors pictures [--layer relu5]
"""
import argparse
import json
import os
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
parser.add_argument("zfscope")
parser.add_argument("model")
parser.add_argument("pictures")
parser.add_argument("--images", type=int, default=200)
parser.add_argument("--layer", default="relu5,relu7")
parser.add_argument("--size", default="0")
parser.add_argument("--stride", default="0")
parser.add_argument("--marked", type=int, default=20, help="pictures a class for its parts; 0 = none")
args = parser.parse_args()


def zfscope(*words):
    out = subprocess.run([args.zfscope, *words, "--json"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)


def read_list(name):
    with open(os.path.join(args.pictures, name), encoding="utf-8") as file:
        return json.load(file)["images"]


truth = [image for image in read_list("truth.json") if image["path"].startswith("val/")]
side = zfscope("info", args.model)["input"][2]
paths = {os.path.join(args.pictures, image["path"]): image for image in truth}
answers = zfscope("classify", args.model, *paths)["images"]
right = [a["path"] for a in answers if a["predictions"][0]["label"] == paths[a["path"]]["label"]]
print(f"{len(right)} of {len(paths)} pictures are classified correctly")
right = right[: args.images]

# A generated picture is 96 px, the net's square 8/7 of its input, of which it sees the centre.
scale = side * 8 / 7 / 96
margin = side / 14
on_object = centred = 0
with tempfile.TemporaryDirectory() as directory:
    for image in zfscope("occlude", args.model, *right, "--size", args.size, "--stride",
                         args.stride, "-o", directory)["images"]:
        box = paths[image["path"]]["box"]
        grid = image["probability_map"]
        low = min(min(row) for row in grid)
        y, x = next((y, row.index(low)) for y, row in enumerate(grid) if low in row)
        x, y, size = x * image["stride"], y * image["stride"], image["size"]
        left, top = box["x"] * scale - margin, box["y"] * scale - margin
        right_edge, bottom = left + box["width"] * scale, top + box["height"] * scale
        on_object += left < x + size and x < right_edge and top < y + size and y < bottom
        centred += left <= x + size / 2 <= right_edge and top <= y + size / 2 <= bottom
print(f"lowest with the square on the object: {on_object} of {len(right)}; "
      f"with its middle within the object's box: {centred}")

for label in sorted({image["label"] for image in truth}):
    marked = [image for image in truth if image["label"] == label][: args.marked]
    if len(marked) < 2:
        break
    with tempfile.TemporaryDirectory() as directory:
        name = os.path.join(directory, "parts.tsv")
        with open(name, "w", encoding="utf-8") as file:
            for image in marked:
                for part in image["parts"]:
                    file.write(f"{os.path.abspath(args.pictures)}/{image['path']}\t{part['name']}\t"
                               f"{part['x']}\t{part['y']}\n")
        result = zfscope("correspond", args.model, name, "--layer", args.layer, "-o", directory)
    for layer in result["layers"]:
        words = [f"{p['part']} {p['mean']:.4f}" + (f" (p {p['p']:.2g})" if "p" in p else "")
                 for p in layer["parts"]]
        print(f"{label:10} {layer['name']:6} " + ", ".join(words))
