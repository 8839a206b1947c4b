#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the arrays and weights that inputs.test gives to moe-run, without NumPy."""

import json
import pathlib
import struct
import sys

_NPY = {"f": "<f4", "d": "<f8"}


def save(path, code, shape, values):
    extents = "".join(f"{extent}, " for extent in shape)
    header = f"{{'descr': '{_NPY[code]}', 'fortran_order': False, 'shape': ({extents}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    data = struct.pack(f"<{len(values)}{code}", *values)
    prefix = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    path.write_bytes(prefix + header.encode() + data)


def save_tensors(path, tensors):
    """Tensors of zeros: {name: (dtype, bytes of an element, shape)}."""
    header, offset = {}, 0
    for name, (dtype, width, shape) in tensors.items():
        size = width
        for extent in shape:
            size *= extent
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(offset))


def mixtral(dtype, width):
    """Layer 0 of mixtral-tiny."""
    prefix = "model.layers.0.block_sparse_moe."
    tensors = {prefix + "gate.weight": ("F32", 4, [8, 64])}
    for expert in range(8):
        for name, shape in (("w1", [48, 64]), ("w2", [64, 48]), ("w3", [48, 64])):
            tensors[f"{prefix}experts.{expert}.{name}.weight"] = (dtype, width, shape)
    return tensors


def main():
    folder = pathlib.Path(sys.argv[1])
    tokens = [0.25] * (3 * 64)
    save(folder / "x.npy", "f", (3, 64), tokens)
    save(folder / "double.npy", "d", (3, 64), tokens)
    save(folder / "wide.npy", "f", (3, 65), [0.0] * (3 * 65))
    weights = [0.5] * 6
    save(folder / "routing.npy", "f", (2, 3, 2), [0, 1, 2, 3, 4, 5] + weights)
    save(folder / "expert8.npy", "f", (2, 3, 2), [0, 1, 2, 8, 4, 5] + weights)
    save(folder / "twice.npy", "f", (2, 3, 2), [0, 1, 2, 3, 5, 5] + weights)

    complete = mixtral("F32", 4)
    partial = dict(complete)
    del partial["model.layers.0.block_sparse_moe.experts.5.w2.weight"]
    save_tensors(folder / "zeros.safetensors", complete)
    save_tensors(folder / "partial.safetensors", partial)
    save_tensors(folder / "fp8.safetensors", mixtral("F8_E4M3", 1))


if __name__ == "__main__":
    main()
