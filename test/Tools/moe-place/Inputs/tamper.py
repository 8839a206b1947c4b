# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a JSON file with one value replaced: tamper.py FILE a.0.b=VALUE."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    root = json.load(file)
path, value = sys.argv[2].split("=")
*way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
place = root
for key in way:
    place = place[key]
place[last]  # It must be there.
place[last] = json.loads(value)
json.dump(root, sys.stdout)
