# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the overview of `moe-opt --help` names each of our passes."""

import re
import sys

overview, listing = open(sys.argv[1]).read().split("USAGE:", 1)
ours = re.compile(r"--(?:moe|comm)-[a-z0-9-]+|--convert-(?:moe|comm)-[a-z-]+")
passes = {
    match.group()
    for line in listing.splitlines()
    if (match := ours.match(line.strip()))
}
missing = sorted(passes - set(ours.findall(overview)))
if missing or not passes:
    sys.exit(f"not in the overview: {' '.join(missing) or 'no pass was found'}")
