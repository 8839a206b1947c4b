# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that two files have the same placement and figures, up to rounding."""

import json
import sys

first, second = (json.load(open(path, encoding="utf-8"))["layers"] for path in sys.argv[1:])
assert len(first) == len(second)
for one, other in zip(first, second):
    assert one["phy2log"] == other["phy2log"]
    for key, value in one.items():
        if isinstance(value, (int, float)):
            assert abs(value - other[key]) <= 1e-6 * max(abs(value), 1), (key, value, other[key])
        elif value is None:
            assert other[key] is None, key
