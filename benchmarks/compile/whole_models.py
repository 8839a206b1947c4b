#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles whole models from their configurations to LLVM's dialect.

  whole_models.py bin configurations [--tries N]

For each configuration of a family that the importer knows: the time of
`moe-translate --import-hf-config`, and time and peak memory of `moe-opt` with
the plan and the CPU pipeline, all layers, as a table in Markdown. Times are
seconds of processor time over all threads, the best of N tries, so that other
work on the machine matters little. Then DeepSeek-V3 on 64 and on 2048 ranks,
and the ratio of the two. Ends with 1 when a known model fails.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile


def run(command, tries):
    """The best time in seconds, the peak memory in MiB and what went wrong."""
    best, peak = float("inf"), 0
    for _ in range(tries):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            lines = [line for line in errors.split("\n") if "error: " in line]
            return None, None, (lines or ["no error is told"])[0]
        best = min(best, usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss / 1024)
    return best, peak, None


class Compiler:
    def __init__(self, folder, scratch, tries):
        self.folder = pathlib.Path(folder)
        self.scratch = pathlib.Path(scratch)
        self.tries = tries

    def importing(self, config):
        model = self.scratch / "model.mlir"
        command = [self.folder / "moe-translate", "--import-hf-config", config,
                   "--tokens=2048", "-o", model]
        return run(command, self.tries)

    def compiling(self, ranks):
        command = [self.folder / "moe-opt", self.scratch / "model.mlir",
                   f"--moe-plan-pipeline=mesh=ep={ranks}", "--moe-cpu-pipeline",
                   "-o", "/dev/null"]
        return run(command, self.tries)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def compile_all(compiler, configs):
    """Prints the table; gives the failures."""
    failures = []
    row("model", "import s", "to LLVM's dialect s", "peak MiB")
    row("---", "---:", "---:", "---:")
    for config in configs:
        seconds, _, error = compiler.importing(config)
        if error:
            if "family" not in error and "model_type" not in error:
                failures.append(f"{config.stem}: {error}")
            continue
        compiled, peak, error = compiler.compiling(8)
        if error:
            failures.append(f"{config.stem}: {error}")
            continue
        row(config.stem, f"{seconds:.2f}", f"{compiled:.2f}", f"{peak:.0f}")
    return failures


def compare_meshes(compiler, config):
    """DeepSeek-V3 on few and on many ranks."""
    compiler.importing(config)
    print()
    row("DeepSeek-V3 on", "to LLVM's dialect s", "peak MiB")
    row("---", "---:", "---:")
    times = []
    for ranks in (64, 2048):
        seconds, peak, error = compiler.compiling(ranks)
        if error:
            row(f"{ranks} ranks", error, "")
            return
        times.append(seconds)
        row(f"{ranks} ranks", f"{seconds:.2f}", f"{peak:.0f}")
    row("ratio", f"{times[1] / times[0]:.2f}", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin")
    parser.add_argument("configurations", type=pathlib.Path)
    parser.add_argument("--tries", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compiler = Compiler(arguments.bin, scratch, arguments.tries)
        failures = compile_all(compiler,
                               sorted(arguments.configurations.glob("*.json")))
        compare_meshes(compiler, arguments.configurations / "DeepSeek-V3.json")
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
