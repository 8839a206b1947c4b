#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes weights of mixtral-tiny's layer 0 with one thing wrong each, without
NumPy. Their values are zeros: they are refused before they are read."""

import json
import pathlib
import struct
import sys

PREFIX = "model.layers.0.block_sparse_moe."
GATE = PREFIX + "gate.weight"
# The tensor that most files have wrong.
DOWN = PREFIX + "experts.5.w2.weight"
WIDTHS = {"F32": 4, "F16": 2, "I64": 8, "F8_E4M3": 1}


def entries(tensors):
    """The header of {name: (dtype, shape)}, tensors back to back."""
    header, offset = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = WIDTHS[dtype]
        for extent in shape:
            size *= extent
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    return header, offset


def image(header, size):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def save_tensors(path, tensors):
    path.write_bytes(image(*entries(tensors)))


def mixtral(dtype="F32", prefix=PREFIX):
    tensors = {prefix + "gate.weight": ("F32", [8, 64])}
    for expert in range(8):
        for name, shape in (("w1", [48, 64]), ("w2", [64, 48]), ("w3", [48, 64])):
            tensors[f"{prefix}experts.{expert}.{name}.weight"] = (dtype, shape)
    return tensors


def wrong_tensors(folder):
    """Well-formed files with tensors that the model cannot take."""
    complete = mixtral()
    save_tensors(folder / "zeros.safetensors", complete)
    save_tensors(folder / "fp8.safetensors", mixtral("F8_E4M3"))
    save_tensors(folder / "other-layer.safetensors", mixtral(prefix=PREFIX.replace("0", "7")))
    changes = {
        "partial": {},
        "integers": {DOWN: ("I64", [64, 48])},
        "one-fp8": {DOWN: ("F8_E4M3", [64, 48])},
        "transposed": {DOWN: ("F32", [48, 64])},
        "flat": {DOWN: ("F32", [64 * 48])},
    }
    for name, change in changes.items():
        kept = {key: value for key, value in complete.items() if key != DOWN}
        save_tensors(folder / f"{name}.safetensors", kept | change)
    fused = {
        GATE: ("F32", [8, 64]),
        PREFIX + "experts.gate_up_proj": ("F32", [8, 95, 64]),
        PREFIX + "experts.down_proj": ("F32", [8, 64, 48]),
    }
    save_tensors(folder / "fused.safetensors", fused)


def lying_headers(folder):
    """Headers that are not what the format allows."""

    def save(name, change, size_change=0):
        header, size = entries(mixtral())
        change(header)
        (folder / f"{name}.safetensors").write_bytes(image(header, size + size_change))

    def set_key(key, value):
        return lambda header: header[DOWN].update({key: value})

    def shift(begin, end):
        def change(header):
            offsets = header[DOWN]["data_offsets"]
            header[DOWN]["data_offsets"] = [offsets[0] + begin, offsets[1] + end]
        return change

    save("beyond", set_key("data_offsets", [1 << 40, (1 << 40) + 12288]))
    save("backwards", shift(12288, -12288))
    save("overlap", shift(-4, -4))
    save("too-small", set_key("shape", [64, 47]))
    save("huge", set_key("shape", [1 << 62, 1 << 62]))
    save("negative", set_key("shape", [-64, -48]))
    save("unknown-dtype", set_key("dtype", "F33"))
    save("words", set_key("shape", "64x48"))
    save("longer", lambda header: None, 4)
    save("shorter", lambda header: None, -4)


def broken_bytes(folder):
    whole = image(*entries(mixtral()))
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "seven.safetensors").write_bytes(whole[:7])
    (folder / "cut-header.safetensors").write_bytes(whole[:500])
    (folder / "huge-header.safetensors").write_bytes(struct.pack("<Q", 1 << 63) + whole[8:])
    (folder / "text.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    entry = json.dumps({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    twice = f'{{"{GATE}": {entry}, "{GATE}": {entry}}}'
    (folder / "twice.safetensors").write_bytes(image(twice.encode(), 0))


def folders(folder):
    """Checkpoints of several files."""
    header = mixtral()
    names = list(header)

    def save(name, weight_map, files):
        (folder / name).mkdir()
        for file, kept in files.items():
            save_tensors(folder / name / file, {key: header[key] for key in kept})
        if weight_map is not None:
            text = weight_map if isinstance(weight_map, str) else json.dumps({"weight_map": weight_map})
            (folder / name / "model.safetensors.index.json").write_text(text)

    first, second = names[:10], names[10:]
    both = {name: "a.safetensors" for name in first} | {name: "b.safetensors" for name in second}
    files = {"a.safetensors": first, "b.safetensors": second}
    save("no-file", both, {"a.safetensors": first})
    save("not-in-file", both, {"a.safetensors": first, "b.safetensors": second[1:]})
    save("other-file", both | {DOWN: "a.safetensors"}, files)
    save("outside", both | {DOWN: "../a.safetensors"}, files)
    save("cut-index", json.dumps({"weight_map": both})[:300], files)
    save("no-map", '{"metadata": {}}', files)
    save("in-both", None, {"a.safetensors": names, "b.safetensors": second})
    save("nothing", None, {})


def main():
    folder = pathlib.Path(sys.argv[1])
    wrong_tensors(folder)
    lying_headers(folder)
    broken_bytes(folder)
    folders(folder)


if __name__ == "__main__":
    main()
