# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the MoE block of a layer is, read from a Hugging Face config.json.

One function a family turns a configuration into a `Block`: plain data that says
which tensors there are and how routing works. Tensor names are those of the
published checkpoints.
"""

from dataclasses import dataclass
from typing import Optional


class ConfigError(Exception):
    """A configuration that no family can be made of."""


@dataclass(frozen=True)
class Selection:
    """From scores to the experts of a token."""

    top_k: int
    # Name of a bias that is added for selection only (kept in f32).
    bias: Optional[str] = None
    # Experts are cut into groups of equal size, of which some are kept. A group
    # scores the sum of its `group_top` best experts; the scores of the experts
    # in the other groups become 0.0, as transformers does it.
    groups: int = 1
    kept_groups: int = 1
    group_top: int = 1


@dataclass(frozen=True)
class Weighing:
    """From the scores of the chosen experts to their weights."""

    normalize: bool
    epsilon: float = 0.0
    scale: float = 1.0
    # Rounded to the model's dtype at the end; otherwise they stay f32.
    in_model_dtype: bool = False


@dataclass(frozen=True)
class SharedExpert:
    prefix: str
    width: int
    # Weight of a scalar gate, [1, H].
    gate: Optional[str] = None


@dataclass(frozen=True)
class Block:
    prefix: str
    hidden: int
    width: int
    experts: int
    router: str
    scoring: str  # softmax, sigmoid
    # The router's product is rounded to the model's dtype (else it stays f32).
    router_in_model_dtype: bool
    selection: Selection
    weighing: Weighing
    # Names with {e}; two-matrix experts have no `gate`.
    gate: Optional[str]
    up: str
    down: str
    activation: str = "silu"
    shared: Optional[SharedExpert] = None
    # At most so many tokens of a sequence go to one expert, in token order. A
    # token beyond it is returned times its weight (transformers 4's Switch).
    capacity: Optional[int] = None
    # Scores are rounded to the model's dtype before the best are taken.
    scores_in_model_dtype: bool = False


def _gated_names(prefix):
    names = {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
    return {k: f"{prefix}experts.{{e}}.{v}.weight" for k, v in names.items()}


def _mixtral(config, layer):
    prefix = f"model.layers.{layer}.block_sparse_moe."
    names = {"gate": "w1", "up": "w3", "down": "w2"}
    return Block(
        prefix=prefix,
        hidden=config["hidden_size"],
        width=config["intermediate_size"],
        experts=config["num_local_experts"],
        router=prefix + "gate.weight",
        scoring="softmax",
        router_in_model_dtype=True,
        selection=Selection(config["num_experts_per_tok"]),
        weighing=Weighing(normalize=True, in_model_dtype=True),
        **{k: f"{prefix}experts.{{e}}.{v}.weight" for k, v in names.items()},
    )


def _softmax_top_k(config, layer, width, in_model_dtype, shared=None):
    """Qwen and OLMoE."""
    prefix = f"model.layers.{layer}.mlp."
    return Block(
        prefix=prefix,
        hidden=config["hidden_size"],
        width=width,
        experts=config["num_experts"],
        router=prefix + "gate.weight",
        scoring="softmax",
        router_in_model_dtype=True,
        selection=Selection(config["num_experts_per_tok"]),
        weighing=Weighing(config["norm_topk_prob"], in_model_dtype=in_model_dtype),
        shared=shared,
        **_gated_names(prefix),
    )


def _qwen2(config, layer):
    prefix = f"model.layers.{layer}.mlp."
    shared = SharedExpert(
        prefix + "shared_expert.",
        config["shared_expert_intermediate_size"],
        prefix + "shared_expert_gate.weight",
    )
    return _softmax_top_k(config, layer, config["moe_intermediate_size"], False, shared)


def _qwen3(config, layer):
    return _softmax_top_k(config, layer, config["moe_intermediate_size"], False)


def _olmoe(config, layer):
    return _softmax_top_k(config, layer, config["intermediate_size"], True)


def _deepseek(config, layer, scoring, selection, weighing):
    prefix = f"model.layers.{layer}.mlp."
    width = config["moe_intermediate_size"]
    shared = config["n_shared_experts"]
    return Block(
        prefix=prefix,
        hidden=config["hidden_size"],
        width=width,
        experts=config["n_routed_experts"],
        router=prefix + "gate.weight",
        scoring=scoring,
        router_in_model_dtype=False,
        selection=selection,
        weighing=weighing,
        shared=SharedExpert(prefix + "shared_experts.", shared * width),
        **_gated_names(prefix),
    )


def _deepseek_v2(config, layer):
    selection = Selection(config["num_experts_per_tok"])
    if config["topk_method"] == "group_limited_greedy":
        selection = Selection(
            config["num_experts_per_tok"],
            groups=config["n_group"],
            kept_groups=config["topk_group"],
            group_top=1,
        )
    elif config["topk_method"] != "greedy":
        raise ConfigError(f"unknown topk_method '{config['topk_method']}'")
    weighing = Weighing(normalize=False, scale=config["routed_scaling_factor"])
    return _deepseek(config, layer, "softmax", selection, weighing)


def _deepseek_v3(config, layer):
    selection = Selection(
        config["num_experts_per_tok"],
        bias=f"model.layers.{layer}.mlp.gate.e_score_correction_bias",
        groups=config["n_group"],
        kept_groups=config["topk_group"],
        group_top=2,
    )
    weighing = Weighing(
        config["norm_topk_prob"], 1e-20, config["routed_scaling_factor"]
    )
    return _deepseek(config, layer, "sigmoid", selection, weighing)


def _switch(config, layer):
    stack, number = layer
    # The last sublayer of a block: decoders have cross attention before it.
    sublayer = 1 if stack == "encoder" else 2
    prefix = f"{stack}.block.{number}.layer.{sublayer}.mlp."
    return Block(
        prefix=prefix,
        hidden=config["d_model"],
        width=config["d_ff"],
        experts=config["num_experts"],
        router=prefix + "router.classifier.weight",
        scoring="softmax",
        router_in_model_dtype=False,
        selection=Selection(1),
        weighing=Weighing(normalize=False),
        gate=None,
        up=prefix + "experts.expert_{e}.wi.weight",
        down=prefix + "experts.expert_{e}.wo.weight",
        activation=config["dense_act_fn"],
        capacity=config["expert_capacity"],
        scores_in_model_dtype=True,
    )


def _every_layer(config):
    return list(range(config["num_hidden_layers"]))


def _qwen_layers(config):
    step = config.get("decoder_sparse_step", 1)
    dense = config.get("mlp_only_layers") or []
    layers = range(config["num_hidden_layers"])
    return [n for n in layers if n not in dense and (n + 1) % step == 0]


def _deepseek_layers(config):
    first = config.get("first_k_dense_replace", 0)
    step = config.get("moe_layer_freq", 1)
    return [n for n in range(first, config["num_hidden_layers"]) if n % step == 0]


def _switch_layers(config):
    layers = []
    for stack, count in (("encoder", "num_layers"), ("decoder", "num_decoder_layers")):
        sparse = config[f"num_sparse_{stack}_layers"]
        step = config[count] // sparse if sparse else 0
        numbers = range(config[count]) if step else []
        layers += [(stack, n) for n in numbers if step == 1 or n % step == 1]
    return layers


_FAMILIES = {
    "mixtral": (_every_layer, _mixtral),
    "qwen2_moe": (_qwen_layers, _qwen2),
    "qwen3_moe": (_qwen_layers, _qwen3),
    "olmoe": (_every_layer, _olmoe),
    "deepseek_v2": (_deepseek_layers, _deepseek_v2),
    "deepseek_v3": (_deepseek_layers, _deepseek_v3),
    "kimi_k2": (_deepseek_layers, _deepseek_v3),
    "glm4_moe": (_deepseek_layers, _deepseek_v3),
    "switch_transformers": (_switch_layers, _switch),
}


def parse_layer(text):
    """ "3" -> 3, "encoder.1" -> ("encoder", 1)."""
    stack, _, number = text.rpartition(".")
    return (stack, int(number)) if stack else int(number)


def moe_layers(config):
    """The layers that have experts, as `block_of` takes them."""
    return _family(config)[0](config)


def block_of(config, layer=None):
    """The MoE block of a layer; of the first that has one by default."""
    layers = moe_layers(config)
    layer = layers[0] if layer is None else layer
    if layer not in layers:
        raise ConfigError(f"layer {layer} has no experts; these have: {layers}")
    return _family(config)[1](config, layer)


def _family(config):
    family = _FAMILIES.get(config.get("model_type"))
    if family is None:
        known = ", ".join(sorted(_FAMILIES))
        raise ConfigError(
            f"unknown model_type '{config.get('model_type')}'; known: {known}"
        )
    return family


def dtype_of(config):
    """ "float32" or "bfloat16"; bfloat16 where the config names none."""
    return config.get("torch_dtype") or config.get("dtype") or "bfloat16"
