# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the commands of a document and checks the output that it quotes.

A `sh` block is run, line by line, where `test` and `docs` are this repository's
and `build` an empty folder that later blocks find as earlier ones left it. A
block right behind a line `**name**` is written to the file of that name. A
`mlir` or `text` block after it quotes the output: what the block's last command printed and the file
that it names with -o. Each quoted line must occur there, in the order of the
document; `…` stands for what was left out of a line, and alone for lines. Names
of values are not compared: every new operation would change their numbers.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"(?:^\*\*(\S+)\*\*\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT_FILE = re.compile(r"-o (build/\S+)")
VALUE = re.compile(r"%[\w$.-]+(:\d+|#\d+)?")
ELLIPSIS = "…"


def run(script, folder):
    """Runs one block; returns the last command's output and None, or None and
    what went wrong."""
    done = None
    for command in script.replace("\\\n", " ").strip().splitlines():
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            text = done.stdout.decode("utf-8", "replace")
            return None, f"exit status {done.returncode} of: {command}\n{text[-2000:]}"
    output = done.stdout.decode("utf-8")
    for name in OUTPUT_FILE.findall(command):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            output += file.read()
    return output.splitlines(), None


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def to_pattern(quoted):
    parts = VALUE.sub("%", quoted.strip()).split(ELLIPSIS)
    return re.compile(".*".join(re.escape(part.strip()) for part in parts))


def find_missing(excerpt, output):
    """The first line of an excerpt that the output lacks; None if it has all."""
    lines = iter(VALUE.sub("%", line.strip()) for line in output)
    for quoted in excerpt.splitlines():
        if quoted.strip() in ("", ELLIPSIS):
            continue
        pattern = to_pattern(quoted)
        if not any(pattern.fullmatch(line) for line in lines):
            return quoted.strip()
    return None


def check(document):
    """Yields a message for each block that is not right."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    output = None
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "build"))
        for name in ("docs", "test"):
            os.symlink(os.path.join(root, name), os.path.join(folder, name))
        for block in FENCE.finditer(text):
            name, language, body = block.groups()
            line = text.count("\n", 0, block.start()) + 1
            if name:
                write(os.path.join(folder, name), body)
            elif language == "sh":
                output, problem = run(body, folder)
                if problem:
                    yield f"{document}:{line}: {problem}"
            elif language in ("mlir", "text") and output is not None:
                checked += 1
                missing = find_missing(body, output)
                if missing:
                    near = difflib.get_close_matches(
                        missing, [one.strip() for one in output], n=1, cutoff=0)
                    yield (f"{document}:{line}: not in the output:\n  {missing}\n"
                           f"the nearest line there:\n  {near[0] if near else ''}")
    if not checked:
        yield f"{document}: expected excerpts after commands, but found none"


def main():
    problems = [problem for name in sys.argv[1:] for problem in check(name)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems or len(sys.argv) < 2 else 0


sys.exit(main())
