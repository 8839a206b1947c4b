#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the golden inputs and outputs of every tiny model to goldens/.

For each model of ../Inputs/models, NAME.{input,output,routing,margin}.npy; what
they were made with is in goldens/index.json. The seed is the first one for which
no routing decision is close in f32, so that a correct program, whatever its order
of sums, makes the same decisions there. (Scores of bf16 models may tie: compare
them given the routing.)
"""

import argparse
import json
import pathlib

import numpy as np

import model_blocks
import random_data
from moe_reference import MoEBlock, RandomWeights

_HERE = pathlib.Path(__file__).resolve().parent
_MODELS = _HERE.parent / "Inputs" / "models"
GOLDENS = _HERE / "goldens"

# Odd counts, and another one for each model: nothing divides by chance.
_TOKENS = (13, 17, 19, 23, 29, 31)
_CLOSE = 2e-3
_PARTS = ("input", "output", "routing", "margin")


def _sequence_length(config):
    # Two whole sequences and a part of one, with drops.
    return 12 if config["model_type"] == "switch_transformers" else None


def _layer(config):
    """The last layer with experts (of the encoder): never the default one alone."""
    layers = model_blocks.moe_layers(config)
    encoder = [n for n in layers if isinstance(n, tuple) and n[0] == "encoder"]
    return (encoder or layers)[-1]


def _is_clear(config, layer, seed, tokens):
    block = model_blocks.block_of(config, layer)
    reference = MoEBlock(block, "float32", RandomWeights(seed))
    values = random_data.tokens(seed, tokens, block.hidden)
    return reference.route(values).margin.min() > _CLOSE


def _golden(config, tokens):
    """The entry of the index and the arrays by part."""
    layer = _layer(config)
    seed = next(s for s in range(1, 1000) if _is_clear(config, layer, s, tokens))
    block = model_blocks.block_of(config, layer)
    dtype = model_blocks.dtype_of(config)
    reference = MoEBlock(block, dtype, RandomWeights(seed))
    values = random_data.tokens(seed, tokens, block.hidden)
    length = _sequence_length(config)
    routing = reference.route(values, length)
    entry = {
        "layer": ".".join(map(str, layer)) if isinstance(layer, tuple) else layer,
        "seed": seed,
        "tokens": tokens,
        "dtype": dtype,
    }
    if length:
        entry["sequence_length"] = length
    output = reference.forward(values, routing)
    arrays = (values, output, routing.to_array(), routing.margin)
    return entry, dict(zip(_PARTS, arrays))


def make_all():
    """Yields (name, entry of the index, arrays by part)."""
    for number, path in enumerate(sorted(_MODELS.glob("*-tiny*.json"))):
        config = json.loads(path.read_text(encoding="utf-8"))
        # The f32 and the bf16 model of a pair share their seed and input.
        tokens = _TOKENS[number // 2 % len(_TOKENS)]
        yield (path.stem, *_golden(config, tokens))


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    index = {}
    GOLDENS.mkdir(exist_ok=True)
    for name, entry, arrays in make_all():
        index[name] = entry
        for part, array in arrays.items():
            np.save(GOLDENS / f"{name}.{part}.npy", array)
    text = json.dumps(index, indent=2) + "\n"
    (GOLDENS / "index.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
