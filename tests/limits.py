#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/limits.md, held: what lies at a limit is read, what lies one above is refused with exit code 3
and a sentence that names the limit. Where a file at the limit would be gigabytes, it is one with
holes and no contents, and must be refused for those. Usage: limits.py ZFSCOPE"""
import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

zfscope = os.path.realpath(sys.argv[1])
with open(zfscope, "rb") as program:
    sanitized = b"__asan_init" in program.read()
passed = failed = 0


def run(words, memory=0):
    """`memory`: bytes of address space that it may have, of which AddressSanitizer takes terabytes: there of an
    allocation; 0 = all."""
    limited = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) if memory and not sanitized else None
    options = os.environ.get("ASAN_OPTIONS", "")
    if memory:
        options += f":allocator_may_return_null=1:max_allocation_size_mb={memory >> 20}"
    done = subprocess.run([zfscope, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, preexec_fn=limited,
                          env={**os.environ, "ASAN_OPTIONS": options})
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


def jp2(name, bytes_=0, width=100, height=100, tile=0, channels=1, bits=8):
    """The beginning of a codestream, and holes."""
    tile_height = height if tile else 0
    write(name, b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIIIIIH", 38 + 3 * channels, 0, width, height, 0, 0,
                                                   tile or width, tile_height or height, 0, 0, channels)
          + bytes([bits - 1, 1, 1]) * channels)
    os.truncate(name, max(bytes_, os.path.getsize(name)))


def layers(count):
    """As many rectifiers, of names as short as they can be."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    ends = ["", *letters, *(a + b for a in letters for b in letters)]
    names = [a + end for end in ends for a in letters if a + end != "net"][:count]
    write("n.ini", "[net]\nname=t\ninput=1x2x2\n" + "".join(f"[{name}]\ntype=relu\n" for name in names))


def tar(files):
    """data.tar of a picture and these files beside it."""
    with tarfile.open("data.tar", "w", format=tarfile.USTAR_FORMAT) as out:
        out.add("p/a/a.png", "a.png")
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))


def tar_with_header(size):
    """data.tar of a picture whose extended header is of `size` bytes."""
    record = f"{size} comment="
    with tarfile.open("data.tar", "w", format=tarfile.USTAR_FORMAT) as out:
        info = tarfile.TarInfo("header")
        info.type, info.size = b"x", size
        out.addfile(info, io.BytesIO(record.encode().ljust(size - 1, b"x") + b"\n"))
        out.add("p/a/a.png", "n01440764/a.png")


def results(count, depth=1, size=0):
    """As many results of one heading each, in folders within folders."""
    shutil.rmtree("results", ignore_errors=True)
    text = '{"kind":"top","title":"T","blocks":[{"type":"heading","text":"H"}]}'
    for i in range(count):
        write("results/" + "/".join([f"r{i}", *["x"] * (depth - 1)]) + "/top.json", text.ljust(size))


def epochs(count):
    shutil.rmtree("many", ignore_errors=True)
    os.makedirs("many/epochs")
    for i in range(count):
        os.link("model.safetensors", f"many/epochs/{i + 1:05d}.safetensors")


def nested(count):
    """An ONNX model with as many messages inside each other: graph, node, attribute, graph, node ..."""
    inside = b""
    for i in range(count, 0, -1):
        length = bytes([len(inside) & 127 | 128, len(inside) >> 7])
        inside = (b"\x3a" if i == 1 else b"\x0a\x2a\x32"[(i - 2) % 3:][:1]) + length + inside
    write("deep.onnx", b"\x08\x08" + inside)


def checkpoint(size):
    os.makedirs("kept", exist_ok=True)
    holes("kept/checkpoint", size)


def option(name, words, least_refused, most):
    """A limit that is an option's: at it the command does its work, above it is a mistake in usage."""
    for value, wanted in ((most, 0), (least_refused, 2)):
        code, err = run([word.format(value) for word in words])
        judge(f"{name}: {value} is exit code {wanted}", code == wanted, f"{code}: {err}")


def check_nets():
    limit("layers", 4096, layers, ["info", "./n.ini"], "a net has 1 to 4096")
    limit("numbers in a layer's output", 2 ** 31, lambda n: write(
        "n.ini", f"[net]\nname = t\ninput = {(n + 2 ** 24 - 1) >> 24}x4096x4096\n[a]\ntype = relu\n"),
          ["info", "./n.ini"], "more than 2147483648 numbers")
    # 65536 numbers a map. Where so much memory is not to be had, that is said.
    for maps, sentence in ((32768, "no memory for 2147483648 parameters"), (32769, "more than 2147483648 parameters")):
        write("n.ini", f"[net]\nname = t\ninput = 1x255x257\n[a]\ntype = fc\nmaps = {maps}\n")
        code, err = run(["info", "./n.ini"], 4 << 30)
        judge(f"parameters: {maps << 16}", code in (1, 3) and sentence in err, f"{code}: {err}")
    limit("messages inside messages of ONNX", 32, nested, ["info", "deep.onnx"], "messages inside messages", "deep.onnx")
    limit("labels", 1 << 20, lambda n: write("l.txt", "a\n" * n),
          ["classify", "model.safetensors", "p/a/a.png", "--labels", "l.txt"], "more than the limit of 1048576",
          "1048576 labels for ")
    limit("bytes of a checkpoint", 32 << 30, checkpoint,
          ["train", "./tiny.ini", "--data", "p", "--resume", "-o", "kept"], "more than the limit of 34359738368", "checkpoint")


def check_pictures():
    classify = ["classify", "model.safetensors", "b.j2k"]
    for name, most, make in (
            ("bytes", 64 << 20, lambda n: jp2("b.j2k", n)),
            ("pixels", 25000000, lambda n: jp2("b.j2k", 0, (n + 4999) // 5000, 5000)),
            ("tiles", 1024, lambda n: jp2("b.j2k", 0, 1025, 100, 1 if n > 1024 else 2)),
            ("channels", 4, lambda n: jp2("b.j2k", channels=n)),
            ("bits of a value", 16, lambda n: jp2("b.j2k", bits=n))):
        limit(f"{name} of a JPEG 2000 file", most, make, classify, "a JPEG 2000 file of more than", "b.j2k")
    limit("bytes of an .npy", 4 << 30, lambda n: holes("a.npy", n), ["classify", "model.safetensors", "a.npy"],
          "more than the limit of 4294967296", "a.npy")
    option("side of packed squares", ["pack", "p", "p.pack", "--size", "{}"], 4097, 4096)


def check_data():
    for size, sentence in ((4095, "No such file"), (4096, "File name too long")):
        code, err = run(["classify", "model.safetensors", ("b/" * size)[:size - 1] + "b"])
        judge(f"bytes of a path: {size}", code == 3 and sentence in err, f"{code}: {err}")
    for last, sentence in ((99999, "000000.tar: No such file"), (100000, "more than 100000 shards")):
        code, err = run(["check", f"{{000000..{last:06d}}}.tar"])
        judge(f"tars: {last + 1}", code == 3 and sentence in err, f"{code}: {err}")
    check = ["check", "data.tar"]
    limit("classes by number", 1 << 20, lambda n: tar({"a.json": f'{{"cls":{n - 1}}}'.encode()}), check,
          "neither a class's number nor its name")
    for name, data in (("a.cls", b"7"), ("a.json", b'{"cls":7}'), ("a.txt", b"7")):
        limit(f"bytes of {name}", 1 << 20, lambda n, name=name, data=data: tar({name: data.ljust(n)}), check,
              "is no file of a label")
    limit("bytes of a tar's header of names", 1 << 20, tar_with_header, check, "a header of names with 1048577 bytes")
    option("parts of a packed file", ["pack", "synth:train:10000", "parts", "--size", "32", "--part", "1/{}"], 10000, 9999)
    for images, wanted in ((1000000, 0), (1000001, 3)):
        code, err = run(["pack", f"synth:train:{images}", "parts", "--size", "32", "--part", "2/9999"])
        judge(f"generated pictures: {images} is exit code {wanted}", code == wanted, f"{code}: {err}")
    code, err = run(["synth", "s", "--images", "1000001"])
    judge("pictures that synth writes: 1000001 is exit code 2", code == 2, f"{code}: {err}")


def check_commands():
    limit("epochs of a run", 10000, epochs, ["evolve", "many", "--data", "p", "--layer", "none", "-o", "out"],
          "keeps more than 10000 epochs", "none")
    report = ["report", "results", "-o", "page.html"]
    limit("folders within folders of a report", 16, lambda n: results(1, n), report, "there are no results below")
    limit("results of a report", 1000, results, report, "more than 1000 results")
    limit("bytes of a result", 64 << 20, lambda n: results(1, 1, n), report, "there are no results below")


def check_all():
    check_nets()
    check_pictures()
    check_data()
    check_commands()
    # Specs of nets.
    limit("bytes of a spec", 1 << 20, lambda n: write("n.ini", SPEC + "#" * 100 + ("\n" + "#" * 127) * 8180
                                                     + "\n" * (n - len(SPEC) - 100 - 128 * 8180)),
          ["info", "./n.ini"], "more than the limit of 1048576")
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
    words = ("256 MiB and 100 million pixels", "50 million", "a model of 8 GiB and 2^31 parameters", "a spec of 1 MiB",
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
