# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that one placement balances every layer better than another.

Also that its figures agree with each other and with the bound.
"""

import json
import sys

ours, theirs = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
assert len(ours["layers"]) == len(theirs["layers"])
for mine, other in zip(ours["layers"], theirs["layers"]):
    assert mine["layer"] == other["layer"]
    loads = mine["gpu_load"]
    assert max(loads) < max(other["gpu_load"]), (mine["layer"], max(loads))
    mean = sum(loads) / len(loads)
    assert abs(mean - sum(mine["expert_load"]) / len(loads)) < 1e-6
    assert abs(mine["max_over_mean"] - max(loads) / mean) < 1e-9
    assert abs(mine["mean_over_max"] - mean / max(loads)) < 1e-9
    assert abs(mine["excess_over_mean"] - (max(loads) - mean) / mean) < 1e-9
    bound = mine["lower_bound_load"]
    assert mean - 1e-9 <= bound <= max(loads) + 1e-9
    assert abs(mine["gap"] - (max(loads) - bound) / bound) < 1e-9
    places = list(zip(mine["phy2log"], mine["slot_to_gpu"]))
    held = [place for place in places if place[0] >= 0]
    assert len(held) == len(set(held)), "two replicas on one GPU"
    for expert, slots in enumerate(mine["log2phy"]):
        slots = [slot for slot in slots if slot >= 0]
        assert len(slots) == mine["logcnt"][expert] >= 1
        assert all(mine["phy2log"][slot] == expert for slot in slots)
