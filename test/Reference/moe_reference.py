#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An independent reference of one layer's MoE block, in NumPy.

Routed and shared experts, without the residual. It is written from the formulas
of the models (docs/RandomData.md for the random data), shares no code with the
compiler, and computes every sum in double precision: what is rounded, and when,
follows the project's numerics:

  logits    f32; rounded to the model's dtype where the family's router runs in it
  scores    f32; rounded to the model's dtype where the family does so
  weights   f32; rounded to the model's dtype where the family does so
  h         round(act(gate) * up), gate and up in f32
  row       round(h . down), one for each token and slot
  y         round(((w0*row0 + w1*row1) + ...) + shared), f32, left to right;
            slots by score, best first, equal scores by expert

A routing file is float32 [2, T, K]: the experts (-1: none), then the weights.

  moe_reference.py config.json --tokens 13 --seed 1 --output y.npy
                   [--layer N] [--input x.npy] [--sequence-length S]
                   [--routing-out r.npy] [--routing-in r.npy]
                   [--margin-out m.npy] [--dtype float32|bfloat16]
                   [--weights FOLDER]
"""

import argparse
import json
import sys
from dataclasses import dataclass

import numpy as np

import model_blocks
import random_data
from read_weights import FileWeights


@dataclass
class Routing:
    experts: np.ndarray  # [T, K] int64, -1 = none
    weights: np.ndarray  # [T, K] f32
    # How far each token's choice is from another one: the smallest relative gap
    # between a score that was taken and one that was not. [T] f32
    margin: np.ndarray

    def to_array(self):
        return np.stack([self.experts.astype(np.float32), self.weights])

    @staticmethod
    def from_array(array):
        if array.ndim != 3 or array.shape[0] != 2:
            raise ValueError(f"expected a routing [2, T, K], but got {array.shape}")
        experts = array[0].astype(np.int64)
        margin = np.zeros(experts.shape[0], np.float32)
        return Routing(experts, array[1].astype(np.float32), margin)


class RandomWeights:
    """Tensors by checkpoint name, from the generator."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, name, shape):
        return random_data.tensor(name, self.seed, shape)


def _dot(rows, matrix):
    """rows . matrix^T with one rounding, to f32."""
    product = rows.astype(np.float64) @ matrix.astype(np.float64).T
    return product.astype(np.float32)


def _sigmoid(values):
    return (1.0 / (1.0 + np.exp(-values.astype(np.float64)))).astype(np.float32)


def _softmax(values):
    values = values.astype(np.float64)
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)


def _activate(name, values):
    if name == "silu":
        wide = values.astype(np.float64)
        return wide / (1.0 + np.exp(-wide))
    if name == "relu":
        return np.maximum(values, 0.0).astype(np.float64)
    raise ValueError(f"unknown activation '{name}'")


def _best(scores, count):
    """Indices of the `count` largest, best first, lowest index on equality."""
    return np.argsort(-scores, axis=-1, kind="stable")[..., :count]


def _gap(scores, count):
    """Relative gap between the last score taken and the first one not taken."""
    if count >= scores.shape[-1]:
        return np.full(scores.shape[:-1], np.inf, np.float32)
    ordered = -np.sort(-scores.astype(np.float64), axis=-1)
    last, first = ordered[..., count - 1], ordered[..., count]
    scale = np.maximum(np.maximum(np.abs(last), np.abs(first)), 1e-30)
    return ((last - first) / scale).astype(np.float32)


class MoEBlock:
    """One layer's block with its weights."""

    def __init__(self, block, dtype, weights):
        if dtype not in ("float32", "bfloat16"):
            raise ValueError(f"expected float32 or bfloat16, but got '{dtype}'")
        self.block = block
        self.is_bf16 = dtype == "bfloat16"
        self.load = weights

    def round(self, values):
        values = np.asarray(values, dtype=np.float32)
        return random_data.round_to_bf16(values) if self.is_bf16 else values

    def weight(self, name, *shape):
        return self.round(self.load(name, shape))

    def scores(self, tokens):
        """[T, E]: what selection starts from, before any bias."""
        block = self.block
        router = self.weight(block.router, block.experts, block.hidden)
        logits = _dot(self.round(tokens), router)
        if block.router_in_model_dtype:
            logits = self.round(logits)
        scores = _softmax(logits) if block.scoring == "softmax" else _sigmoid(logits)
        return self.round(scores) if block.scores_in_model_dtype else scores

    def _limit_groups(self, choice):
        """Sets the scores outside of the kept groups to 0.0."""
        selection = self.block.selection
        tokens, experts = choice.shape
        grouped = choice.reshape(tokens, selection.groups, -1)
        best = -np.sort(-grouped, axis=-1)[..., : selection.group_top]
        group_scores = best[..., 0]
        for place in range(1, selection.group_top):
            group_scores = group_scores + best[..., place]
        kept = np.zeros((tokens, selection.groups), bool)
        np.put_along_axis(kept, _best(group_scores, selection.kept_groups), True, -1)
        limited = np.where(kept[..., None], grouped, np.float32(0.0))
        return limited.reshape(tokens, experts), _gap(
            group_scores, selection.kept_groups
        )

    def route(self, tokens, sequence_length=None):
        scores = self.scores(tokens)
        selection = self.block.selection
        choice = scores
        if selection.bias:
            choice = choice + self.load(selection.bias, (self.block.experts,))
        margin = np.full(len(tokens), np.inf, np.float32)
        if selection.kept_groups < selection.groups:
            choice, margin = self._limit_groups(choice)
        experts = _best(choice, selection.top_k)
        margin = np.minimum(margin, _gap(choice, selection.top_k))
        weights = self._weigh(np.take_along_axis(scores, experts, -1))
        if self.block.capacity is not None:
            experts = self._drop(experts, sequence_length or len(tokens))
        return Routing(experts, weights, margin)

    def _weigh(self, weights):
        weighing = self.block.weighing
        if weighing.normalize:
            total = weights[:, :1]
            for slot in range(1, weights.shape[1]):
                total = total + weights[:, slot : slot + 1]
            weights = weights / (total + np.float32(weighing.epsilon))
        weights = weights * np.float32(weighing.scale)
        return self.round(weights) if weighing.in_model_dtype else weights

    def _drop(self, experts, sequence_length):
        """-1 for every token that finds its expert full."""
        result = experts.copy()
        for begin in range(0, len(experts), max(sequence_length, 1)):
            taken = np.zeros(self.block.experts, np.int64)
            for token in range(begin, min(begin + sequence_length, len(experts))):
                expert = experts[token, 0]
                taken[expert] += 1
                if taken[expert] > self.block.capacity:
                    result[token, 0] = -1
        return result

    def _feed_forward(self, rows, gate, up, down, width):
        hidden = self.block.hidden
        values = _dot(rows, self.weight(up, width, hidden))
        if gate is None:
            values = _activate(self.block.activation, values)
        else:
            gates = _dot(rows, self.weight(gate, width, hidden))
            values = _activate(self.block.activation, gates) * values
        return self.round(_dot(self.round(values), self.weight(down, hidden, width)))

    def _shared(self, tokens):
        shared = self.block.shared
        names = [f"{shared.prefix}{n}_proj.weight" for n in ("gate", "up", "down")]
        rows = self._feed_forward(tokens, *names, shared.width)
        if shared.gate:
            logits = _dot(tokens, self.weight(shared.gate, 1, self.block.hidden))
            rows = self.round(self.round(_sigmoid(self.round(logits))) * rows)
        return rows

    def rows(self, tokens, routing):
        """[T, K, H]: the rounded output of each token's experts."""
        block = self.block
        tokens = self.round(tokens)
        result = np.zeros((*routing.experts.shape, block.hidden), np.float32)
        for expert in range(block.experts):
            token, slot = np.nonzero(routing.experts == expert)
            if len(token):
                names = [n and n.format(e=expert) for n in self._names()]
                result[token, slot] = self._feed_forward(
                    tokens[token], *names, block.width
                )
        if block.capacity is not None:
            token, slot = np.nonzero(routing.experts < 0)
            result[token, slot] = tokens[token]
        return result

    def _names(self):
        return (self.block.gate, self.block.up, self.block.down)

    def forward(self, tokens, routing):
        tokens = self.round(tokens)
        rows = self.rows(tokens, routing)
        result = np.zeros((len(tokens), self.block.hidden), np.float32)
        for slot in range(rows.shape[1]):
            term = routing.weights[:, slot, None] * rows[:, slot]
            result = term if slot == 0 else result + term
        if self.block.shared:
            result = result + self._shared(tokens)
        return self.round(result)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--layer", type=model_blocks.parse_layer)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", help="safetensors; random by --seed otherwise")
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--input", help="float32 [T, H]; random tokens otherwise")
    parser.add_argument("--sequence-length", type=int)
    parser.add_argument("--routing-in")
    parser.add_argument("--routing-out")
    parser.add_argument("--margin-out")
    parser.add_argument("--output")
    return parser.parse_args()


def main():
    arguments = _arguments()
    with open(arguments.config, encoding="utf-8") as file:
        config = json.load(file)
    block = model_blocks.block_of(config, arguments.layer)
    dtype = arguments.dtype or model_blocks.dtype_of(config)
    weights = RandomWeights(arguments.seed)
    if arguments.weights:
        weights = FileWeights(arguments.weights)
    layer = MoEBlock(block, dtype, weights)
    if arguments.input:
        tokens = np.load(arguments.input)
    else:
        tokens = random_data.tokens(arguments.seed, arguments.tokens, block.hidden)
    if arguments.routing_in:
        routing = Routing.from_array(np.load(arguments.routing_in))
    else:
        routing = layer.route(tokens, arguments.sequence_length)
    if arguments.routing_out:
        np.save(arguments.routing_out, routing.to_array())
    if arguments.margin_out:
        np.save(arguments.margin_out, routing.margin)
    if arguments.output:
        np.save(arguments.output, layer.forward(tokens, routing))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, model_blocks.ConfigError) as error:
        sys.exit(f"error: {error}")
    except KeyError as error:
        sys.exit(f"error: the configuration has no key {error}")
