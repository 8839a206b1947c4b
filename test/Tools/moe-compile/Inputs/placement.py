# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a placement as moe-place does: placement.py <layer> <experts on rank 0> ...

Experts are dealt out in the order 0, 7, 14, … (modulo their number).
"""

import json
import sys

layer, counts = int(sys.argv[1]), [int(count) for count in sys.argv[2:]]
experts = sum(counts)
print(json.dumps({"policy": "by sevens", "layers": [{
    "layer": layer,
    "phy2log": [slot * 7 % experts for slot in range(experts)],
    "slot_to_gpu": [rank for rank, count in enumerate(counts) for _ in range(count)]}]}))
