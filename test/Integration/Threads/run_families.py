# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tools, from a configuration to numbers, for every family.

Usage: run_families.py BIN_FOLDER TEST_FOLDER

Each tiny model of test/Inputs/models is imported, and its last MoE layer run by
`moe-run --check` with the golden input of test/Reference: equal to the
unpartitioned program bit for bit and to the reference's output, f32 within 2e-5
of its largest value, bf16 within 2e-2 given the reference's routing. So for this
CPU, for plain x86-64 and for AVX2. Other meshes: FamiliesTest.cpp.
"""

import concurrent.futures
import json
import pathlib
import platform
import re
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from tool_runs import ToolRuns

# A placement by hand for 8 experts on 3 ranks: uneven, an empty slot, replicas,
# two of which have shares that are unequal and change within a source rank.
SLOTS = ("slots [[7, 0, 5, 2], [1, -1, 0], [3, 4, 6, 2, 5]] replicas ["
         "0: [on 1 from 0, on 0 from 0 class 10, on 1 from 2 class 63], "
         "5: [on 2 from 0, on 0 from 0 class 1, on 2 from 1 class 30]]")
# Ranks, policy and replicas of placements that solvers make.
SOLVED = [(2, "joint", 2), (3, "joint", 5), (4, "eplb", 4), (5, "joint", 7),
          (8, "joint", 8), (8, "eplb", 8)]
# What the machine can run, of vectors of 4 floats, of 8, and its own.
CPUS = {"native": "", "x86-64": "", "x86-64-v3": "avx2"}
TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2}


class Runner(ToolRuns):
    def model(self, name, golden):
        module = self.scratch / f"{name}.mlir"
        config = self.tests / "Inputs" / "models" / f"{name}.json"
        extra = ([f"--sequence-length={golden['sequence_length']}"]
                 if "sequence_length" in golden else [])
        if not self.call(f"{name}: import", "moe-translate",
                         "--import-hf-config", config, *extra, "-o", module):
            return
        layer = ["--layer", golden["layer"]]
        self.golden(name, golden, module, layer)

    def placed_by_hand(self):
        """Two layers with different placements that share one block."""
        module = self.scratch / "by-hand.mlir"
        planned = self.scratch / "by-hand-planned.mlir"
        config = self.tests / "Inputs" / "models" / "mixtral-tiny.json"
        if not (self.call("by hand: import", "moe-translate",
                          "--import-hf-config", config, "-o", module)
                and self.call("by hand: plan", "moe-opt", module,
                              "--moe-plan-pipeline=mesh=ep=3", "-o", planned)):
            return
        lines = [re.sub(r"slots \[\[.*\]\]", SLOTS, line)
                 if "moe.placement @p0 " in line else line
                 for line in planned.read_text().splitlines()]
        planned.write_text("\n".join(lines))
        for layer in (0, 1):
            for tokens in (1, 70, 200):
                self.check(
                    f"by hand: layer {layer}, {tokens} tokens", "moe-run",
                    planned, "--ranks", "3", "--tokens", tokens, "--seed", "2",
                    "--layer", layer, "--check")

    def placed_by_solvers(self):
        """Skewed loads, replicas with unequal shares, on several ep sizes."""
        module = self.scratch / "solved.mlir"
        config = self.tests / "Inputs" / "models" / "deepseek-v3-tiny.json"
        if not self.call("solved: import", "moe-translate",
                         "--import-hf-config", config, "-o", module):
            return
        experts = int(re.search(r"placement_ref<(\d+) experts>",
                                module.read_text()).group(1))
        loads = self.scratch / "skewed.json"
        layers = len(re.findall(r"moe.use_placement ", module.read_text()))
        loads.write_text(json.dumps(
            [[1 / (1 + (expert + layer) % experts) for expert in range(experts)]
             for layer in range(layers)]))
        for ranks, policy, replicas in SOLVED:
            what = f"{policy} over {ranks} ranks, {replicas} replicas"
            planned = self.scratch / f"{policy}-{ranks}.mlir"
            options = (f"mesh=ep={ranks} placement={policy} loads={loads} "
                       f"replicas={replicas}")
            if self.call(f"{what}: plan", "moe-opt", module,
                         f"--moe-plan-pipeline={options}", "-o", planned):
                if "replicas [" in planned.read_text():
                    self.passes.append(f"{what}: has tables")
                elif policy == "joint":
                    self.failures.append(f"{what}: no replica tables")
                for tokens in (1, 130):
                    self.check(f"{what}, {tokens} tokens", "moe-run", planned,
                               "--ranks", ranks, "--tokens", tokens, "--seed",
                               "2", "--check")

    def golden(self, name, golden, module, layer):
        goldens = self.tests / "Reference" / "goldens"
        routing = (["--routing-in", goldens / f"{name}.routing.npy"]
                   if golden["dtype"] == "bfloat16" else [])
        expected = np.load(goldens / f"{name}.output.npy")
        for cpu in runnable_cpus():
            what = f"{name}: golden for {cpu}"
            output = self.scratch / f"{name}-{cpu}.npy"
            if not self.call(what, "moe-run", module, "--ranks", "3", "--check",
                             "--input", goldens / f"{name}.input.npy",
                             "--output", output, "--seed", golden["seed"],
                             "--cpu", cpu, *routing, *layer):
                continue
            error = np.abs(np.load(output) - expected).max() / np.abs(expected).max()
            if error <= TOLERANCE[golden["dtype"]]:
                self.passes.append(what)
            else:
                self.failures.append(f"{what}: differs by {error:.2e}")


def runnable_cpus():
    if platform.machine() != "x86_64":
        return ["native"]
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return [cpu for cpu, flag in CPUS.items() if not flag or flag in flags]


def main():
    runner = Runner(sys.argv[1], sys.argv[2])
    index = runner.tests / "Reference" / "goldens" / "index.json"
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        work = [pool.submit(runner.model, name, golden)
                for name, golden in json.loads(index.read_text()).items()]
        work.append(pool.submit(runner.placed_by_hand))
        work.append(pool.submit(runner.placed_by_solvers))
        for one in work:
            one.result()
    return runner.report()


sys.exit(main())
