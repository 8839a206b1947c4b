# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that tools have a flag for each option of moe-plan-pipeline.

  plan_flags.py tool…

Prints how many options there are."""

import re
import subprocess
import sys


def help_of(tool):
    return subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout


# The options of a pipeline are indented below it; the overview names it too.
below = help_of("moe-opt").split("--moe-plan-pipeline ")[-1].splitlines()[1:]
options = []
for line in below:
    if not (match := re.match(r" {8}--([a-z-]+)=", line)):
        break
    options.append(match.group(1))
for tool in sys.argv[1:]:
    flags = set(re.findall(r"^ +--([a-z-]+)=", help_of(tool), re.MULTILINE))
    if missing := sorted(set(options) - flags):
        sys.exit(f"{tool} lacks {' '.join(missing)}")
print(len(options), "options")
