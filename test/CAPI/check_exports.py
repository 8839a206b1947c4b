# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The shared library exports what its header declares, and nothing else."""

import re
import subprocess
import sys

header, library = sys.argv[1:]
with open(header, encoding="utf-8") as file:
    declared = set(re.findall(r"\b(moe_\w+)\(", file.read()))
listed = subprocess.run(["nm", "-D", "--defined-only", library],
                        check=True, capture_output=True, text=True).stdout
exported = {line.split()[-1].split("@")[0] for line in listed.splitlines()
            if line.split()[-2] != "A"}
if exported != declared:
    sys.exit(f"only exported: {sorted(exported - declared)}\n"
             f"only declared: {sorted(declared - exported)}")
needed = subprocess.run(["readelf", "-d", library],
                        check=True, capture_output=True, text=True).stdout
for name in ("libMLIR.so", "libLLVM"):
    if len(re.findall(rf"NEEDED.*\[{name}", needed)) != 1:
        sys.exit(f"expected one {name} among what {library} needs, but got\n{needed}")
print(len(exported), "functions")
