# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bundles that moe-run must refuse: damage.py <bundle> <folder>

Cuts a bundle off at many places and changes single bytes at many others; every
result is refused in one line, with status 1. Writes <folder>/newer.moe, a whole
bundle of another version.
"""

import hashlib
import os
import re
import subprocess
import sys


def refuse(path, data):
    with open(path, "wb") as file:
        file.write(data)
    done = subprocess.run(["moe-run", path], capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    if done.returncode != 1 or len(lines) != 1 or not lines[0].startswith(f"error: {path}: "):
        sys.exit(f"status {done.returncode}: {done.stderr[:500]}")


def members(data):
    """(name, where its bytes begin, bytes) of each member of a GNU archive."""
    position = 8
    while position < len(data):
        header = data[position:position + 60]
        size = int(header[48:58])
        begin = position + 60
        yield header[:16].decode().rstrip(" ").rstrip("/"), begin, data[begin:begin + size]
        position += 60 + size + size % 2


def archive(parts):
    result = b"!<arch>\n"
    for name, data in parts:
        result += f"{name + '/':<16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(data):<10}`\n".encode()
        result += data + b"\n" * (len(data) % 2)
    return result


def main():
    bundle, folder = sys.argv[1:]
    with open(bundle, "rb") as file:
        data = file.read()
    path = os.path.join(folder, "damaged.moe")
    cuts = [0, 1, 7, 8, 9, 67, 68, 69] + [len(data) * i // 12 for i in range(1, 12)]
    for cut in cuts + [len(data) - 60, len(data) - 2]:
        refuse(path, data[:cut])
    for _, begin, part in members(data):
        for at in (begin, begin + len(part) // 2, begin + len(part) - 1):
            refuse(path, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    parts = [(name, re.sub(rb'"version": \d+', b'"version": 99', part, count=1)
              if name == "manifest.json" else part)
             for name, _, part in members(data) if name != "SHA256SUMS"]
    sums = "".join(f"{hashlib.sha256(part).hexdigest()}  {name}\n" for name, part in parts)
    with open(os.path.join(folder, "newer.moe"), "wb") as file:
        file.write(archive(parts + [("SHA256SUMS", sums.encode())]))
    print("all refused")


main()
