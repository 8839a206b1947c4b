# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the tests of a gtest program in two processes at a time: most of their
time is that of a compiler, which uses one core.

Usage: run_shards.py PROGRAM [FLAGS OF GTEST]
"""

import os
import subprocess
import sys

SHARDS = 2


def start(index):
    shard = {"GTEST_TOTAL_SHARDS": str(SHARDS), "GTEST_SHARD_INDEX": str(index)}
    return subprocess.Popen(
        [*sys.argv[1:], "--gtest_brief=1"], env=os.environ | shard,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    status = 0
    for process in [start(index) for index in range(SHARDS)]:
        output, _ = process.communicate()
        print(output, end="")
        status = status or process.returncode
    return 1 if status else 0


sys.exit(main())
