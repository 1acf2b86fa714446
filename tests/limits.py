#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/limits.md, held: what lies at a limit is read, what lies one above is refused with exit code 3
and a sentence that names the limit. Where a file at the limit would be gigabytes, it is one with
holes and no contents, and must be refused for those. Usage: limits.py ZFSCOPE"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

zfscope = os.path.realpath(sys.argv[1])
passed = failed = 0


def run(words):
    done = subprocess.run([zfscope, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr.decode(errors="replace").strip()


def judge(name, good, came):
    global passed, failed
    print(f"ok    {name}" if good else f"FAIL  {name}: {came}")
    passed, failed = passed + good, failed + (not good)


def limit(name, most, make, words, sentence, at_most=""):
    """`make(n)` writes what `words` read. At the limit: exit code 0, or another complaint, `at_most`."""
    make(most)
    code, err = run(words)
    judge(f"{name}: {most}", (code == 3 and at_most in err and sentence not in err) if at_most else code == 0,
          f"{code}: {err}")
    make(most + 1)
    code, err = run(words)
    judge(f"{name}: {most + 1} is refused", code == 3 and sentence in err, f"{code}: {err}")


def write(name, data):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def holes(name, size):
    with open(name, "wb") as file:
        file.truncate(size)


def png(name, width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes(width)) * height
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
          + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


CORRESPOND = ["correspond", "model.safetensors", "parts.tsv", "-o", "out"]
SPEC = "[net]\nname = tiny\nbase = zfnet32\n"


def npy(name, dims, header_bytes=118):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({', '.join(map(str, dims))},), }}"
    count = 1
    for extent in dims:
        count *= extent
    write(name, b"\x93NUMPY\x02\x00" + struct.pack("<I", header_bytes) + text.ljust(header_bytes - 1).encode()
          + b"\n" + bytes(4 * count))


def webp(name, frames):
    """Of one lossless pixel each, beside each other in a frame of two."""
    def chunk(tag, data):
        return tag + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
    pixel = chunk(b"VP8L", bytes.fromhex("2f00000010071011118888fe0700"))
    place = bytes(6) + bytes(6) + b"\x64\0\0\0"
    body = chunk(b"VP8X", b"\2\0\0\0\1\0\0\0\0\0") + chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", place + pixel) * frames
    write(name, b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body)


def tiff(name, pages):
    """Grey, 2 x 2 px, all of the same pixels."""
    tags = [(256, 2), (257, 2), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 2), (279, 4)]
    size = 2 + 12 * len(tags) + 4
    directories = (struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
                   + struct.pack("<I", 12 + size * (page + 1) if page + 1 < pages else 0) for page in range(pages))
    write(name, b"II*\0" + struct.pack("<I", 12) + b"\1\2\3\4" + b"".join(directories))


def gif(name, width, height):
    """The header of one whose frame has no pixels."""
    size = struct.pack("<HH", width, height)
    write(name, b"GIF89a" + size + b"\x80\0\0" + bytes(6) + b"," + bytes(4) + size + b"\0\2\0;")


def header(name, size):
    """Of one tensor, filled up with spaces."""
    tensors = {"__metadata__": {"made": "by hand"}, "t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    write(name, struct.pack("<Q", size) + json.dumps(tensors).ljust(size).encode() + bytes(4))


def safetensors(name, count):
    tensors = {"__metadata__": {"made": "by hand"}}
    tensors |= {f"t{k}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * k, 4 * k + 4]} for k in range(count)}
    header = json.dumps(tensors).encode()
    write(name, struct.pack("<Q", len(header)) + header + bytes(4 * count))


def folders(depth):
    png("deep/" + "x/" * depth + "a.png", 8, 8)
    if depth > 1 and os.path.exists("deep/" + "x/" * (depth - 1) + "a.png"):
        os.remove("deep/" + "x/" * (depth - 1) + "a.png")


def parts(pictures, marks):
    write("parts.tsv", "".join(f"p{i}.png\tpart{k}\t4\t4\n" for i in range(pictures) for k in range(marks)))


def check_all():
    # Specs of nets.
    limit("bytes of a spec", 65536, lambda n: write("n.ini", SPEC + "#" * 100 + ("\n" + "#" * 127) * 509
                                                   + "\n" * (n - len(SPEC) - 100 - 128 * 509)),
          ["info", "./n.ini"], "more than the limit of 65536")
    limit("characters of a line of a spec", 160, lambda n: write("n.ini", SPEC + "#" * n + "\n"),
          ["info", "./n.ini"], "160")
    # Pictures.
    limit("pixels of a picture", 100000000, lambda n: write("b.pgm", f"P5 10000 {(n + 9999) // 10000} 255\n"),
          ["classify", "model.safetensors", "b.pgm"], "more than the limit of 100000000 pixels", "b.pgm")
    limit("bytes of a picture", 256 << 20, lambda n: holes("b.png", n), ["classify", "model.safetensors", "b.png"],
          "more than the limit of 268435456", "b.png")
    limit("pixels of a picture that is held whole", 50000000, lambda n: gif("h.gif", (n + 4999) // 5000, 5000),
          ["classify", "model.safetensors", "h.gif"], "more than the limit of 50000000 pixels")
    for name, make in (("b.webp", webp), ("b.tif", tiff)):
        limit(f"pages of {name}", 4096, lambda n, name=name, make=make: make(name, n),
              ["classify", "model.safetensors", name], "more than the limit of 4096 pages")
    # Arrays.
    limit("dimensions of an .npy", 4, lambda n: npy("a.npy", [1] * (n - 3) + [3, 28, 28]),
          ["classify", "model.safetensors", "a.npy"], "where 1 to 4 would fit")
    limit("bytes of an .npy's header", 65535, lambda n: npy("a.npy", [1, 3, 28, 28], n),
          ["classify", "model.safetensors", "a.npy"], "more than the limit of 65535")
    # Models.
    limit("tensors of a model", 10000, lambda n: safetensors("m.safetensors", n), ["info", "m.safetensors"],
          "more than the limit of 10000", "m.safetensors")
    limit("bytes of a model", 8 << 30, lambda n: holes("m.safetensors", n), ["info", "m.safetensors"],
          "more than the limit of 8589934592", "m.safetensors")
    limit("bytes of a model's header", 16 << 20, lambda n: header("m.safetensors", n), ["info", "m.safetensors"],
          "more than the limit of 16777216", "tensors without a net")
    limit("bytes of a file of labels", 16 << 20, lambda n: holes("l.txt", n),
          ["classify", "model.safetensors", "p/a/a.png", "--labels", "l.txt"], "more than the limit of 16777216", "l.txt")
    # Data.
    limit("bytes of a list", 1 << 30, lambda n: holes("l.tsv", n), ["check", "l.tsv"],
          "more than the limit of 1073741824", "8192 bytes or more")
    limit("folders within folders", 32, folders, ["check", "deep"], "nested more than 32 folders deep")
    limit("bytes of a line of a list", 8191, lambda n: write("l.tsv", "p/a/a.png\ta" + "b" * (n - 11) + "\n"),
          ["check", "l.tsv"], "8192 bytes or more")
    for threads, wanted in ((1024, 0), (1025, 2)):
        code, err = run(["info", "model.safetensors", "--threads", str(threads)])
        judge(f"threads: {threads} is exit code {wanted}", code == wanted, f"{code}: {err}")
    # What the help says of them is what docs/limits.md says.
    said = subprocess.run([zfscope, "--help"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    words = ("256 MiB and 100 million pixels", "50 million", "a model of 8 GiB and 2^31 parameters", "a spec of 64 KiB",
             "a list of 1 GiB", "an array of 4 GiB")
    judge("the help names the limits", all(text in " ".join(said) for text in words), " ".join(said))
    # Parts.
    limit("pictures of a list of parts", 256, lambda n: parts(n, 1), CORRESPOND,
          "limit of 256 pictures", "p0.png")
    limit("parts of a list of parts", 64, lambda n: parts(2, n),
          CORRESPOND,
          "or 64 parts", "p0.png")


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        png("p/a/a.png", 8, 8)
        write("tiny.ini", SPEC + "classes = 2\n" + "".join(
            f"\n[{layer}]\nmaps = 4\n" for layer in ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"]))
        code, err = run(["train", "./tiny.ini", "--data", "p", "--epochs", "0", "-o", "run"])
        if code != 0:
            sys.exit(f"cannot make a model: {code}: {err}")
        os.rename("run/model.safetensors", "model.safetensors")
        check_all()
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
