#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the random weights of a model's MoE layers as safetensors.

They are those of `--seed` without a file, so a program must compute the same with
either. The tensors of a layer are its router, experts and shared experts.

  write_weights.py config.json --output FOLDER [--seed S] [--layer N]
                   [--form experts|fused] [--files N]
                   [--dtype F32|BF16|F16|F8_E4M3]

`--form fused` writes the experts as transformers 5 keeps them in memory:
experts.gate_up_proj [E, 2I, H] and experts.down_proj [E, H, I]. With more than
one file there is an index. Without --dtype, the configuration's; F8_E4M3 writes
bytes that mean nothing, for tests that refuse them.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

import model_blocks
import random_data

_DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def _encode(values, dtype):
    values = np.ascontiguousarray(values, dtype=np.float32)
    if dtype == "BF16":
        words = random_data.round_to_bf16(values).view(np.uint32) >> np.uint32(16)
        return words.astype(np.uint16).tobytes()
    if dtype == "F16":
        return values.astype(np.float16).tobytes()
    if dtype == "F8_E4M3":
        return bytes(values.size)
    return values.tobytes()


def _expert_tensors(block, seed, form):
    """Yields (name, values) of the routed experts."""
    shapes = {
        "gate": (block.width, block.hidden),
        "up": (block.width, block.hidden),
        "down": (block.hidden, block.width),
    }

    def expert(part, e):
        name = getattr(block, part).format(e=e)
        return name, random_data.tensor(name, seed, shapes[part])

    if form == "experts":
        for e in range(block.experts):
            for part in ("gate", "up", "down"):
                if getattr(block, part):
                    yield expert(part, e)
        return
    if block.gate is None:
        raise ValueError("experts of two matrices have no fused form")
    prefix = block.prefix.replace(".block_sparse_moe.", ".mlp.") + "experts."
    stacks = {
        part: np.stack([expert(part, e)[1] for e in range(block.experts)])
        for part in shapes
    }
    gate_up = np.concatenate([stacks["gate"], stacks["up"]], axis=1)
    yield prefix + "gate_up_proj", gate_up
    yield prefix + "down_proj", stacks["down"]


def layer_tensors(block, seed, form):
    """Yields (name, values, is kept in f32) of one layer's block."""

    def random(name, *shape):
        return name, random_data.tensor(name, seed, shape)

    hidden = block.hidden
    router, values = random(block.router, block.experts, hidden)
    if form == "fused":
        router = router.replace(".block_sparse_moe.", ".mlp.")
    yield router, values, False
    if block.selection.bias:
        yield (*random(block.selection.bias, block.experts), True)
    for name, values in _expert_tensors(block, seed, form):
        yield name, values, False
    if block.shared:
        prefix, width = block.shared.prefix, block.shared.width
        yield (*random(prefix + "gate_proj.weight", width, hidden), False)
        yield (*random(prefix + "up_proj.weight", width, hidden), False)
        yield (*random(prefix + "down_proj.weight", hidden, width), False)
        if block.shared.gate:
            yield (*random(block.shared.gate, 1, hidden), False)


def safetensors_image(tensors):
    """A file's bytes; `tensors` is a list of (name, dtype, shape, bytes)."""
    header, offset = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    parts = [len(text).to_bytes(8, "little"), text]
    return b"".join(parts + [data for *_, data in tensors])


def write(folder, tensors, files):
    folder.mkdir(parents=True, exist_ok=True)
    if files == 1:
        (folder / "model.safetensors").write_bytes(safetensors_image(tensors))
        return
    weight_map = {}
    for number in range(files):
        name = f"model-{number + 1:05}-of-{files:05}.safetensors"
        part = tensors[number::files]
        (folder / name).write_bytes(safetensors_image(part))
        weight_map.update({tensor[0]: name for tensor in part})
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layer", type=model_blocks.parse_layer)
    parser.add_argument("--form", choices=("experts", "fused"), default="experts")
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--dtype", choices=("F32", "BF16", "F16", "F8_E4M3"))
    return parser.parse_args()


def main():
    arguments = _arguments()
    with open(arguments.config, encoding="utf-8") as file:
        config = json.load(file)
    dtype = arguments.dtype or _DTYPES[model_blocks.dtype_of(config)]
    layers = [arguments.layer]
    if arguments.layer is None:
        layers = model_blocks.moe_layers(config)
    tensors = []
    for layer in layers:
        block = model_blocks.block_of(config, layer)
        for name, values, in_f32 in layer_tensors(
            block, arguments.seed, arguments.form
        ):
            kind = "F32" if in_f32 else dtype
            tensors.append((name, kind, values.shape, _encode(values, kind)))
    write(arguments.output, tensors, arguments.files)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, model_blocks.ConfigError) as error:
        sys.exit(f"error: {error}")
