#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped matrix products: ours against oneDNN in torch's CPU path.

Both run in this process on one core, call by call in turn, so that a change of
the machine's clock hits both; the ratio is the median over the pairs of calls.
Needs torch, and the directory that build-kernels made (this file is in it).
"""

import argparse
import ctypes
import math
import os
import statistics
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def cpu_info():
    with open("/proc/cpuinfo") as file:
        lines = file.read().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    return fields["model name"], set(fields["flags"].split())


CPU_NAME, CPU_FLAGS = cpu_info()
if "avx512f" in CPU_FLAGS:
    # AMX tiles are another comparison.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")

import torch  # noqa: E402  (after the environment is set)

torch.set_num_threads(1)


class Ours:
    """The compiled products and their packing."""

    def __init__(self, directory, k, n, bf16):
        self.library = ctypes.CDLL(os.path.join(directory, "libmatmul.so"))
        self.library.bench_packed_bytes.restype = ctypes.c_int64
        self.k, self.n, self.bf16 = k, n, bf16
        self.sizes = (ctypes.c_int64(k), ctypes.c_int64(n), ctypes.c_int32(bf16))

    def pack(self, weights):
        """Weights [N, K], one an expert, into one buffer each."""
        count = self.library.bench_packed_bytes(*self.sizes)
        self.buffers = [torch.empty(count + 64, dtype=torch.uint8) for _ in weights]
        addresses = [(b.data_ptr() + 63) // 64 * 64 for b in self.buffers]
        for weight, address in zip(weights, addresses):
            self.library.bench_pack(
                ctypes.c_void_p(weight.data_ptr()), *self.sizes, ctypes.c_void_p(address)
            )
        self.table = (ctypes.c_void_p * len(addresses))(*addresses)

    def prepare(self, rows, m):
        groups = len(self.table)
        self.out = torch.empty(rows.shape[0], self.n, dtype=rows.dtype)
        self.offsets = (ctypes.c_int32 * (groups + 1))(*[m * i for i in range(groups + 1)])
        self.arguments = (
            ctypes.c_void_p(rows.data_ptr()),
            self.table,
            self.offsets,
            ctypes.c_int64(groups),
            ctypes.c_void_p(self.out.data_ptr()),
            *self.sizes,
        )

    def __call__(self):
        self.library.bench_matmul(*self.arguments)
        return self.out

    def read(self):
        """Reads the packed weights, and does nothing with them."""
        size = ctypes.c_int64(self.library.bench_packed_bytes(*self.sizes))
        for address in self.table:
            self.library.bench_read(ctypes.c_void_p(address), size)


class OneDNN:
    """torch's linear on weights that oneDNN has packed, expert by expert."""

    def __init__(self, weights, rows, m):
        self.rows = [rows[i * m : (i + 1) * m] for i in range(len(weights))]
        try:
            self.packed = [
                torch.ops.mkldnn._reorder_linear_weight(w, m) for w in weights
            ]
            self.kind = "oneDNN, packed"
            self()
        except RuntimeError as error:
            self.packed = None
            self.weights = weights
            self.kind = f"torch linear, not packed ({str(error).splitlines()[0][:70]})"

    def __call__(self):
        if self.packed is None:
            return [torch.nn.functional.linear(r, w) for r, w in zip(self.rows, self.weights)]
        linear = torch.ops.mkldnn._linear_pointwise
        return [linear(r, w, None, "none", [], "") for r, w in zip(self.rows, self.packed)]


def implementation(call):
    """The name that oneDNN gives the kernel of `call`."""
    sys.stdout.flush()
    saved = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
                call()
        finally:
            os.dup2(saved, 1)
            os.close(saved)
        file.seek(0)
        lines = [line.split(",") for line in file.read().decode().splitlines()]
    kernels = {f[6] for f in lines if len(f) > 6 and f[5] in ("matmul", "inner_product")}
    return ", ".join(sorted(kernels)) or "not oneDNN"


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(calls, budget):
    """Rounds of seconds, one for each call; who goes first changes every round."""
    for call in calls:
        call()
    rounds = []
    end = time.perf_counter() + budget
    while len(rounds) < 4 or (time.perf_counter() < end and len(rounds) < 400):
        first = len(rounds) % len(calls)
        order = [(first + i) % len(calls) for i in range(len(calls))]
        seconds = {i: timed(calls[i]) for i in order}
        rounds.append([seconds[i] for i in range(len(calls))])
    return rounds


def median_ratio(rounds, over, under):
    return statistics.median(r[over] / r[under] for r in rounds)


def compare(arguments, dtype, experts, rates):
    k, n = arguments.k, arguments.n
    torch.manual_seed(0)
    weights = [(torch.rand(n, k) - 0.5).to(dtype) for _ in range(experts)]
    ours = Ours(arguments.kernels, k, n, int(dtype == torch.bfloat16))
    ours.pack(weights)
    for m in arguments.m:
        rows = (torch.rand(experts * m, k) - 0.5).to(dtype)
        ours.prepare(rows, m)
        peer = OneDNN(weights, rows, m)
        error = (torch.cat(peer()).float() - ours().float()).abs().max().item()
        tolerance = 0.2 if dtype == torch.bfloat16 else 1e-3
        if not error < tolerance:
            sys.exit(f"results differ by {error} at {dtype}, {experts} experts, m = {m}")
        rounds = measure([ours, peer, ours.read], arguments.seconds)
        mine, theirs, read = (min(column) for column in zip(*rounds))
        ratio = median_ratio(rounds, 1, 0)
        work = 2e-9 * experts * m * k * n
        traffic = 1e-9 * experts * k * n * dtype.itemsize
        rates.append((dtype, experts, m, ratio, median_ratio(rounds, 2, 0)))
        print(
            f"{str(dtype)[6:]:9} {experts:7} {m:5} {work / mine:9.1f} {work / theirs:9.1f} "
            f"{traffic / mine:8.1f} {traffic / theirs:8.1f} {traffic / read:8.1f} {ratio:7.2f}  "
            f"{peer.kind}: {implementation(peer)}",
            flush=True,
        )


def mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--k", type=int, default=2048)
    parser.add_argument("--n", type=int, default=1408)
    parser.add_argument("--m", type=int, nargs="+", default=[1, 4, 16, 64, 512])
    parser.add_argument("--experts", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each line")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.kernels, "target.txt")) as file:
        target = file.read().strip()
    print(f"CPU: {CPU_NAME}; torch {torch.__version__}; one core; K {arguments.k}, N {arguments.n}")
    print(f"our kernels: {target}; oneDNN up to {os.environ.get('ONEDNN_MAX_CPU_ISA', 'the best')}")
    print("                             GFLOP/s            weights GB/s    reading   ratio")
    print("dtype     experts     m      ours     peer     ours     peer     GB/s  peer/our time")
    rates = []
    for dtype in arguments.dtypes:
        for experts in arguments.experts:
            compare(arguments, getattr(torch, dtype), experts, rates)
    for dtype in arguments.dtypes:
        ratios = [r[3] for r in rates if r[0] == getattr(torch, dtype)]
        print(f"{dtype}: geometric mean of the ratios {mean(ratios):.2f}")
    print(f"all: geometric mean {mean(r[3] for r in rates):.2f}")
    single = [r[4] for r in rates if r[2] == 1]
    if single:
        print(f"m = 1: reading the weights takes {min(single):.2f} to {max(single):.2f} of our time")


if __name__ == "__main__":
    main()
