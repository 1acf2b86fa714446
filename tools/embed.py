#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn text files into a C array that the program carries along.

    embed.py --symbol zf_web_files web.c top.html=web/top.html page.css=web/page.css

writes `const struct zf_embedded zf_web_files[]` (src/base/embedded.h), in the order given and
ended by an entry without a name. A name that is left out is the file's own, without its folders
and ending: nets/zfnet.ini becomes "zfnet".
"""

import argparse
import pathlib
import re
import sys


def c_string(text):
    """A string literal, one source line per line of text."""
    def escape(char):
        named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}
        return named.get(char, char if " " <= char <= "~" else None)

    def octal(char):
        return "".join(f"\\{byte:03o}" for byte in char.encode())

    lines = text.splitlines(keepends=True) or [""]
    return "\n".join('        "' + "".join(escape(c) or octal(c) for c in line) + '"'
                     for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--symbol", required=True, help="name of the C array")
    parser.add_argument("out", type=pathlib.Path, help="the C file to write")
    parser.add_argument("files", nargs="+", metavar="[NAME=]FILE")
    options = parser.parse_args()

    if not re.fullmatch(r"[a-z_][a-z0-9_]*", options.symbol):
        parser.error(f"{options.symbol!r} is no C name")

    entries = {}
    for item in options.files:
        name, separator, path = item.partition("=")
        if not separator:
            name, path = pathlib.Path(item).stem, item
        if name in entries:
            parser.error(f"{name!r} is given twice")
        text = pathlib.Path(path).read_text(encoding="utf-8")
        if "\0" in text:
            parser.error(f"{path} holds a zero byte: it would end there")
        entries[name] = text

    lines = [
        "/* SPDX-License-Identifier: MIT */",
        "/* Made by tools/embed.py; do not edit. */",
        "#include <stddef.h>",
        '#include "base/embedded.h"',
        "",
        f"extern const struct zf_embedded {options.symbol}[];",
        f"const struct zf_embedded {options.symbol}[] = {{",
    ]
    for name, text in entries.items():
        lines += ["    {", f"{c_string(name)},", c_string(text), "    },"]
    lines += ["    {NULL, NULL},", "};", ""]
    options.out.write_text("\n".join(lines), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
