# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the reference itself: python3 -m unittest (in this folder)."""

import json
import math
import pathlib
import unittest

import numpy as np

import model_blocks
from model_blocks import Block, Selection, SharedExpert, Weighing
from moe_reference import MoEBlock, RandomWeights, Routing

MODELS = pathlib.Path(__file__).resolve().parent.parent / "Inputs" / "models"


def load_config(name):
    return json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))


def make_block(**changes):
    fields = dict(
        prefix="m.",
        hidden=2,
        width=3,
        experts=4,
        router="router",
        scoring="softmax",
        router_in_model_dtype=False,
        selection=Selection(2),
        weighing=Weighing(normalize=False),
        gate="gate{e}",
        up="up{e}",
        down="down{e}",
    )
    return Block(**{**fields, **changes})


class GivenScores(MoEBlock):
    """A block whose scores are stated by the test."""

    def __init__(self, block, scores, tensors=None):
        super().__init__(block, "float32", lambda name, shape: tensors[name])
        self.given = np.array(scores, np.float32)

    def scores(self, tokens):
        return self.given


def route(block, scores, tensors=None, sequence_length=None):
    layer = GivenScores(block, scores, tensors)
    return layer.route(np.zeros((len(scores), 2), np.float32), sequence_length)


class RoutingTest(unittest.TestCase):
    def test_equal_scores_take_the_lowest_expert(self):
        routing = route(make_block(), [[0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.1, 0.4]])
        self.assertEqual(routing.experts.tolist(), [[0, 1], [1, 3]])
        self.assertEqual(routing.margin[0], 0.0)
        self.assertAlmostEqual(float(routing.margin[1]), 0.75, places=6)

    def test_weights_are_normalized_then_scaled(self):
        weighing = Weighing(normalize=True, epsilon=1e-20, scale=2.5)
        routing = route(make_block(weighing=weighing), [[0.1, 0.3, 0.5, 0.1]])
        np.testing.assert_allclose(routing.weights, [[1.5625, 0.9375]], rtol=1e-6)

    def test_bias_selects_but_does_not_weigh(self):
        block = make_block(selection=Selection(2, bias="b"))
        bias = np.array([0.0, 0.0, -0.4, 0.2], np.float32)
        routing = route(block, [[0.1, 0.3, 0.5, 0.2]], {"b": bias})
        self.assertEqual(routing.experts.tolist(), [[3, 1]])
        np.testing.assert_array_equal(routing.weights, np.float32([[0.2, 0.3]]))

    def test_groups_score_their_best_or_the_sum_of_two(self):
        scores = [[0.9, 0.0, 0.6, 0.5, 0.2, 0.1]]
        for group_top, experts in ((1, [0, 1]), (2, [2, 3])):
            selection = Selection(2, None, 3, 1, group_top)
            block = make_block(experts=6, selection=selection)
            self.assertEqual(route(block, scores).experts.tolist(), [experts])

    def test_masked_experts_score_zero_and_can_beat_a_negative_one(self):
        selection = Selection(2, "b", 2, 1, 2)
        bias = np.array([0.0, 0.0, 0.0, -0.5], np.float32)
        block = make_block(selection=selection)
        routing = route(block, [[0.1, 0.1, 0.9, 0.3]], {"b": bias})
        # Group 1 is kept (0.9 - 0.2 > 0.2); expert 0 of the other has 0.0 > -0.2.
        self.assertEqual(routing.experts.tolist(), [[2, 0]])
        np.testing.assert_array_equal(routing.weights, np.float32([[0.9, 0.1]]))

    def test_capacity_counts_within_a_sequence(self):
        block = make_block(selection=Selection(1), capacity=1)
        first, second = [0.6, 0.4, 0.0, 0.0], [0.3, 0.7, 0.0, 0.0]
        routing = route(block, [first, first, second, first, first], None, 3)
        self.assertEqual(routing.experts[:, 0].tolist(), [0, -1, 1, 0, -1])
        np.testing.assert_allclose(routing.weights[:, 0], [0.6, 0.6, 0.7, 0.6, 0.6])
        routing = route(block, [first, first, second, first, first])
        self.assertEqual(routing.experts[:, 0].tolist(), [0, -1, 1, -1, -1])


def scalar_expert(x, gate, up, down):
    """One token through one expert, one multiplication at a time."""
    hidden = []
    for row in range(len(up)):
        g = sum(float(a) * float(b) for a, b in zip(gate[row], x))
        u = sum(float(a) * float(b) for a, b in zip(up[row], x))
        hidden.append(g / (1.0 + math.exp(-g)) * u)
    return [sum(float(a) * b for a, b in zip(row, hidden)) for row in down]


class ForwardTest(unittest.TestCase):
    def test_matches_scalar_arithmetic(self):
        shared = SharedExpert("s.", 5, "sg")
        block = make_block(shared=shared, hidden=4, experts=3)
        weights = RandomWeights(11)
        layer = MoEBlock(block, "float32", weights)
        tokens = np.float32([[0.5, -1.0, 2.0, 0.25], [1.0, 1.5, -0.5, -2.0]])
        routing = layer.route(tokens)
        output = layer.forward(tokens, routing)
        for t, x in enumerate(tokens):
            names = [f"s.{n}_proj.weight" for n in ("gate", "up", "down")]
            shapes = [(5, 4), (5, 4), (4, 5)]
            row = scalar_expert(x, *(weights(n, s) for n, s in zip(names, shapes)))
            logit = sum(float(a) * float(b) for a, b in zip(weights("sg", (1, 4))[0], x))
            expected = np.array(row) / (1.0 + math.exp(-logit))
            for expert, weight in zip(routing.experts[t], routing.weights[t]):
                names = [f"{n}{expert}" for n in ("gate", "up", "down")]
                shapes = [(3, 4), (3, 4), (4, 3)]
                row = scalar_expert(x, *(weights(n, s) for n, s in zip(names, shapes)))
                expected += float(weight) * np.array(row)
            np.testing.assert_allclose(output[t], expected, rtol=2e-6, atol=1e-7)

    def test_dropped_token_returns_its_input_times_its_weight(self):
        block = make_block(
            selection=Selection(1), capacity=1, gate=None, activation="relu"
        )
        layer = MoEBlock(block, "float32", RandomWeights(5))
        tokens = np.float32([[1.0, 2.0], [1.0, 2.0]])
        routing = layer.route(tokens)
        self.assertEqual(routing.experts[1, 0], -1)
        output = layer.forward(tokens, routing)
        np.testing.assert_array_equal(output[1], routing.weights[1] * tokens[1])
        up, down = (RandomWeights(5)(n, s) for n, s in (("up0", (3, 2)), ("down0", (2, 3))))
        if routing.experts[0, 0] == 0:
            row = down @ np.maximum(up @ tokens[0], 0)
            np.testing.assert_allclose(output[0], routing.weights[0] * row, rtol=1e-5)

    def test_routing_can_be_given(self):
        config = load_config("deepseek-v3-tiny-bf16")
        block = model_blocks.block_of(config)
        layer = MoEBlock(block, "bfloat16", RandomWeights(3))
        tokens = np.random.default_rng(0).normal(size=(7, 64)).astype(np.float32)
        routing = layer.route(tokens)
        given = Routing.from_array(routing.to_array())
        output = layer.forward(tokens, routing)
        np.testing.assert_array_equal(layer.forward(tokens, given), output)
        given.experts[:, 0] = (given.experts[:, 0] + 1) % block.experts
        self.assertTrue((layer.forward(tokens, given) != output).any())

    def test_bf16_stays_close_to_f32(self):
        for path in sorted(MODELS.glob("*-bf16.json")):
            config = load_config(path.stem)
            block = model_blocks.block_of(config)
            tokens = np.random.default_rng(1).normal(size=(9, block.hidden))
            tokens = tokens.astype(np.float32)
            wide = MoEBlock(block, "float32", RandomWeights(2))
            narrow = MoEBlock(block, "bfloat16", RandomWeights(2))
            routing = wide.route(tokens)
            expected = wide.forward(tokens, routing)
            output = narrow.forward(tokens, routing)
            self.assertTrue((output.view(np.uint32) & 0xFFFF == 0).all())
            error = np.abs(output - expected).max() / np.abs(expected).max()
            self.assertTrue(1e-4 < error < 2e-2, f"{path.stem}: {error}")

    def test_weights_are_rounded_where_the_family_does(self):
        models = {"mixtral-tiny": True, "olmoe-tiny": True, "qwen3-moe-tiny": False}
        models["switch-tiny"] = True  # its scores are rounded already
        for model, is_rounded in models.items():
            block = model_blocks.block_of(load_config(model))
            layer = MoEBlock(block, "bfloat16", RandomWeights(2))
            tokens = np.random.default_rng(1).normal(size=(9, block.hidden))
            weights = layer.route(tokens.astype(np.float32)).weights
            low_bits = weights.view(np.uint32) & 0xFFFF
            self.assertEqual(not low_bits.any(), is_rounded, model)

    def test_no_tokens(self):
        layer = MoEBlock(make_block(), "float32", RandomWeights(0))
        tokens = np.zeros((0, 2), np.float32)
        self.assertEqual(layer.forward(tokens, layer.route(tokens)).shape, (0, 2))


if __name__ == "__main__":
    unittest.main()
