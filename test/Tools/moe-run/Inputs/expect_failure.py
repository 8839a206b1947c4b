#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command that must fail as the tools promise, and prints what it said.

  expect_failure.py STATUS command arguments…

Fails unless the command ends by itself within a minute, with this exit status,
one line on the standard error and nothing on the standard output.
"""

import subprocess
import sys


def main():
    status, command = int(sys.argv[1]), sys.argv[2:]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    print(done.stderr, end="")
    if done.returncode != status:
        return f"error: expected exit status {status}, but got {done.returncode}"
    if done.stderr.count("\n") != 1 or done.stdout:
        return "error: expected one line on the standard error and nothing else"
    return 0


sys.exit(main())
