#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does correspondence tell parts that are known from random places? On generated pictures, whose
truth.json has the parts: for each layer, in how many the features change more alike than with random
places hidden (p < 0.01), by the number of pictures, and among those whose hiding moves the features
further than that of random places.

    zfscope synth pictures --images 2500 --seed 301
    bench/correspond_truth.py zfscope model.safetensors pictures
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
parser.add_argument("--layer", default="conv3,conv5,fc7")
parser.add_argument("--marked", default="5,20,50", help="pictures a class")
parser.add_argument("--size", default="0")
parser.add_argument("--permutations", default="5000")
parser.add_argument("--parts", action="store_true", help="print every part too")
args = parser.parse_args()
BELOW = 0.01


def correspond(images):
    with tempfile.TemporaryDirectory() as directory:
        name = os.path.join(directory, "parts.tsv")
        with open(name, "w", encoding="utf-8") as file:
            for image in images:
                for part in image["parts"]:
                    file.write(f"{os.path.abspath(args.pictures)}/{image['path']}\t{part['name']}\t"
                               f"{part['x']}\t{part['y']}\n")
        out = subprocess.run([args.zfscope, "correspond", args.model, name, "--layer", args.layer,
                              "--size", args.size, "--permutations", args.permutations, "--json",
                              "-o", directory],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(out.stdout)["layers"]


with open(os.path.join(args.pictures, "truth.json"), encoding="utf-8") as file:
    truth = [image for image in json.load(file)["images"] if image["path"].startswith("val/")]
labels = sorted({image["label"] for image in truth})
for marked in map(int, args.marked.split(",")):
    layers = {}
    for label in labels:
        for layer in correspond([i for i in truth if i["label"] == label][:marked]):
            *parts, random = layer["parts"]
            found = layers.setdefault(layer["name"], {"classes": 0, "parts": []})
            found["classes"] += layer["all_parts"]["p"] < BELOW
            found["parts"] += [(p["p"] < BELOW, p["change"] > random["change"]) for p in parts]
            if args.parts:
                print(f"{marked:3} {label:10} {layer['name']:6} " + ", ".join(
                    f"{p['part']} {p['mean']:.3f}" + (f" p {p['p']:.2g}" if "p" in p else "") +
                    f" change {p['change']:.2f}" for p in layer["parts"]))
    for name, found in layers.items():
        used = [told for told, moves in found["parts"] if moves]
        others = [told for told, moves in found["parts"] if not moves]
        print(f"{marked:3} pictures a class, {name:6} "
              f"{sum(used) + sum(others):2} of {len(used) + len(others)} parts: "
              f"{sum(used):2} of the {len(used):2} that move the features further than random places, "
              f"{sum(others):2} of the {len(others):2} others; "
              f"all parts together in {found['classes']} of {len(labels)} classes")
