# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights from safetensors, for the reference: a reader of its own, which takes
what write_weights.py writes (one or several files, per expert or fused)."""

import json
import pathlib
import re

import numpy as np

_KINDS = {"F32": np.float32, "BF16": np.uint16, "F16": np.float16}


def read_file(path):
    """The tensors of one file by name, in f32."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header, data = json.loads(data[8 : 8 + size]), data[8 + size :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], _KINDS[entry["dtype"]])
        if entry["dtype"] == "BF16":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        tensors[name] = values.astype(np.float32).reshape(entry["shape"])
    return tensors


class FileWeights:
    """Tensors by checkpoint name, as moe_reference.MoEBlock asks for them."""

    def __init__(self, folder):
        self.tensors = {}
        for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
            self.tensors.update(read_file(path))

    def __call__(self, name, shape):
        values = self.tensors.get(name)
        if values is None:
            values = self.tensors.get(name.replace(".block_sparse_moe.", ".mlp."))
        if values is None:
            values = self._cut_from_fused(name)
        if values.shape != tuple(shape):
            raise ValueError(f"{name}: expected {tuple(shape)}, but got {values.shape}")
        return values

    def _cut_from_fused(self, name):
        found = re.fullmatch(r"(.*\.experts\.)(\d+)\.(\w+)\.weight", name)
        if not found:
            raise KeyError(name)
        prefix = found[1].replace(".block_sparse_moe.", ".mlp.")
        expert, part = int(found[2]), found[3]
        if part in ("down_proj", "w2"):
            return self.tensors[prefix + "down_proj"][expert]
        gate_up = self.tensors[prefix + "gate_up_proj"][expert]
        width = len(gate_up) // 2
        return gate_up[:width] if part in ("gate_proj", "w1") else gate_up[width:]
