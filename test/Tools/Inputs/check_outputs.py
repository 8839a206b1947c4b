#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lets every tool write where it cannot: to a device that is full, into a folder
that does not exist, over a folder.

  check_outputs.py INPUTS FOLDER

FOLDER holds m.mlir (a model), layer.mlir (a planned layer) and an empty out/.
"""

import os
import subprocess
import sys

INPUTS, FOLDER = sys.argv[1:]
MODEL, LAYER = f"{FOLDER}/m.mlir", f"{FOLDER}/layer.mlir"
CONFIG = f"{INPUTS}/models/mixtral-tiny.json"
PLACE = ["moe-place", "--experts=8", "--replicas=8", "--gpus=2", "--nodes=1"]

# Commands with @ where the path goes.
COMMANDS = [
    ["moe-opt", MODEL, "-o", "@"],
    ["moe-opt", LAYER, "--moe-print-placement=output=@"],
    ["moe-opt", LAYER, "--moe-print-traffic=format=json output=@"],
    ["moe-translate", "--import-hf-config", CONFIG, "-o", "@"],
    [*PLACE, "-o", "@"],
    ["moe-compile", LAYER, "-o", "@"],
    ["moe-run", LAYER, "--output", "@"],
    ["moe-run", LAYER, "--routing-out", "@"],
    ["moe-run", LAYER, "--stats", "@"],
    ["moe-run", LAYER, "--trace", "@"],
]
# What goes to the standard output, which is full.
PRINTING = [
    ["moe-opt", MODEL],
    ["moe-opt", LAYER, "--moe-print-placement"],
    ["moe-translate", "--import-hf-config", CONFIG],
    ["moe-run", LAYER],
    ["moe-run", LAYER, "--stats=-"],
    ["moe-run", "--help"],
    ["moe-compile", "--help"],
    PLACE,
    ["moe-place", "--help"],
]
PLACES = {
    "/dev/full": "No space left on device",
    f"{FOLDER}/none/x": "No such file or directory",
    f"{FOLDER}/out": "Is a directory",
}


def complain(command, place, reason, stdout=subprocess.PIPE):
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    isOneLine = done.stderr.count("\n") == 1 and not done.stdout
    isSaid = f"{place}: " in done.stderr and "error: " in done.stderr and reason in done.stderr
    if done.returncode == 1 and isOneLine and isSaid:
        return 0
    print(" ".join(command), f"to {place}: exit status {done.returncode}\n{done.stderr}")
    return 1


def main():
    failures = 0
    for place, reason in PLACES.items():
        for command in COMMANDS:
            words = [word.replace("@", place) for word in command]
            failures += complain(words, place, reason)
    with open("/dev/full", "w", encoding="utf-8") as full:
        for command in PRINTING:
            failures += complain(command, "standard output", PLACES["/dev/full"], full)
    if os.listdir(f"{FOLDER}/out") or os.path.exists(f"{FOLDER}/none"):
        print(os.listdir(f"{FOLDER}/out"))
        failures += 1
    return 1 if failures else 0


sys.exit(main())
