# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Parses and verifies the examples of the operations' descriptions.

Each `mlir` block under `Example:` in dialects/*/*.td becomes a module: what it
uses and does not define are arguments of a function, with the types that the
example gives them, and symbols of a fixed list.
"""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = re.compile(r"Example:\n\s*```mlir\n(.*?)```", re.DOTALL)
SYMBOLS = {
    "cluster": "comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]",
    "mesh": 'comm.mesh @mesh <["dp"=2, "ep"=%d, "etp"=2, "tp"=2]>',
    "x0": "moe.exchange @x0 flat_exact bound 4096",
    "p0": 'moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4, 5], [6, 7]]',
    "l0.gate": 'moe.weight @l0.gate "{e}.gate" : !moe.weights<8x64x48xbf16>',
}
# Examples whose group has another size than 4.
EXPERT_RANKS = {"moe.placement": 3}
SYMBOL_OP = re.compile(r"^(comm\.(topology|mesh)|moe\.(weight|placement|exchange)) ", re.MULTILINE)


def find_examples():
    for path in sorted(glob.glob(os.path.join(ROOT, "dialects", "*", "*Ops.td"))):
        with open(path, encoding="utf-8") as file:
            for body in EXAMPLE.findall(file.read()):
                yield os.path.relpath(path, ROOT), re.sub(r"^    ", "", body, flags=re.MULTILINE)


def split_types(text):
    """`a, b<c, d>` as ["a", "b<c, d>"]."""
    types, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "<([") - (char in ">)]")
        if char == "," and depth == 0:
            types.append(text[start:at].strip())
            start = at + 1
    return [one for one in types + [text[start:].strip()] if one]


def argument_types(example):
    """The types of the values that the example uses and does not define."""
    defined = set(re.findall(r"^\s*((?:%\w+(?:, )?)+) =", example, re.MULTILINE))
    defined = {name for names in defined for name in names.split(", ")}
    defined |= set(re.findall(r"(%\w+):", example))
    types = {}
    for statement in re.split(r"\n(?=\S|  %)", example.replace("\n    ", " ")):
        statement = re.sub(r"^\s*[%\w, ]+ = ", "", statement)
        # Attributes may have types, too.
        left, _, right = statement.partition(" : (" if " : (" in statement else " : ")
        right = "(" + right if " : (" in statement else right
        used = re.findall(r"%\w+", left)
        if right.startswith("("):
            given = split_types(right[1:right.index(") ->")])
        elif " -> " in right:
            given = [right.split(" -> ")[0]]
        else:
            given = [right.strip()] if right else ["index"] * len(used)
        for name, one in zip(used, given):
            if name not in defined:
                types[name] = one
        for name in used:
            if name not in defined:
                types.setdefault(name, "!moe.weights<8x64x64xbf16>")
    return types


def to_module(example):
    is_symbol = SYMBOL_OP.search(example) is not None
    kind = example.split(" ")[0]
    defined = set(re.findall(r"^[\w.]+ @([\w.]+)", example, re.MULTILINE)) if is_symbol else set()
    lines, wanted = [], set(re.findall(r"@([\w.]+)", example)) - defined
    if "p0" in wanted:
        wanted.add("mesh")
    for name in sorted(wanted):
        text = SYMBOLS[name]
        lines.append(text % EXPERT_RANKS.get(kind, 4) if "%d" in text else text)
    if is_symbol:
        return "\n".join(lines + [example])
    arguments = ", ".join(f"{name}: {one}" for name, one in argument_types(example).items())
    return "\n".join(lines + [f"func.func @example({arguments}) {{", example, "return", "}"])


def main():
    failures = count = 0
    for path, example in find_examples():
        count += 1
        module = to_module(example)
        done = subprocess.run(["moe-opt", "--verify-roundtrip"], input=module, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            failures += 1
            print(f"{path}: {done.stderr.splitlines()[0]}\n{module}\n")
    print(f"{count} examples, {failures} failures")
    return 1 if failures or not count else 0


sys.exit(main())
