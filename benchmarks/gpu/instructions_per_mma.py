#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions per MMA in the main loop: our grouped matmul beside CUTLASS's.

Both go through the same ptxas and nvdisasm; no GPU is needed. Needs nvcc and ptxas
(CUDA_HOME or PATH) and pip, which fetches CUTLASS's headers, and nvdisasm where
there is none, into build/peers-gpu.

    benchmarks/gpu/instructions_per_mma.py [--chips sm_80,sm_90a,sm_100a]
"""

import argparse
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/bin"
PEERS = ROOT / "build/peers-gpu"
MODEL = ROOT / "test/Inputs/models/full/Qwen3-30B-A3B.json"
LIMIT = 1.5


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True,
                          capture_output=True, text=True, **options).stdout


def program(name):
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    found = shutil.which(name, path=f"{home}/bin") or shutil.which(name)
    if not found:
        sys.exit(f"error: no {name} in CUDA_HOME or on the PATH")
    return found


def wheel(name):
    """The folder of a wheel's files, fetched once."""
    folder = PEERS / name
    if not folder.exists():
        run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
            "-d", PEERS / "wheels", name)
        pattern = str(PEERS / "wheels" / (name.replace("-", "_") + "*.whl"))
        with zipfile.ZipFile(glob.glob(pattern)[0]) as archive:
            archive.extractall(folder)
    return folder


def disassembler():
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    found = shutil.which("nvdisasm", path=f"{home}/bin") or shutil.which("nvdisasm")
    if not found:
        found = next(wheel("nvidia-cuda-nvdisasm").rglob("nvdisasm"))
        found.chmod(0o755)
    return found


def main_loops(code):
    """(instructions, MMAs) of the innermost loop with the most MMAs, by kernel."""
    best = {}
    kernel, labels, instructions, mmas = None, {}, 0, 0
    for line in code.splitlines():
        if found := re.match(r"\.text\.(\S+):", line):
            kernel, labels, instructions, mmas = found[1], {}, 0, 0
        elif found := re.match(r"(\.L\w+):", line):
            labels[found[1]] = (instructions, mmas)
        elif found := re.match(r"\s*/\*[0-9a-f]+\*/\s+(?:@\S+\s+)?(\S+)(.*)", line):
            instructions += 1
            mmas += found[1].startswith("HMMA")
            target = re.search(r"\((\.L\w+)\)", found[2])
            if found[1] == "BRA" and target and target[1] in labels:
                before = labels[target[1]]
                loop = (instructions - before[0], mmas - before[1])
                if loop[1] > best.get(kernel, (0, 0))[1]:
                    best[kernel] = loop
    return best


def assemble(ptx, chip):
    cubin = ptx.with_suffix(".cubin")
    run(program("ptxas"), f"-arch={chip}", ptx, "-o", cubin)
    return main_loops(run(disassembler(), "-c", cubin))


def ours(chip):
    model, kernels, ptx = (PEERS / name for name in ("model.mlir", "kernels.mlir", "ours.ptx"))
    run(BIN / "moe-translate", "--import-hf-config", MODEL, "--tokens=2048", "-o", model)
    run(BIN / "moe-opt", model, "--moe-extract-layer", "--moe-plan-pipeline=mesh=ep=8",
        "--moe-gpu-pipeline", "-o", kernels)
    run(BIN / "moe-translate", "--export-ptx", kernels, f"--chip={chip}", "-o", ptx)
    return assemble(ptx, chip)


def theirs(chip):
    base, ptx = PEERS / "cutlass.sm_80.ptx", PEERS / f"cutlass.{chip}.ptx"
    if not base.exists():
        headers = next(wheel("nvidia-cutlass").rglob("cutlass/cutlass.h")).parents[1]
        run(program("nvcc"), "-std=c++17", "-arch=sm_80", "--disable-warnings",
            "-I", headers, "-ptx", pathlib.Path(__file__).with_name("grouped_gemm.cu"),
            "-o", base)
    if ptx != base:
        ptx.write_text(base.read_text().replace(".target sm_80", f".target {chip}"))
    return assemble(ptx, chip)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", default="sm_80,sm_90a,sm_100a")
    chips = parser.parse_args().chips.split(",")
    PEERS.mkdir(parents=True, exist_ok=True)
    print(run(program("ptxas"), "--version").splitlines()[-1])
    print(f"{'chip':<8}  {'kernel':<44}  {'instructions':>12}  {'MMAs':>4}  {'per MMA':>7}  {'ratio':>5}")
    worst = 0.0
    for chip in chips:
        peer = max(theirs(chip).values(), key=lambda loop: loop[1])
        rows = [("CUTLASS grouped GEMM, 128 x 128 x 32", peer)]
        rows += sorted(ours(chip).items())
        for name, (instructions, mmas) in rows:
            ratio = instructions / mmas / (peer[0] / peer[1])
            worst = max(worst, ratio)
            print(f"{chip:<8}  {name:<44}  {instructions:>12}  {mmas:>4}"
                  f"  {instructions / mmas:>7.2f}  {ratio:>5.2f}")
    print(f"largest ratio {worst:.2f}, at most {LIMIT} is allowed")
    return 0 if worst <= LIMIT else 1


sys.exit(main())
