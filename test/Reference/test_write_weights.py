# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the weight files, read back by a reader of their own."""

import json
import pathlib
import tempfile
import unittest

import numpy as np

import model_blocks
import random_data
import write_weights
from read_weights import FileWeights, read_file
from test_moe_reference import load_config


def write_model(folder, model, form, files=1, dtype="F32"):
    block = model_blocks.block_of(load_config(model))
    tensors = [
        (name, dtype, values.shape, write_weights._encode(values, dtype))
        for name, values, _ in write_weights.layer_tensors(block, 7, form)
    ]
    write_weights.write(pathlib.Path(folder), tensors, files)
    return block


class WriteWeightsTest(unittest.TestCase):
    def test_one_tensor_an_expert(self):
        with tempfile.TemporaryDirectory() as folder:
            block = write_model(folder, "deepseek-v3-tiny", "experts")
            tensors = read_file(pathlib.Path(folder) / "model.safetensors")
        # Router, bias, three a routed expert, three of the shared one.
        self.assertEqual(len(tensors), 2 + 3 * block.experts + 3)
        name = block.up.format(e=5)
        np.testing.assert_array_equal(
            tensors[name], random_data.tensor(name, 7, (block.width, block.hidden))
        )

    def test_fused_experts_hold_gate_then_up(self):
        with tempfile.TemporaryDirectory() as folder:
            block = write_model(folder, "mixtral-tiny", "fused")
            tensors = read_file(pathlib.Path(folder) / "model.safetensors")
        prefix = "model.layers.0.mlp."
        names = [prefix + n for n in ("gate.weight", "experts.gate_up_proj")]
        names.append(prefix + "experts.down_proj")
        self.assertEqual(sorted(tensors), sorted(names))
        gate_up, width, hidden = tensors[names[1]], block.width, block.hidden
        self.assertEqual(gate_up.shape, (8, 2 * width, hidden))
        for begin, pattern in ((0, block.gate), (width, block.up)):
            expected = random_data.tensor(pattern.format(e=6), 7, (width, hidden))
            np.testing.assert_array_equal(gate_up[6, begin : begin + width], expected)

    def test_files_and_index(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            block = write_model(folder, "olmoe-tiny", "experts", 3, "BF16")
            text = (folder / "model.safetensors.index.json").read_text()
            weight_map = json.loads(text)["weight_map"]
            self.assertEqual(len(set(weight_map.values())), 3)
            words = read_file(folder / weight_map[block.router])[block.router]
        expected = random_data.tensor(block.router, 7, words.shape)
        expected = random_data.round_to_bf16(expected)
        np.testing.assert_array_equal(words, expected)

    def test_one_reader_for_both_forms(self):
        with tempfile.TemporaryDirectory() as folder:
            block = write_model(folder + "/a", "mixtral-tiny", "experts", 3, "F16")
            write_model(folder + "/b", "mixtral-tiny", "fused", 1, "F16")
            weights = FileWeights(folder + "/a"), FileWeights(folder + "/b")
        for name in (block.gate, block.up, block.down, block.router):
            name = name.format(e=6)
            shape = weights[0].tensors[name].shape
            expected = random_data.tensor(name, 7, shape).astype(np.float16)
            for one in weights:
                np.testing.assert_array_equal(one(name, shape), expected)


if __name__ == "__main__":
    unittest.main()
