#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who includes whom, in the library and the program.

    includes.py ROOT         complain about an include against the direction of the folders, and about
                             modules (a .c with its .h) that use each other, in whatever circle
    includes.py ROOT --test  the same must be found where it is planted into a copy
"""
import os
import re
import shutil
import sys
import tempfile

# A folder may include itself and those of the lines before it; folders of one line know each other not.
ORDER = [["base"], ["tensor", "ranks"], ["engine"], ["net"], ["image"], ["data", "model"], ["train", "look"],
         ["learn", "measure"], ["page"], ["experiments"], ["serve"], ["cli"]]
RANK = {folder: rank for rank, folders in enumerate(ORDER) for folder in folders}
# Folders below include/zf name themselves; what stands in src/model/onnx is included from there.
SEARCH = ["include", "src", "src/model/onnx"]


def sources(root):
    for top in ("src", "cli", "include"):
        for directory, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(directory, name), root)


def read(root):
    """By file: the files of the tree that it includes."""
    files = set(sources(root))
    found = {}
    for file in files:
        with open(os.path.join(root, file), encoding="utf-8") as text:
            names = re.findall(r'^#include "([^"]+)"', text.read(), re.M)
        places = [os.path.dirname(file)] + SEARCH
        found[file] = [next((path for path in (os.path.normpath(os.path.join(place, name))
                                               for place in places) if path in files), None)
                       for name in names]
    return {file: [path for path in paths if path] for file, paths in found.items()}


def folder(file):
    parts = file.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def against_the_direction(includes):
    for file, paths in sorted(includes.items()):
        for path in paths:
            a, b = folder(file), folder(path)
            if "include" in (a, b):
                if a == "include" and b != "include":
                    yield f"{file} is public and includes {path}, which is not"
            elif a != b and RANK[b] == RANK[a]:
                yield f"{file} includes {path}, its neighbour"
            elif RANK[b] > RANK[a]:
                yield f"{file} includes {path}, which stands above it"
            elif a == "cli" and b != "cli":
                yield f"{file} includes {path}: the program stands on include/zf alone"


def circles(includes):
    """The sets of modules that use each other (Tarjan's strongly connected components)."""
    uses = {}
    for file, paths in includes.items():
        module = os.path.splitext(file)[0]
        uses.setdefault(module, set()).update(
            other for other in (os.path.splitext(path)[0] for path in paths) if other != module)
    index, low, stack, found = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(uses.get(module, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == index[module]:
            circle = stack[stack.index(module):]
            del stack[stack.index(module):]
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in sorted(uses):
        if module not in index:
            visit(module)
    return [", ".join(circle) + " use each other" for circle in sorted(found)]


def complaints(root):
    includes = read(root)
    return list(against_the_direction(includes)) + circles(includes)


PLANTED = {
    "from below": ("src/tensor/tensor.c", '#include "net/net.h"', "stands above it"),
    "a neighbour": ("src/model/native.c", '#include "data/data.h"', "its neighbour"),
    "experiments from page": ("src/page/sheet.c", '#include "experiments/table.h"',
                              "stands above it"),
    "past the public headers": ("cli/report.c", '#include "base/file.h"', "include/zf alone"),
    "two of a folder": ("src/base/memory.h", '#include "base/file.h"', "use each other"),
    "a circle of three": ("src/page/axis.h", '#include "page/sections.h"', "use each other"),
}


def test(root):
    failures = 0
    for name, (file, line, expected) in PLANTED.items():
        with tempfile.TemporaryDirectory() as copy:
            for top in ("src", "cli", "include"):
                shutil.copytree(os.path.join(root, top), os.path.join(copy, top))
            with open(os.path.join(copy, file), "a", encoding="utf-8") as text:
                text.write("\n" + line + "\n")
            found = any(expected in complaint for complaint in complaints(copy))
        print(("ok    " if found else "FAIL  ") + f"{name}: {line} in {file}")
        failures += not found
    return failures


if __name__ == "__main__":
    if "--test" in sys.argv:
        sys.exit(test(sys.argv[1]) > 0)
    found = complaints(sys.argv[1])
    for complaint in found:
        print("lint:", complaint)
    sys.exit(len(found) > 0)
