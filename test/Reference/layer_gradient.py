#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The gradient of one MoE layer, in NumPy and float64; written to goldens/.

y[t] = sum_j w[t, j] * down_e(silu(gate_e x) * up_e x) for the K experts with the
largest logits router x[t], and w the softmax over those. Given dL/dy, gives
dL/dx and the gradients of router, gate, up and down. Routing is a choice and has
no gradient of its own.
"""

import argparse
import pathlib

import numpy as np

import random_data

GOLDENS = pathlib.Path(__file__).resolve().parent / "goldens"
NAMES = ("x", "router", "gate", "up", "down")

TOKENS, HIDDEN, WIDTH, EXPERTS, CHOICES = 23, 16, 12, 5, 2
SEED = 3


def _silu(z):
    return z / (1 + np.exp(-z))


def _silu_slope(z):
    s = 1 / (1 + np.exp(-z))
    return s * (1 + z * (1 - s))


def random_layer(seed=SEED):
    """The weights as checkpoints hold them, [out, in] a matrix."""

    def experts(kind, shape):
        return np.stack([random_data.tensor(f"experts.{e}.{kind}.weight", seed, shape)
                         for e in range(EXPERTS)])

    weights = {
        "router": random_data.tensor("router.weight", seed, (EXPERTS, HIDDEN)),
        "gate": experts("gate", (WIDTH, HIDDEN)),
        "up": experts("up", (WIDTH, HIDDEN)),
        "down": experts("down", (HIDDEN, WIDTH)),
    }
    return {name: value.astype(np.float64) for name, value in weights.items()}


def _route(logits):
    chosen = np.argsort(-logits, axis=1, kind="stable")[:, :CHOICES]
    z = np.exp(np.take_along_axis(logits, chosen, 1) - logits.max(1, keepdims=True))
    return chosen, z / z.sum(1, keepdims=True)


def forward(x, layer, chosen=None):
    """y; the routing may be held while values move."""
    logits = x @ layer["router"].T
    if chosen is None:
        chosen, _ = _route(logits)
    z = np.exp(np.take_along_axis(logits, chosen, 1))
    weight = z / z.sum(1, keepdims=True)
    y = np.zeros_like(x)
    for t, experts in enumerate(chosen):
        for j, e in enumerate(experts):
            h = _silu(layer["gate"][e] @ x[t]) * (layer["up"][e] @ x[t])
            y[t] += weight[t, j] * (layer["down"][e] @ h)
    return y


def gradient(x, dy, layer):
    """dL/dx and dL/d of each weight, by name, each as the weight is."""
    logits = x @ layer["router"].T
    chosen, weight = _route(logits)
    result = {name: np.zeros_like(value) for name, value in layer.items()}
    result["x"] = np.zeros_like(x)
    dlogits = np.zeros_like(logits)
    for t, experts in enumerate(chosen):
        dweight = np.zeros(CHOICES)
        for j, e in enumerate(experts):
            g, u = layer["gate"][e] @ x[t], layer["up"][e] @ x[t]
            h = _silu(g) * u
            dh = layer["down"][e].T @ dy[t]
            dweight[j] = dh @ h
            dh = weight[t, j] * dh
            dg, du = dh * u * _silu_slope(g), dh * _silu(g)
            result["down"][e] += np.outer(weight[t, j] * dy[t], h)
            result["gate"][e] += np.outer(dg, x[t])
            result["up"][e] += np.outer(du, x[t])
            result["x"][t] += layer["gate"][e].T @ dg + layer["up"][e].T @ du
        dlogits[t, experts] = weight[t] * (dweight - weight[t] @ dweight)
    result["x"] += dlogits @ layer["router"]
    result["router"] = dlogits.T @ x
    return result


def golden():
    """The arrays by the name of their file, float32."""
    x = random_data.tokens(SEED, TOKENS, HIDDEN)
    dy = random_data.tokens(SEED + 1, TOKENS, HIDDEN)
    layer = random_layer()
    gradients = gradient(x.astype(np.float64), dy.astype(np.float64), layer)
    arrays = {"gradient.input": x, "gradient.output": dy}
    for name in NAMES:
        value = gradients[name]
        if value.ndim == 3:
            # As a matrix is used: [experts, in, out], the last two in one.
            value = value.transpose(0, 2, 1).reshape(EXPERTS, -1)
        arrays[f"gradient.{name}"] = value.astype(np.float32)
    return arrays


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for name, array in golden().items():
        np.save(GOLDENS / f"{name}.npy", array)


if __name__ == "__main__":
    main()
