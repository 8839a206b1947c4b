# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the family table: names, layers, errors."""

import unittest

import model_blocks
from test_moe_reference import load_config

# model: router, gate of expert 3, up, down, first tensor of the shared expert.
NAMES = {
    "mixtral-tiny": (
        "model.layers.0.block_sparse_moe.gate.weight",
        "model.layers.0.block_sparse_moe.experts.3.w1.weight",
        "model.layers.0.block_sparse_moe.experts.3.w3.weight",
        "model.layers.0.block_sparse_moe.experts.3.w2.weight",
        None,
    ),
    "qwen2-moe-tiny": (
        "model.layers.0.mlp.gate.weight",
        "model.layers.0.mlp.experts.3.gate_proj.weight",
        "model.layers.0.mlp.experts.3.up_proj.weight",
        "model.layers.0.mlp.experts.3.down_proj.weight",
        "model.layers.0.mlp.shared_expert.",
    ),
    "deepseek-v3-tiny": (
        "model.layers.1.mlp.gate.weight",
        "model.layers.1.mlp.experts.3.gate_proj.weight",
        "model.layers.1.mlp.experts.3.up_proj.weight",
        "model.layers.1.mlp.experts.3.down_proj.weight",
        "model.layers.1.mlp.shared_experts.",
    ),
    "switch-tiny": (
        "encoder.block.1.layer.1.mlp.router.classifier.weight",
        None,
        "encoder.block.1.layer.1.mlp.experts.expert_3.wi.weight",
        "encoder.block.1.layer.1.mlp.experts.expert_3.wo.weight",
        None,
    ),
}


class ModelBlocksTest(unittest.TestCase):
    def test_names_are_those_of_the_checkpoints(self):
        for model, names in NAMES.items():
            block = model_blocks.block_of(load_config(model))
            found = [block.router]
            found += [n and n.format(e=3) for n in (block.gate, block.up, block.down)]
            found.append(block.shared and block.shared.prefix)
            self.assertEqual(tuple(found), names, model)
        block = model_blocks.block_of(load_config("deepseek-v3-tiny"), 2)
        bias = "model.layers.2.mlp.gate.e_score_correction_bias"
        self.assertEqual(block.selection.bias, bias)
        block = model_blocks.block_of(load_config("qwen2-moe-tiny"), 1)
        gate = "model.layers.1.mlp.shared_expert_gate.weight"
        self.assertEqual(block.shared.gate, gate)

    def test_layers_with_experts(self):
        config = load_config("qwen3-moe-tiny")
        self.assertEqual(model_blocks.moe_layers(config), [0, 1, 2])
        config.update(decoder_sparse_step=2, num_hidden_layers=6, mlp_only_layers=[3])
        self.assertEqual(model_blocks.moe_layers(config), [1, 5])
        config = load_config("deepseek-v2-tiny")
        self.assertEqual(model_blocks.moe_layers(config), [1])
        config = load_config("switch-tiny")
        layers = [("encoder", 1), ("encoder", 3), ("decoder", 1), ("decoder", 3)]
        self.assertEqual(model_blocks.moe_layers(config), layers)
        block = model_blocks.block_of(config, model_blocks.parse_layer("decoder.3"))
        self.assertEqual(block.prefix, "decoder.block.3.layer.2.mlp.")

    def test_families_differ_as_they_should(self):
        def block(model):
            return model_blocks.block_of(load_config(model))

        self.assertTrue(block("mixtral-tiny").weighing.normalize)
        self.assertFalse(block("olmoe-tiny").weighing.normalize)
        self.assertTrue(block("qwen3-moe-tiny").weighing.normalize)
        self.assertEqual(block("deepseek-v2-lite-tiny").selection.groups, 1)
        self.assertEqual(block("deepseek-v2-tiny").selection.group_top, 1)
        self.assertEqual(block("deepseek-v2-tiny").weighing.scale, 16.0)
        self.assertEqual(block("deepseek-v3-tiny").selection.group_top, 2)
        self.assertEqual(block("kimi-k2-tiny").weighing.scale, 2.827)
        self.assertEqual(block("glm4-moe-tiny").scoring, "sigmoid")
        self.assertEqual(block("deepseek-v2-tiny").shared.width, 80)

    def test_errors_name_what_is_wrong(self):
        with self.assertRaisesRegex(model_blocks.ConfigError, "known: deepseek_v2"):
            model_blocks.block_of({"model_type": "llama"})
        with self.assertRaisesRegex(model_blocks.ConfigError, "layer 0 has no experts"):
            model_blocks.block_of(load_config("deepseek-v3-tiny"), 0)
        config = load_config("deepseek-v2-tiny")
        config["topk_method"] = "best"
        with self.assertRaisesRegex(model_blocks.ConfigError, "'best'"):
            model_blocks.block_of(config)
        del config["topk_method"]
        with self.assertRaises(KeyError):
            model_blocks.block_of(config)


if __name__ == "__main__":
    unittest.main()
