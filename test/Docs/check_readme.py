# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the README's commands of moe-place and looks for the quoted output."""

import re
import subprocess
import sys

root = sys.argv[1]
with open(f"{root}/README.md", encoding="utf-8") as file:
    blocks = re.findall(r"^```\n\$ build/bin/(moe-place .*?)\n(.*?)^```$", file.read(), re.S | re.M)
assert blocks, "the README runs moe-place"
for command, quoted in blocks:
    command = re.sub(r"-o \S+", "-o -", command)
    printed = subprocess.run(command.split(), cwd=root, check=True, capture_output=True, text=True).stdout
    for line in quoted.splitlines():
        assert line in printed, f"{command}: not printed: {line}"
