# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the rules of the tree that need no compiler.

- every source file has the licence line;
- no file is longer than its kind allows, none has a name that says nothing;
- includes follow the layers: planning, reports and data know no MLIR, the
  runtime knows nothing of the compiler.
"""

import re
import subprocess
import sys

LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
LIMITS = {".cpp": 600, ".h": 500, ".td": 450, ".py": 600, ".mlir": 400}
EMPTY_NAMES = re.compile(r"(^|/)(utils?|misc|common|helpers?)(\.|/|$)", re.IGNORECASE)
# Folders whose files may not include what matches.
LAYERS = [
    (r"^(include/moe|lib)/(Planning|Report)/", r'#include "mlir/'),
    (r"^runtime/", r'#include "(mlir|llvm|moe)/'),
    (r"^(include/moe|lib)/Dialect/", r'#include "moe/(Transforms|Conversion|Pipelines|Runner)/'),
    (r"^(include/moe|lib)/Transforms/", r'#include "moe/(Conversion|Pipelines|Runner)/'),
    (r"^(include/moe|lib)/Conversion/", r'#include "moe/(Pipelines|Runner)/'),
    (r"^(include/moe|lib)/Dialect/Comm/", r'#include "moe/Dialect/MoE/'),
]


def files():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if name]


def problems(name):
    suffix = name[name.rfind("."):] if "." in name else ""
    if EMPTY_NAMES.search(name):
        yield f"{name}: a name that says nothing"
    if suffix not in LIMITS:
        return
    try:
        with open(name, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    if suffix != ".mlir" and LICENCE not in "\n".join(lines[:6]):
        yield f"{name}: no licence line"
    if len(lines) > LIMITS[suffix]:
        yield f"{name}: {len(lines)} lines, {LIMITS[suffix]} are allowed"
    for folder, banned in LAYERS:
        if re.search(folder, name):
            for number, line in enumerate(lines, 1):
                if re.match(banned, line):
                    yield f"{name}:{number}: against the layers: {line}"


def main():
    found = [problem for name in files() for problem in problems(name)]
    print("\n".join(found) if found else "the tree is in order")
    return 1 if found else 0


sys.exit(main())
