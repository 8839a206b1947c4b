# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that a placement's times, bytes and constants are there and agree."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    root = json.load(file)
assert root["objective"] == "time"
assert root["problem"]["nodes"] == 2 and root["problem"]["gpus"] == 16
for constant in root["constants"].values():
    assert set(constant) == {"value", "unit", "source", "basis"}
for layer in root["layers"]:
    time = layer["exchange_us"] + layer["compute_us"]
    bound = layer["lower_bound_us"]
    assert 0 < bound <= time
    assert abs(layer["gap"] - (time - bound) / bound) < 1e-9
    # At most all rows change the node, out and back.
    most = 2 * 16384 * root["problem"]["choices"] * root["problem"]["hidden"] * 2
    assert 0 < layer["cross_node_bytes"] < most
