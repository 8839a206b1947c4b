#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares an output, or a routing, with a golden one.

  compare.py out.npy golden.npy --rtol 2e-5
      The largest difference, relative to the largest magnitude of the golden.
  compare.py --routing out.npy golden.npy [--margin m.npy --near 1e-3] [--rtol R]
      Both float32 [2, T, K]. A token whose set of experts differs counts as a
      near tie where its margin (from moe_reference.py) is at most --near; other
      differences are errors. Weights are compared expert by expert.

Exit status: 0 equal within the tolerance, 2 different, 1 bad input.
"""

import argparse
import sys

import numpy as np


def compare_values(values, golden, rtol):
    """(is within, message). Shapes must be equal."""
    if values.shape != golden.shape:
        return False, f"shape: expected {golden.shape}, but got {values.shape}"
    if golden.size == 0:
        return True, "empty arrays"
    if not np.isfinite(values).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        return False, f"at {first}: expected a number, but got {values[first]}"
    scale = float(np.abs(golden).max()) or 1.0
    error = np.abs(values.astype(np.float64) - golden.astype(np.float64)) / scale
    worst = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
    message = (
        f"max relative error {error[worst]:.3e} at {worst}, "
        f"{np.mean(values != golden):.2%} of the values differ"
    )
    outside = np.argwhere(error > rtol)
    if len(outside) == 0:
        return True, message
    first = tuple(int(i) for i in outside[0])
    return False, (
        f"{message}; {len(outside)} beyond {rtol:g}, first at {first}: "
        f"expected {golden[first]!r}, but got {values[first]!r}"
    )


def _by_expert(routing, token):
    return sorted(zip(routing[0, token].tolist(), routing[1, token].tolist()))


def compare_routing(routing, golden, margin, near, rtol):
    """(is equal up to near ties, message)."""
    if routing.shape != golden.shape or golden.ndim != 3:
        return False, f"shape: expected {golden.shape}, but got {routing.shape}"
    ties, worst = 0, 0.0
    for token in range(golden.shape[1]):
        ours, theirs = _by_expert(routing, token), _by_expert(golden, token)
        if [e for e, _ in ours] != [e for e, _ in theirs]:
            if margin is None or margin[token] > near:
                return False, (
                    f"token {token}: expected experts {[int(e) for e, _ in theirs]}, "
                    f"but got {[int(e) for e, _ in ours]}"
                )
            ties += 1
            continue
        for (expert, weight), (_, expected) in zip(ours, theirs):
            error = abs(weight - expected) / max(abs(expected), 1e-30)
            worst = max(worst, error)
            if not error <= rtol:
                return False, (
                    f"token {token}, expert {int(expert)}: expected weight "
                    f"{expected!r}, but got {weight!r}"
                )
    tokens = golden.shape[1]
    return True, f"{tokens} tokens, {ties} near ties, max weight error {worst:.3e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("values")
    parser.add_argument("golden")
    parser.add_argument("--rtol", type=float, default=2e-5)
    parser.add_argument("--routing", action="store_true")
    parser.add_argument("--margin")
    parser.add_argument("--near", type=float, default=1e-3)
    arguments = parser.parse_args()
    try:
        values, golden = np.load(arguments.values), np.load(arguments.golden)
        margin = np.load(arguments.margin) if arguments.margin else None
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.routing:
        is_good, message = compare_routing(
            values, golden, margin, arguments.near, arguments.rtol
        )
    else:
        is_good, message = compare_values(values, golden, arguments.rtol)
    print(message)
    return 0 if is_good else 2


if __name__ == "__main__":
    sys.exit(main())
