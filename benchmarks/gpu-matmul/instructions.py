# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions per MMA in the main loops of grouped products, beside CUTLASS's.

Usage: instructions.py [--chip sm_80] [--cutlass FOLDER]

Ours go through moe-opt, moe-translate and ptxas; CUTLASS's kernel (grouped.cu) through
nvcc, where FOLDER holds its headers (from PyPI: nvidia-cutlass, in
cutlass_library/source/include). nvdisasm is found on the PATH (from PyPI:
nvidia-cuda-nvdisasm), and so are the others.
"""

import argparse
import collections
import os
import re
import subprocess
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def functions(sass):
    """The name, instructions and labels (by number of instruction) of each kernel."""
    for part in re.split(r"\n\s*\.section\s+\.text\.", sass)[1:]:
        name = re.match(r'[^",]+', part).group(0)
        code, labels = [], {}
        for line in part.splitlines():
            label = re.match(r"^(\.L\S+):", line.strip())
            if label:
                labels[label.group(1)] = len(code)
            found = re.search(r"/\*[0-9a-f]{4,}\*/\s+(.*?);", line)
            if found:
                code.append(found.group(1).strip())
        yield name, code, labels


def main_loop(code, labels):
    """The shortest loop that multiplies."""
    loops = []
    for end, instruction in enumerate(code):
        branch = re.search(r"BRA(?:\.\S+)?\s+(?:\S+,\s*)?`\((\.L\S+)\)", instruction)
        begin = labels.get(branch.group(1), end + 1) if branch else end + 1
        body = code[begin:end + 1]
        if any("HMMA" in other for other in body):
            loops.append(body)
    return min(loops, key=len, default=None)


def report(title, cubin):
    for name, code, labels in functions(run("nvdisasm", "-c", cubin)):
        loop = main_loop(code, labels)
        if not loop:
            continue
        kinds = collections.Counter(
            re.sub(r"^@!?\S+\s+", "", text).split(".")[0].split(" ")[0] for text in loop)
        most = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
        print(f"{title}: {len(loop)} instructions for {kinds['HMMA']} MMAs, "
              f"{len(loop) / kinds['HMMA']:.2f} an MMA ({most}): {name[:60]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chip", default="sm_80")
    parser.add_argument("--cutlass")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kernels, ptx, cubin = (os.path.join(folder, "ours" + end)
                               for end in (".mlir", ".ptx", ".cubin"))
        run("moe-opt", os.path.join(FOLDER, "product.mlir"), "--convert-moe-to-gpu",
            "-o", kernels)
        run("moe-translate", "--export-ptx", f"--chip={options.chip}", kernels, "-o", ptx)
        run("ptxas", f"-arch={options.chip}", ptx, "-o", cubin)
        report("ours", cubin)
        if options.cutlass:
            theirs = os.path.join(folder, "cutlass.cubin")
            run("nvcc", "-std=c++17", f"-arch={options.chip}", "-cubin", "-DNDEBUG",
                "--expt-relaxed-constexpr", "-I", options.cutlass,
                os.path.join(FOLDER, "grouped.cu"), "-o", theirs)
            report("CUTLASS", theirs)


main()
