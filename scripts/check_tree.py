# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the rules of the tree that need no compiler.

- every source file has the licence line;
- no file is longer than its kind allows, none has a name that says nothing;
- includes follow the layers that docs/Overview.md lists.
"""

import re
import subprocess
import sys

LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
LIMITS = {".cpp": 600, ".h": 500, ".td": 450, ".py": 600, ".mlir": 400}
EMPTY_NAMES = re.compile(r"(^|/)(utils?|misc|common|helpers?)(\.|/|$)", re.IGNORECASE)
# Where the layers are listed, and the lines that list them.
OVERVIEW = "docs/Overview.md"
LAYER_LINE = re.compile(r"^- `([\w/-]+)` uses ((?:.|\n  )+?)\.$", re.MULTILINE)
INCLUDE = re.compile(r'#include "((?:mlir|llvm|moe|moe-c|moert)/[^"]+)"')


def read_layers():
    """The folders that each folder may include, as docs/Overview.md says."""
    with open(OVERVIEW, encoding="utf-8") as file:
        lines = LAYER_LINE.findall(file.read())
    return {name: set(re.findall(r"`([\w/-]+)`", used)) | {name} for name, used in lines}


def layer_of_file(name):
    """The layer of a file of the tree; None outside the layers."""
    if name.startswith(("runtime/", "tools/")):
        return name.split("/")[0]
    if name.startswith("include/moe-c/"):
        return "moe-c"
    found = re.match(r"(?:include/moe|lib)/(Dialect/\w+|[A-Z]\w+)[/.]", name)
    return found and found.group(1)


def layer_of_include(path):
    first = path.split("/")[0]
    upstream = {"mlir": "MLIR", "llvm": "LLVM", "moert": "runtime", "moe-c": "moe-c"}
    return upstream.get(first) or layer_of_file("include/" + path)


def files():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if name]


def problems(name, layers):
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
    layer = layer_of_file(name)
    if suffix not in (".cpp", ".h") or layer is None:
        return
    if layer not in layers:
        yield f"{name}: {OVERVIEW} does not list the layer {layer}"
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if found and layer_of_include(found.group(1)) not in layers[layer]:
            yield f"{name}:{number}: against the layers of {OVERVIEW}: {line}"


def main():
    layers = read_layers()
    found = [problem for name in files() for problem in problems(name, layers)]
    print("\n".join(found) if found else "the tree is in order")
    return 1 if found else 0


sys.exit(main())
