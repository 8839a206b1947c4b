# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The constants that test/Unit/Runner/RandomTensorTest.cpp pins too."""

import unittest
from fractions import Fraction

import numpy as np

import random_data


def words(values):
    return np.float32(values).reshape(-1).view(np.uint32)


class RandomDataTest(unittest.TestCase):
    def test_matrix_matches_constants(self):
        name = "model.layers.0.mlp.gate.weight"
        found = random_data.bits(name, 0, 2)
        self.assertEqual(list(map(int, found)), [0x044F1ED0E851406C, 0x7F3E146D60180C94])
        gate = words(random_data.tensor(name, 0, (8, 64)))
        self.assertEqual([gate[0], gate[1], gate[511]], [0xBE563D2F, 0xBAA7F0F7, 0x3D958302])
        name = "model.layers.3.mlp.experts.7.gate_proj.weight"
        expert = words(random_data.tensor(name, 42, (48, 96)))
        self.assertEqual([expert[0], expert[4607]], [0x3DE3F72E, 0xBE24B1FA])

    def test_vector_matches_constants(self):
        norm = words(random_data.tensor("model.layers.0.input_layernorm.weight", 0, (64,)))
        self.assertEqual([norm[0], norm[63]], [0x3F7845E2, 0x3F853CCB])
        name = "model.layers.1.mlp.gate.e_score_correction_bias"
        bias = words(random_data.tensor(name, 2**64 - 1, (32,)))
        self.assertEqual([bias[0], bias[31]], [0xBD500A20, 0xBDE7554C])

    def test_tokens_match_constants(self):
        tokens = words(random_data.tokens(7, 13, 64))
        self.assertEqual([tokens[0], tokens[831]], [0xBFD2154E, 0xBFD3597F])

    def test_part_of_a_stream(self):
        whole = random_data.bits("w", 5, 20)
        np.testing.assert_array_equal(random_data.bits("w", 5, 7, first=13), whole[13:])

    def test_bf16_rounds_to_the_nearest_even(self):
        generator = np.random.default_rng(3)
        values = generator.integers(0, 2**32, 4000, dtype=np.uint32)
        # Ties and their neighbours among them.
        values[:2000] = (values[:2000] & 0xFFFF0000) | 0x8000
        values[:600] += 1
        values[600:1200] -= 1
        values = values.view(np.float32)
        values = values[np.isfinite(values) & (np.abs(values) < 1e38)]
        for value, rounded in zip(values, random_data.round_to_bf16(values)):
            word = int(words(rounded)[0])
            self.assertEqual(word & 0xFFFF, 0)
            error = abs(Fraction(float(rounded)) - Fraction(float(value)))
            for neighbour in (word - 0x10000, word + 0x10000):
                if not 0 <= neighbour < 2**32:
                    continue
                other = np.array([neighbour], np.uint32).view(np.float32)[0]
                if not np.isfinite(other):
                    continue
                distance = abs(Fraction(float(other)) - Fraction(float(value)))
                self.assertLessEqual(error, distance)
                if error == distance:
                    self.assertEqual(word & 0x10000, 0)


if __name__ == "__main__":
    unittest.main()
