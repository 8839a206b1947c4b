# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers on emulated devices, from a configuration to numbers.

Usage: run_devices.py BIN_FOLDER TEST_FOLDER

`moe-run --device emulated --check` compares N emulated devices with one, bit for
bit, and with the CPU given the routing, and fails where the devices find
something. Numbers of ranks that divide the experts and that do not, bounded and
exact exchanges, ranks without tokens, orders of the devices' scheduler.
"""

import concurrent.futures
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from tool_runs import ToolRuns

EXACT, BOUNDED = [], ["--exchange=flat_bounded"]
# Model, ranks, tokens, what else.
CASES = [
    ("mixtral-tiny", 1, 24, EXACT),
    ("mixtral-tiny", 2, 24, EXACT),
    ("mixtral-tiny", 3, 24, BOUNDED),
    ("mixtral-tiny", 5, 3, EXACT),
    ("mixtral-tiny-bf16", 2, 24, BOUNDED),
    ("qwen3-moe-tiny-bf16", 3, 24, EXACT),
    ("qwen3-moe-tiny", 5, 24, BOUNDED),
    ("deepseek-v3-tiny", 2, 24, EXACT),
    ("deepseek-v3-tiny", 5, 24, BOUNDED),
    ("deepseek-v3-tiny-bf16", 3, 24, EXACT),
]
SEEDS = ("mixtral-tiny", 3, 24, EXACT)


class Runner(ToolRuns):
    def module(self, model):
        return self.scratch / f"{model}.mlir"

    def import_model(self, model):
        self.call(f"{model}: import", "moe-translate", "--import-hf-config",
                  self.tests / "Inputs" / "models" / f"{model}.json", "-o",
                  self.module(model))

    def run(self, model, ranks, tokens, flags, seed=0, extra=("--check",)):
        what = f"{model}, {ranks} ranks, {tokens} tokens {' '.join(flags)}"
        if seed:
            what += f", order {seed}"
        self.check(what, "moe-run", self.module(model), "--ranks", ranks,
                   "--tokens", tokens, "--device", "emulated",
                   "--schedule-seed", seed, *flags, *extra)

    def orders(self):
        """Other orders of the scheduler give the same bits."""
        outputs = set()
        for seed in range(1, 4):
            output = self.scratch / f"order-{seed}.npy"
            self.run(*SEEDS, seed=seed, extra=("--output", output))
            if output.exists():
                outputs.add(output.read_bytes())
        if len(outputs) > 1:
            self.failures.append("the order of devices changes the result")


def main():
    runner = Runner(*sys.argv[1:3])
    for model in sorted({case[0] for case in CASES}):
        runner.import_model(model)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(runner.run, *case) for case in CASES]:
            done.result()
    runner.orders()
    return runner.report()


if __name__ == "__main__":
    sys.exit(main())
