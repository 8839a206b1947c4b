# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the commands of a page that describes reports and compares the keys.

Each section with a command ends in a table of markdown: the name of a report's table, what it is about, and the keys of its rows, those after `at times`
being optional. `<…>` stands for any name.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sections(text):
    """The command and the documented tables of each section that has both."""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        command = re.search(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
        if command:
            rows = re.findall(r"^\| `(\w+)` \|(.*?)\|(.*?)\|$", section, flags=re.MULTILINE)
            yield command[1], {name: (about, keys) for name, about, keys in rows}


def patterns(cell):
    """Regular expressions of the keys that a cell lists."""
    return [re.sub(r"<\w+>", r"\\w+", key) for key in re.findall(r"`([^`]+)`", cell)]


def check_keys(where, keys, required, optional=()):
    """Every key is documented, and every documented key that is required is there."""
    for key in keys:
        if not any(re.fullmatch(pattern, key) for pattern in [*required, *optional]):
            raise SystemExit(f"{where}: the key '{key}' is not documented")
    for pattern in required:
        if not any(re.fullmatch(pattern, key) for key in keys):
            raise SystemExit(f"{where}: expected a key '{pattern}'")


def check_report(report, documented):
    """The tables are the documented ones, and so are their keys."""
    seen = set()
    for table in report["tables"]:
        name = table["name"]
        if name not in documented:
            raise SystemExit(f"the table '{name}' is not documented")
        seen.add(name)
        about, keys = documented[name]
        required, _, optional = keys.partition("at times")
        check_keys(f"about of {name}", table["about"], patterns(about))
        columns = [column["key"] for column in table["columns"]]
        check_keys(name, columns, patterns(required), patterns(optional))
        for row in table["rows"]:
            assert sorted(row) == sorted(columns), name
        for column in table["columns"]:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", column["key"]), column
    if seen != set(documented):
        raise SystemExit(f"expected the tables {sorted(documented)}, but got {sorted(seen)}")


def run(command, folder):
    """What a command prints; `test` and `docs` are the repository's, `build` is empty."""
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"{command}exit status {ran.returncode}\n{ran.stderr}")
    return ran.stdout


def main():
    count = 0
    for page in sys.argv[1:]:
        for command, documented in sections(Path(page).read_text(encoding="utf-8")):
            with tempfile.TemporaryDirectory() as folder:
                for name in ("test", "docs"):
                    Path(folder, name).symlink_to(ROOT / name)
                Path(folder, "build").mkdir()
                check_report(json.loads(run(command, folder)), documented)
            count += 1
    if not count:
        raise SystemExit("expected sections with a command")


if __name__ == "__main__":
    main()
