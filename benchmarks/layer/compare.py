#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One MoE layer: ours on N ranks against transformers' Qwen3 block.

Both have the same weights and tokens and all cores. They take turns, and each
figure is the fastest call's, which neighbours on the machine have disturbed the
least. The peer's figure is the better one of its eager and grouped_mm forms.
Outputs are compared, too.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time

import numpy
import safetensors.torch
import torch
import transformers
from transformers.models.qwen3_moe.modeling_qwen3_moe import (
    Qwen3MoeConfig,
    Qwen3MoeSparseMoeBlock,
)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = os.path.join(ROOT, "test/Inputs/models/full/Qwen3-30B-A3B.json")
DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}
FORMS = ("eager", "grouped_mm")
MOVING = ("layout", "permute", "exchange", "combine")


def cpu_name():
    with open("/proc/cpuinfo") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))


def random_block(dtype):
    torch.manual_seed(0)
    config = Qwen3MoeConfig.from_json_file(CONFIG)
    config._experts_implementation = "eager"
    with torch.device("meta"):
        block = Qwen3MoeSparseMoeBlock(config)
    block = block.to(dtype).to_empty(device="cpu").eval()
    for parameter in block.parameters():
        parameter.requires_grad_(False)
        parameter.normal_(std=0.02)
    return config, block


class Ours:
    """The same weights in a file, one module for each number of tokens."""

    def __init__(self, arguments, block, dtype, folder):
        self.arguments, self.dtype, self.folder = arguments, dtype, folder
        prefix = "model.layers.0.mlp."
        names = {prefix + name: value for name, value in block.state_dict().items()}
        safetensors.torch.save_file(names, self.path("weights.safetensors"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, name, *flags):
        subprocess.run([os.path.join(self.arguments.bin, name), *flags], check=True, stdout=subprocess.DEVNULL)

    def prepare(self, tokens):
        numpy.save(self.path("x.npy"), tokens.float().numpy())
        self.tool(
            "moe-translate", "--import-hf-config", CONFIG, "--layers=1", f"--tokens={len(tokens)}",
            f"--dtype={self.dtype}", "-o", self.path("model.mlir"),
        )

    def run(self, repeat):
        """The fastest call's phases of all ranks, in ms."""
        self.tool(
            "moe-run", self.path("model.mlir"), f"--ranks={self.arguments.ranks}",
            "--weights", self.path("weights.safetensors"), "--input", self.path("x.npy"),
            "--output", self.path("y.npy"), f"--repeat={repeat}", "--stats", self.path("stats.json"),
        )
        with open(self.path("stats.json")) as file:
            tables = {table["name"]: table for table in json.load(file)["tables"]}
        phases = tables["phases"]["rows"]
        return {row["phase"]: row["mean_us"] / 1e3 for row in phases}

    def output(self):
        return torch.from_numpy(numpy.load(self.path("y.npy")))


def fastest(call, repeat):
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        best = min(best, (time.perf_counter() - start) * 1e3)
    return best


def check_output(ours, theirs, dtype):
    """The rows that differ; a near-tie in the router may change a few."""
    tolerance = (0.02 if dtype == "bf16" else 1e-4) * theirs.abs().max()
    rows = int(((ours - theirs).abs().amax(dim=1) > tolerance).sum())
    if rows > max(1, 0.05 * len(ours)):
        raise SystemExit(f"{rows} of {len(ours)} rows differ by more than {tolerance:.2g}")
    return rows


def compare(arguments, config, block, ours, tokens):
    x = torch.randn(tokens, config.hidden_size).to(DTYPES[ours.dtype])
    ours.prepare(x)
    repeat = max(2, min(20, arguments.repeat * 64 // tokens))

    def call():
        return block(x[None])

    times = {form: float("inf") for form in FORMS}
    phases = None
    for _ in range(arguments.rounds):
        fresh = ours.run(repeat)
        if phases is None or sum(fresh.values()) < sum(phases.values()):
            phases = fresh
        for form in FORMS:
            config._experts_implementation = form
            # The first call also brings the weights back into the caches.
            calls = 2 if times[form] > 4 * min(times.values()) else repeat
            times[form] = min(times[form], fastest(call, calls))
    config._experts_implementation = min(times, key=times.get)
    rows = check_output(ours.output(), call()[0].float(), ours.dtype)

    wall = sum(phases.values())
    busy = wall - phases["wait"]
    moving = sum(phases[phase] for phase in MOVING) / busy
    cores = min(arguments.ranks, len(os.sched_getaffinity(0)))
    idle = 1 - busy * arguments.ranks / (wall * cores)
    best = min(times.values())
    print(
        f"{ours.dtype:5} {tokens:6} {wall:9.2f} {times['eager']:9.2f} {times['grouped_mm']:11.2f} "
        f"{best / wall:11.2f} {moving:13.1%} {idle:9.1%} {rows:8}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.path.join(ROOT, "build/bin"))
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--tokens", type=int, nargs="+", default=[8, 64, 2048])
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=["bf16", "f32"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=10, help="calls in a round, at 64 tokens")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    print(
        f"CPU: {cpu_name()}, {cores} cores; torch {torch.__version__} "
        f"({torch.backends.cpu.get_cpu_capability()}), transformers {transformers.__version__}"
    )
    print(f"One layer of Qwen3-30B-A3B, {arguments.ranks} ranks; ms of the fastest call")
    print("dtype tokens      ours     eager  grouped_mm  better/ours  rows moving  idle  other rows")
    with torch.inference_mode():
        for dtype in arguments.dtypes:
            config, block = random_block(DTYPES[dtype])
            with tempfile.TemporaryDirectory() as folder:
                ours = Ours(arguments, block, dtype, folder)
                for tokens in arguments.tokens:
                    compare(arguments, config, block, ours, tokens)


if __name__ == "__main__":
    main()
