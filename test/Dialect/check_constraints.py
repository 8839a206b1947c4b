#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that each constraint of each op has a negative test.

  check_constraints.py dialects tests

An op's description numbers its constraints C1, C2 …; a negative test names the
one that it breaks in a comment: `// comm.mesh C2`. Names of constraints that no
op has are errors too: they were renumbered.
"""

import pathlib
import re
import sys


def descriptions(text):
    """Yields (mnemonic, description) of every op."""
    for part in re.split(r"^def ", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"\w+Op : \w+<\"(\w+)\"", part)
        description = re.search(r"let description = \[\{(.*?)\}\];", part, re.DOTALL)
        if name:
            yield name.group(1), description.group(1) if description else ""


def main():
    dialects, tests = (pathlib.Path(argument) for argument in sys.argv[1:])
    described = set()
    for path in sorted(dialects.glob("*/*.td")):
        for mnemonic, description in descriptions(path.read_text(encoding="utf-8")):
            for number in re.findall(r"^\s*- (C\d+):", description, re.MULTILINE):
                described.add(f"{path.parent.name}.{mnemonic} {number}")
    tested = set()
    for path in tests.glob("**/*.mlir"):
        text = path.read_text(encoding="utf-8")
        tested.update(re.findall(r"^// (\w+\.\w+ C\d+)$", text, re.MULTILINE))
    for name in sorted(described - tested):
        print(f"error: {name} has no negative test")
    for name in sorted(tested - described):
        print(f"error: {name} is tested, but no op has it")
    sys.exit(described != tested)


if __name__ == "__main__":
    main()
