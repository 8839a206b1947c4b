#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the arrays that arrays.test gives to moe-run, without NumPy."""

import math
import pathlib
import struct
import sys


def image(descr, shape, data, order=False, version=1):
    extents = "".join(f"{extent}, " for extent in shape)
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({extents}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    prefix = b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header))
    return prefix + header.encode() + data


def floats(values, order="<", code="f"):
    return struct.pack(f"{order}{len(values)}{code}", *values)


def tokens(folder):
    values = [0.25] * (3 * 64)
    whole = image("<f4", (3, 64), floats(values))
    arrays = {
        "x": whole,
        "double": image("<f8", (3, 64), floats(values, code="d")),
        "wide": image("<f4", (3, 65), floats([0.0] * (3 * 65))),
        "half": image("<f2", (3, 64), bytes(3 * 64 * 2)),
        "big-endian": image(">f4", (3, 64), floats(values, ">")),
        "fortran": image("<f4", (3, 64), floats(values), order=True),
        "vector": image("<f4", (192,), floats(values)),
        "cube": image("<f4", (3, 8, 8), floats(values)),
        "scalar": image("<f4", (), floats([1.0])),
        "cut-data": whole[:-5],
        "cut-header": whole[:40],
        "cut-magic": whole[:5],
        "longer": whole + b"more",
        "huge": image("<f4", (1 << 40, 64), floats(values)),
        "objects": image("|O", (3, 64), floats(values)),
        "version9": image("<f4", (3, 64), floats(values), version=9),
        "empty": b"",
    }
    for name, bytes_of_file in arrays.items():
        (folder / f"{name}.npy").write_bytes(bytes_of_file)


def routings(folder):
    """Of 3 tokens with 2 choices among 8 experts."""

    def save(name, experts, weights=(0.5,) * 6):
        data = floats([*experts, *weights])
        (folder / f"{name}.npy").write_bytes(image("<f4", (2, 3, 2), data))

    save("routing", [0, 1, 2, 3, 4, -1])
    save("expert8", [0, 1, 2, 8, 4, 5])
    save("expert-2", [0, 1, 2, 3, 4, -2])
    save("expert-half", [0, 1, 2, 3.5, 4, 5])
    save("expert-nan", [0, 1, 2, 3, math.nan, 5])
    save("expert-inf", [0, math.inf, 2, 3, 4, 5])
    save("twice", [0, 1, 2, 3, 5, 5])
    save("weight-nan", [0, 1, 2, 3, 4, 5], [0.5, 0.5, 0.5, math.nan, 0.5, 0.5])
    save("weight-inf", [0, 1, 2, 3, 4, 5], [0.5, 0.5, 0.5, 0.5, 0.5, -math.inf])
    narrow = image("<f4", (2, 3, 1), floats([0.0] * 6))
    (folder / "one-choice.npy").write_bytes(narrow)


def main():
    folder = pathlib.Path(sys.argv[1])
    tokens(folder)
    routings(folder)


if __name__ == "__main__":
    main()
