#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each `function()` in `file` of docs/follow-one-picture.md is defined there."""
import pathlib
import re
import sys

HOP = re.compile(r"`(\w+)\(\)`\s+in\s+`([\w./-]+)`")
FILE = re.compile(r"`((?:src|cli|include)/[\w./-]+)`")


def defined(text, function):
    """A definition starts in the first column and its parameters are followed by a brace."""
    return re.search(rf"^[a-z][^;{{}}]*\b{function}\([^;{{}}]*\)\s*\{{", text, re.M) is not None


def complaints(page, read):
    hops = HOP.findall(page)
    if len(hops) < 30:
        yield f"only {len(hops)} hops were found"
    for name in sorted(set(FILE.findall(page))):
        if read(name) is None:
            yield f"there is no {name}"
    for function, name in hops:
        if read(name) is not None and not defined(read(name), function):
            yield f"{name} does not define {function}()"


def test():
    files = {"src/a.c": "int f(int x,\n      int y)\n{\n}\nint g(void);\n"}
    page = "`f()` in\n   `src/a.c`" * 30
    assert not list(complaints(page, files.get))
    assert list(complaints(page + "`g()` in `src/a.c`", files.get)) == ["src/a.c does not define g()"]
    assert list(complaints(page + "`f()` in `src/b.c`", files.get)) == ["there is no src/b.c"]
    assert list(complaints("`f()` in `src/a.c`", files.get)) == ["only 1 hops were found"]


def main():
    root = pathlib.Path(sys.argv[1])
    test()

    def read(name):
        path = root / name
        return path.read_text() if path.is_file() else None

    found = list(complaints((root / "docs/follow-one-picture.md").read_text(), read))
    for complaint in found:
        print(f"follow-one-picture.md: {complaint}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
