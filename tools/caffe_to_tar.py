#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Caffe's data set in LMDB becomes a tar that zfscope reads (docs/decisions.md says why it does not read LMDB).

    caffe_to_tar.py LMDB OUT.tar          needs python3-lmdb

Pictures that were stored encoded stay as they are; others become PPM, or PGM of one channel. Caffe keeps pixels in the
order B, G, R. Labels become .cls; put the classes' names into classes.txt beside the tar.
"""
import io
import os
import sys
import tarfile

CHANNELS, HEIGHT, WIDTH, DATA, LABEL, FLOATS, ENCODED = range(1, 8)  # fields of Datum in caffe.proto


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(message):
    """Field numbers and values of a protobuf message that has no messages in it."""
    found, at = {}, 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            found[key >> 3], at = varint(message, at)
        elif key & 7 == 2:
            size, at = varint(message, at)
            found[key >> 3], at = message[at:at + size], at + size
        elif key & 7 == 5:
            found[key >> 3], at = message[at:at + 4], at + 4
        else:
            raise ValueError(f"a field of wire type {key & 7}, which a Datum has none of")
    return found


def picture(datum):
    """(ending, bytes) of a file with the Datum's picture."""
    data = datum.get(DATA, b"")
    if datum.get(ENCODED):
        return ("png" if data[:4] == b"\x89PNG" else "jpg"), data
    channels, height, width = (datum.get(key, 0) for key in (CHANNELS, HEIGHT, WIDTH))
    if FLOATS in datum or channels not in (1, 3) or len(data) != channels * height * width:
        raise ValueError(f"{channels} x {height} x {width} numbers in {len(data)} bytes are no picture")
    plane = height * width
    pixels = data if channels == 1 else bytes(
        value for pixel in zip(data[2 * plane:], data[plane:2 * plane], data[:plane]) for value in pixel)
    return ("pgm" if channels == 1 else "ppm"), b"P%d %d %d 255\n" % (5 if channels == 1 else 6, width, height) + pixels


def main():
    import lmdb
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with lmdb.open(sys.argv[1], readonly=True, lock=False) as database, database.begin() as reading, \
            tarfile.open(sys.argv[2] + ".part", "w") as tar:
        for k, (name, message) in enumerate(reading.cursor()):
            datum = fields(message)
            try:
                ending, data = picture(datum)
            except ValueError as error:
                sys.exit(f"{sys.argv[1]}: {name!r}: {error}")
            for suffix, content in (ending, data), ("cls", b"%d" % datum.get(LABEL, 0)):
                info = tarfile.TarInfo(f"{k:09}.{suffix}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    os.rename(sys.argv[2] + ".part", sys.argv[2])


if __name__ == "__main__":
    main()
