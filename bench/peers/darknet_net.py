#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ZFNet in darknet, served to bench/compare.py (serve.py says how).

    darknet_net.py --mode forward|train --batch 8

Through the shared library of Debian's package, as the program itself only times batches of one.
Exits with 77 where darknet is not installed; its library is looked for where ZFSCOPE_DARKNET says,
too.
"""
import argparse
import ctypes
import os
import pathlib
import sys
import tempfile

from serve import serve

PLACES = [os.environ.get("ZFSCOPE_DARKNET", ""), "/usr/lib/darknet/libdarknet.so", "libdarknet.so"]
FLOATS = ctypes.POINTER(ctypes.c_float)
INPUTS, CLASSES = 3 * 224 * 224, 1000


class Matrix(ctypes.Structure):
    _fields_ = [("rows", ctypes.c_int), ("cols", ctypes.c_int), ("vals", ctypes.POINTER(FLOATS))]


class Data(ctypes.Structure):
    _fields_ = [("w", ctypes.c_int), ("h", ctypes.c_int), ("x", Matrix), ("y", Matrix),
                ("shallow", ctypes.c_int), ("num_boxes", ctypes.c_void_p),
                ("boxes", ctypes.c_void_p)]


def open_library():
    for place in filter(None, PLACES):
        try:
            return ctypes.CDLL(place)
        except OSError:
            pass
    return sys.exit(77)


def load(library, batch):
    text = pathlib.Path(__file__).with_name("darknet_net.cfg").read_text(encoding="utf-8")
    library.load_network.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as cfg:
        cfg.write(text.replace("batch=64", f"batch={batch}"))
        cfg.flush()
        return ctypes.c_void_p(library.load_network(cfg.name.encode(), None, 0))


def matrix(rows, cols, value):
    lines = [(ctypes.c_float * cols)(*[value(i) for i in range(cols)]) for _ in range(rows)]
    pointers = (FLOATS * rows)(*[ctypes.cast(line, FLOATS) for line in lines])
    return Matrix(rows, cols, pointers), lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=["forward", "train"], default="forward")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    library = open_library()
    network = load(library, options.batch)
    x, kept = matrix(options.batch, INPUTS, lambda i: (i % 255) / 255)
    y, labels = matrix(options.batch, CLASSES, lambda i: float(i == 0))
    data = Data(224, 224, x, y, 0, None, None)
    plain = (ctypes.c_float * (options.batch * INPUTS))()
    library.train_network.restype = ctypes.c_float
    library.network_predict.restype = FLOATS

    def run():
        if options.mode == "train":
            library.train_network(network, data)
        else:
            library.network_predict(network, plain)
    serve(run, version="", how=[])
    del kept, labels  # whose memory darknet has read


if __name__ == "__main__":
    main()
