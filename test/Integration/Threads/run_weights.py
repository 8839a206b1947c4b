# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights from safetensors files: N ranks against one device and against the
reference on the same files.

Usage: run_weights.py BIN_FOLDER TEST_FOLDER

Each case writes a small checkpoint (test/Reference/write_weights.py), runs it by
`moe-run --weights … --check`, and compares the output with NumPy's on the values
that the files hold: f32 within 2e-5 of its largest value, bf16 within 2e-2 given
the reference's routing. Then routers that make all scores equal, or all tokens
choose one expert.
"""

import concurrent.futures
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2}
SEED = 7


@dataclasses.dataclass(frozen=True)
class Case:
    model: str
    form: str = "experts"
    files: int = 1
    dtype: str = "F32"
    # The path that is given to moe-run, in the checkpoint's folder.
    path: str = ""
    # What becomes of the router: "", "equal" or "one".
    router: str = ""
    flags: tuple = ("--ranks", "3")
    tokens: int = 29

    def name(self):
        words = [self.model, self.form, f"{self.files} files", self.dtype, self.router,
                 self.path, *self.flags, f"{self.tokens} tokens"]
        return " ".join(word for word in words if word)


INDEX = "model.safetensors.index.json"
FORMATS = [
    Case("mixtral-tiny", path="model.safetensors"),
    Case("mixtral-tiny", "fused", dtype="F16"),
    Case("mixtral-tiny-bf16", "fused", files=2),
    Case("qwen3-moe-tiny-bf16", dtype="BF16", files=3, path=INDEX),
    Case("qwen3-moe-tiny", "fused", dtype="BF16"),
    Case("qwen2-moe-tiny", files=3, dtype="F16"),
    Case("qwen2-moe-tiny-bf16", files=2, dtype="F32"),
    Case("deepseek-v2-tiny", files=4, path=INDEX),
    Case("deepseek-v3-tiny", dtype="BF16"),
    Case("deepseek-v3-tiny-bf16", "fused", dtype="BF16"),
    Case("olmoe-tiny-bf16", dtype="F16"),
    Case("glm4-moe-tiny", files=2),
    Case("switch-tiny", files=2),
    Case("switch-tiny-bf16", dtype="BF16"),
]
BOUNDED = ("--exchange", "flat_bounded")
ROUTERS = [
    Case(model, router=router, flags=("--ranks", ranks, *form), tokens=tokens)
    for model in ("mixtral-tiny", "qwen2-moe-tiny", "switch-tiny")
    for router, ranks, form, tokens in (
        ("equal", "8", (), 5),
        ("equal", "3", BOUNDED, 13),
        ("one", "8", BOUNDED, 13),
        ("one", "3", ("--no-overlap",), 29),
    )
]


class Runner:
    def __init__(self, binaries, tests):
        self.binaries = pathlib.Path(binaries)
        self.tests = pathlib.Path(tests)
        sys.path.insert(0, str(self.tests / "Reference"))

    def call(self, tool, *arguments):
        done = subprocess.run(
            [self.binaries / tool, *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            message = (done.stderr or done.stdout).strip().splitlines()
            raise RuntimeError(f"exit {done.returncode}: {message[0] if message else ''}")

    def write(self, case, block, folder):
        import write_weights

        tensors = []
        for name, values, is_f32 in write_weights.layer_tensors(block, SEED, case.form):
            if name == block.router and case.router:
                # All tokens are positive: the fourth expert wins everywhere.
                values = np.zeros_like(values)
                if case.router == "one":
                    values[3] = 0.01
            dtype = "F32" if is_f32 else case.dtype
            tensors.append((name, dtype, values.shape, write_weights._encode(values, dtype)))
        write_weights.write(folder, tensors, case.files)

    def run(self, case):
        """What is wrong; "" if nothing is."""
        import model_blocks
        import moe_reference
        import random_data
        from read_weights import FileWeights

        path = self.tests / "Inputs" / "models" / f"{case.model}.json"
        config = json.loads(path.read_text())
        block = model_blocks.block_of(config)
        dtype = model_blocks.dtype_of(config)
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            folder = scratch / "checkpoint"
            self.write(case, block, folder)
            reference = moe_reference.MoEBlock(block, dtype, FileWeights(folder))
            tokens = random_data.tokens(1, case.tokens, block.hidden)
            if case.router == "one":
                tokens = np.abs(tokens) + np.float32(0.1)
            routing = reference.route(tokens)
            expected = reference.forward(tokens, routing)
            np.save(scratch / "x.npy", tokens)
            np.save(scratch / "r.npy", routing.to_array())
            self.call("moe-translate", "--import-hf-config", path, "-o", scratch / "m.mlir")
            given = ["--routing-in", scratch / "r.npy"] if dtype == "bfloat16" else []
            self.call("moe-run", scratch / "m.mlir", "--weights", folder / case.path,
                      "--input", scratch / "x.npy", "--output", scratch / "y.npy",
                      "--routing-out", scratch / "s.npy", "--check", *case.flags, *given)
            output, found = np.load(scratch / "y.npy"), np.load(scratch / "s.npy")
        return self.compare(case, dtype, output, expected, found, routing)

    @staticmethod
    def compare(case, dtype, output, expected, found, routing):
        if not np.array_equal(found[0], routing.experts):
            return "chooses other experts than the reference"
        if case.router == "one" and not np.all((found[0][:, 0] == 3) | (found[0][:, 0] < 0)):
            return "expected the fourth expert everywhere"
        error = np.abs(output - expected).max() / np.abs(expected).max()
        if not error <= TOLERANCE[dtype]:
            return f"differs from the reference by {error:.2e}"
        return ""


def main():
    runner = Runner(sys.argv[1], sys.argv[2])
    cases = FORMATS + ROUTERS
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        work = {case: pool.submit(runner.run, case) for case in cases}
    failed = 0
    for case, one in work.items():
        problem = one.exception() or one.result()
        if problem:
            failed += 1
            print(f"{case.name()}: {problem}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
