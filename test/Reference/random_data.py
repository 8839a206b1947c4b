# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random weights and tokens: the formula of docs/RandomData.md in NumPy."""

import math

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mix(z):
    """Mixes 64-bit words; takes a NumPy array of uint64."""
    z = z ^ (z >> np.uint64(30))
    z = z * np.uint64(0xBF58476D1CE4E5B9)
    z = z ^ (z >> np.uint64(27))
    z = z * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _mix_one(z):
    return int(_mix(np.array([z & _MASK], dtype=np.uint64))[0])


def _hash(name):
    """FNV-1a with 64 bits."""
    result = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        result = ((result ^ byte) * 0x100000001B3) & _MASK
    return result


def bits(name, seed, count, first=0):
    """The random words of elements first … first + count - 1."""
    key = _mix_one(_hash(name) ^ _mix_one(seed + _GOLDEN))
    index = np.arange(first + 1, first + 1 + count, dtype=np.uint64)
    return _mix(np.uint64(key) + index * np.uint64(_GOLDEN))


def _unit(words):
    """Uniform in [-1, 1), exact in f32."""
    u = (words >> np.uint64(40)).astype(np.float32)
    return u * np.float32(2.0**-23) - np.float32(1.0)


def tensor(name, seed, shape):
    """The tensor that a checkpoint calls `name`, in f32."""
    u = _unit(bits(name, seed, math.prod(shape)))
    if len(shape) >= 2:
        values = u * np.float32(math.sqrt(3.0 / shape[-1]))
    elif name.endswith("norm.weight"):
        values = np.float32(1.0) + u / np.float32(8.0)
    else:
        values = u / np.float32(8.0)
    return values.reshape(shape)


def tokens(seed, count, hidden):
    """The tokens that are used when no input is given, in f32."""
    u = _unit(bits("input", seed, count * hidden))
    return (u * np.float32(math.sqrt(3.0))).reshape(count, hidden)


def round_to_bf16(values):
    """Rounds f32 to the nearest bf16, ties to even; the result is f32."""
    words = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = words + np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1))
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)
