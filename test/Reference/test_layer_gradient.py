# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the gradient: against differences, and against its golden files."""

import unittest

import numpy as np

import layer_gradient
import random_data
from compare import compare_values
from layer_gradient import GOLDENS, NAMES, forward, golden, gradient


class GradientTest(unittest.TestCase):
    def test_is_the_slope_of_the_layer(self):
        x = random_data.tokens(3, 7, layer_gradient.HIDDEN).astype(np.float64)
        dy = random_data.tokens(4, 7, layer_gradient.HIDDEN).astype(np.float64)
        layer = layer_gradient.random_layer()
        gradients = gradient(x, dy, layer)
        values = {"x": x, **layer}
        chosen, _ = layer_gradient._route(x @ layer["router"].T)
        generator = np.random.default_rng(0)
        for name in NAMES:
            direction = generator.standard_normal(values[name].shape)

            def loss(step):
                moved = dict(values, **{name: values[name] + step * direction})
                weights = {key: moved[key] for key in layer}
                return (forward(moved["x"], weights, chosen) * dy).sum()

            slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
            expected = (gradients[name] * direction).sum()
            self.assertAlmostEqual(slope, expected, delta=1e-6 * abs(slope) + 1e-8,
                                   msg=name)

    def test_goldens_are_what_the_script_makes(self):
        for name, array in golden().items():
            stored = np.load(GOLDENS / f"{name}.npy")
            self.assertEqual(stored.dtype, np.float32)
            is_good, message = compare_values(array, stored, 1e-6)
            self.assertTrue(is_good, f"{name}: {message}")

    def test_every_expert_has_rows(self):
        logits = (np.load(GOLDENS / "gradient.input.npy").astype(np.float64)
                  @ layer_gradient.random_layer()["router"].T)
        chosen, weight = layer_gradient._route(logits)
        self.assertEqual(set(chosen.flat), set(range(layer_gradient.EXPERTS)))
        ordered = -np.sort(-logits, axis=1)
        margin = ordered[:, 1] - ordered[:, 2]
        self.assertGreater(margin.min(), 2e-3)
        self.assertLess(weight.max(), 1)


if __name__ == "__main__":
    unittest.main()
