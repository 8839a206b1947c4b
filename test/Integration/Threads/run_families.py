# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""N ranks against one device, and against the reference, for every family.

Usage: run_families.py BIN_FOLDER TEST_FOLDER

Each tiny model of test/Inputs/models is imported once and its last MoE layer
run by `moe-run --check` on several meshes and token counts: equal to the
unpartitioned program bit for bit. Then with the golden input of test/Reference:
equal to the reference's output, f32 within 2e-5 of its largest value, bf16
within 2e-2 given the reference's routing.
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

MESHES = [
    ("ep=1", ["--ranks", "1"]),
    ("ep=2", ["--ranks", "2", "--exchange", "flat_bounded"]),
    ("ep=3", ["--ranks", "3"]),
    ("dp=2,ep=2", ["--ranks", "4", "--mesh", "dp=2,ep=2"]),
    ("ep=2,etp=2", ["--ranks", "4", "--mesh", "ep=2,etp=2"]),
    ("ep=5", ["--ranks", "5", "--exchange", "flat_bounded"]),
    ("ep=8", ["--ranks", "8"]),
]
TOKENS = [13, 33, 0, 13, 7, 1, 3]
# Its experts' width, 39, has no halves.
ODD_WIDTH = "glm4-moe-tiny"
TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2}


class Runner:
    def __init__(self, binaries, tests):
        self.binaries = pathlib.Path(binaries)
        self.tests = pathlib.Path(tests)
        self.scratch = pathlib.Path(tempfile.mkdtemp())
        self.passed = 0
        self.failures = []

    def call(self, what, tool, *arguments):
        done = subprocess.run(
            [self.binaries / tool, *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            message = (done.stderr or done.stdout).strip().splitlines()
            self.failures.append(f"{what}: exit {done.returncode}: "
                                 f"{message[0] if message else ''}")
            return False
        return True

    def model(self, name, golden):
        module = self.scratch / f"{name}.mlir"
        config = self.tests / "Inputs" / "models" / f"{name}.json"
        extra = ([f"--sequence-length={golden['sequence_length']}"]
                 if "sequence_length" in golden else [])
        if not self.call(f"{name}: import", "moe-translate",
                         "--import-hf-config", config, *extra, "-o", module):
            return
        layer = ["--layer", golden["layer"]]
        for (mesh, flags), tokens in zip(MESHES, TOKENS):
            if "etp" in mesh and name.startswith(ODD_WIDTH):
                continue
            self.passed += self.call(
                f"{name} on {mesh}, {tokens} tokens", "moe-run", module, *flags,
                "--tokens", tokens, "--seed", "3", "--check", *layer)
        self.golden(name, golden, module, layer)

    def golden(self, name, golden, module, layer):
        goldens = self.tests / "Reference" / "goldens"
        output = self.scratch / f"{name}.npy"
        routing = (["--routing-in", goldens / f"{name}.routing.npy"]
                   if golden["dtype"] == "bfloat16" else [])
        if not self.call(f"{name}: golden", "moe-run", module, "--ranks", "3",
                         "--input", goldens / f"{name}.input.npy",
                         "--output", output, "--seed", golden["seed"],
                         *routing, *layer):
            return
        expected = np.load(goldens / f"{name}.output.npy")
        error = np.abs(np.load(output) - expected).max() / np.abs(expected).max()
        if error <= TOLERANCE[golden["dtype"]]:
            self.passed += 1
        else:
            self.failures.append(f"{name}: differs from the reference by {error:.2e}")


def main():
    runner = Runner(sys.argv[1], sys.argv[2])
    index = runner.tests / "Reference" / "goldens" / "index.json"
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, golden in json.loads(index.read_text()).items():
            pool.submit(runner.model, name, golden)
    for failure in runner.failures:
        print(failure)
    print(f"{runner.passed} passed, {len(runner.failures)} failed")
    return 1 if runner.failures else 0


sys.exit(main())
