# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs clang-tidy over the sources of the last build; `.clang-tidy` says what it asks.

Usage: run_tidy.py [folder or file of the tree]...

A source that was found clean is not read again until it, a header that it includes
(as Ninja recorded them), its command or `.clang-tidy` changes. Prints each finding
once and a line with the counts; exits 1 if there is a finding.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

TIDY = "clang-tidy-22"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
# Source of the tree → key under which it was last found clean.
CACHE = os.path.join(BUILD, "clang-tidy.json")
# The checks for a source with MLIR's precompiled header. Any check that asks for the
# parent of a node makes clang-tidy read all of that header: 6 s a file instead of 1 s.
# These do not.
WITH_PRECOMPILED_HEADER = """
    -*
    clang-diagnostic-*
    bugprone-argument-comment
    bugprone-assert-side-effect
    bugprone-copy-constructor-init
    bugprone-dangling-handle
    bugprone-macro-parentheses
    bugprone-misplaced-*
    bugprone-move-forwarding-reference
    bugprone-optional-value-conversion
    bugprone-parent-virtual-call
    bugprone-sizeof-expression
    bugprone-string-*
    bugprone-stringview-nullptr
    bugprone-suspicious-*
    -bugprone-suspicious-memory-comparison
    bugprone-too-small-loop-variable
    bugprone-unused-local-non-trivial-variable
    bugprone-unused-return-value
    bugprone-use-after-move
    bugprone-virtual-near-miss
    cppcoreguidelines-virtual-class-destructor
    llvm-prefer-isa-or-dyn-cast-in-conditionals
    llvm-twine-local
    llvm-use-new-mlir-op-builder
    misc-definitions-in-headers
    misc-unused-using-decls
    modernize-use-nullptr
    modernize-use-override
    performance-for-range-copy
    performance-no-automatic-move
    performance-unnecessary-copy-initialization
    readability-braces-around-statements
    readability-const-return-type
    readability-container-contains
    readability-duplicate-include
    readability-non-const-parameter
    readability-redundant-casting
    readability-redundant-control-flow
    readability-redundant-string-cstr
    readability-string-compare
    readability-use-std-min-max
""".split()
# What TableGen writes counts as upstream's: not examined.
GENERATED = f"--extra-arg=-isystem{BUILD}/include"
FINDING = re.compile(r"^\S+:\d+:\d+: (?:warning|error): ")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read_units():
    """Source of the tree → its entry in the compilation database."""
    try:
        with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
            database = json.load(file)
    except FileNotFoundError:
        sys.exit("run_tidy.py: expected a build in build/: run scripts/build first")
    units = {os.path.relpath(entry["file"], ROOT): entry for entry in database}
    return {source: unit for source, unit in units.items() if not source.startswith("build/")}


def read_dependencies():
    """Object file → the files that it was compiled from; only what is up to date."""
    dependencies = {}
    for block in output_of("ninja", "-C", BUILD, "-t", "deps").split("\n\n"):
        head, *files = block.strip().split("\n")
        if head.endswith("(VALID)"):
            dependencies[head.partition(": #deps")[0]] = [name.strip() for name in files]
    return dependencies


def tidy_command(source, unit):
    command = [TIDY, "-p", BUILD, "--quiet", GENERATED]
    if "-include-pch" in unit["command"]:
        command.append("--checks=" + ",".join(WITH_PRECOMPILED_HEADER))
    return command + [source]


class Keys:
    """Names the state of a source: equal keys, equal findings."""

    def __init__(self):
        self.digests = {}
        self.dependencies = read_dependencies()
        self.common = output_of(TIDY, "--version") + self.digest(os.path.join(ROOT, ".clang-tidy"))

    def digest(self, path):
        if path not in self.digests:
            with open(path, "rb") as file:
                self.digests[path] = hashlib.sha256(file.read()).hexdigest()
        return self.digests[path]

    def key(self, source, unit):
        """None where the build has no record of what the source includes."""
        files = self.dependencies.get(re.search(r" -o (\S+) ", unit["command"]).group(1))
        if files is None:
            return None
        text = [self.common, unit["command"], *tidy_command(source, unit)]
        # The names of precompiled headers are in the command, their sources in the list.
        for path in sorted(os.path.join(BUILD, name) for name in files if not name.endswith(".pch")):
            if not os.path.exists(path):
                return None
            text += [path, self.digest(path)]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()


def examine(command):
    """The findings that clang-tidy prints, each of one or more lines."""
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    findings = []
    for line in run.stdout.splitlines():
        if FINDING.match(line):
            findings.append(line.removeprefix(ROOT + os.sep))
        elif findings:
            findings[-1] += "\n" + line
    if run.returncode and not findings:
        findings.append(f"{command[-1]}: {TIDY} failed\n{run.stdout}{run.stderr}")
    return findings


def select(units, folders):
    """Those in the folders, or all."""
    folders = [os.path.normpath(name) for name in folders]
    found = {
        source: unit for source, unit in sorted(units.items())
        if not folders or any(source == f or source.startswith(f + "/") for f in folders)}
    if not found:
        sys.exit(f"run_tidy.py: the last build has no source in {', '.join(folders)}")
    return found


def read_cache():
    try:
        with open(CACHE, encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def main():
    units = select(read_units(), sys.argv[1:])
    keys = Keys()
    wanted = {source: keys.key(source, unit) for source, unit in units.items()}
    clean = read_cache()
    changed = [source for source in units if not wanted[source] or clean.get(source) != wanted[source]]

    seen = set()
    try:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(examine, [tidy_command(source, units[source]) for source in changed])
            for source, findings in zip(changed, results):
                if not findings and wanted[source]:
                    clean[source] = wanted[source]
                for finding in findings:
                    if finding not in seen:
                        seen.add(finding)
                        print(finding, flush=True)
    finally:
        with open(CACHE, "w", encoding="utf-8") as file:
            json.dump(clean, file, indent=0, sort_keys=True)
    print(f"clang-tidy: {len(units)} files, {len(seen)} findings, {len(units) - len(changed)} from cache")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
