# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calls of the tools in a scratch folder of their own, and what became of them."""

import pathlib
import subprocess
import tempfile


class ToolRuns:
    def __init__(self, binaries, tests):
        self.binaries = pathlib.Path(binaries)
        self.tests = pathlib.Path(tests)
        self._folder = tempfile.TemporaryDirectory()
        self.scratch = pathlib.Path(self._folder.name)
        # Lists, since several threads add to them.
        self.passes = []
        self.failures = []

    def call(self, what, tool, *arguments):
        done = subprocess.run(
            [self.binaries / tool, *map(str, arguments)],
            capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            message = (done.stderr or done.stdout).strip().splitlines()
            self.failures.append(f"{what}: exit {done.returncode}: "
                                 f"{message[0] if message else ''}")
            return False
        return True

    def check(self, what, tool, *arguments):
        if self.call(what, tool, *arguments):
            self.passes.append(what)

    def report(self):
        """Prints what failed and how many passed; the exit status."""
        for failure in self.failures:
            print(failure)
        print(f"{len(self.passes)} passed, {len(self.failures)} failed")
        return 1 if self.failures else 0
