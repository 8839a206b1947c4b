# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks rebalanced placements: PREVIOUS then pairs of BUDGET FILE, rising.

Moves are within their budget, lead from the previous placement to the new one,
and a larger budget is never worse.
"""

import json
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def homes(layer):
    return {(expert, gpu) for expert, gpu in zip(layer["phy2log"], layer["slot_to_gpu"]) if expert >= 0}


previous = load(sys.argv[1])
largest = None
for budget, path in zip(sys.argv[2::2], sys.argv[3::2]):
    file = load(path)
    moves = file["migration"]["moves"]
    assert len(moves) <= int(budget), (path, len(moves))
    for before, after in zip(previous["layers"], file["layers"]):
        own = [move for move in moves if move["layer"] == after["layer"]]
        moved = {(move["expert"], move["to_gpu"]) for move in own}
        assert moved == homes(after) - homes(before), path
        assert {(move["expert"], move["from_gpu"]) for move in own} <= homes(before), path
        for move in own:
            assert after["phy2log"][move["to_slot"]] == move["expert"], path
    worst = sum(layer["max_over_mean"] for layer in file["layers"])
    assert largest is None or worst <= largest + 1e-9, (path, worst, largest)
    largest = worst
