# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times and qualities of our placements against EPLB's algorithm in NumPy.

Prints one row a problem. `joint / peer` is the ratio of planning times for all
layers, in one run on one core; `max/mean` is of the worst layer.
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
import time

import numpy as np

import eplb_peer


def zipf_loads(layers, experts, exponent=0.8, seed=0):
    """Loads that fall as rank^-exponent, shuffled in each layer."""
    random = np.random.default_rng(seed)
    loads = np.arange(1, experts + 1, dtype=float) ** -exponent
    return [random.permutation(loads).tolist() for _ in range(layers)]


def skewed_loads(layers, experts, counts, seed=0):
    """Loads with the skew of measured layers: quantiles of their shares."""
    random = np.random.default_rng(seed)
    result = []
    for layer in range(layers):
        shares = np.sort(np.array(counts[layer % len(counts)], dtype=float))
        at = np.linspace(0, len(shares) - 1, experts)
        result.append(random.permutation(np.interp(at, np.arange(len(shares)), shares)).tolist())
    return result


def measured_layers(path):
    """Counts of each domain and layer of a CSV file of loads."""
    layers = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            layers.setdefault((row["domain"], int(row["layer"])), []).append(float(row["count"]))
    return [layers[key] for key in sorted(layers)]


def run(binary, loads, slots, ranks, groups, nodes, repeat):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(loads, file)
        file.flush()
        command = [binary, file.name, f"--slots={slots}", f"--ranks={ranks}", f"--groups={groups}",
                   f"--nodes={nodes}", f"--repeat={repeat}"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_peer(loads, slots, ranks, groups, nodes):
    begin = time.perf_counter()
    placed = eplb_peer.place(loads, slots, groups, nodes, ranks)
    milliseconds = (time.perf_counter() - begin) * 1e3
    return milliseconds, max(eplb_peer.max_over_mean(loads, placed, ranks))


def problems(inputs):
    olmoe = measured_layers(os.path.join(inputs, "olmoe-1b-7b.csv"))
    mixtral = measured_layers(os.path.join(inputs, "mixtral-8x7b.csv"))
    zipf = zipf_loads(58, 256)
    return [
        ("EP144, Zipf 0.8", zipf, 288, 144, 8, 18),
        ("EP144, skew of OLMoE", skewed_loads(58, 256, olmoe), 288, 144, 8, 18),
        ("EP144, skew of Mixtral", skewed_loads(58, 256, mixtral), 288, 144, 8, 18),
        ("EP32, Zipf 0.8", zipf, 288, 32, 8, 4),
        ("EP2304, Zipf 0.8", zipf, 4608, 2304, 8, 288),
        ("61 layers on 2048", zipf_loads(61, 256), 4096, 2048, 8, 256),
        ("OLMoE on 8, 8 spare", olmoe, 72, 8, 1, 1),
        ("OLMoE on 16, none spare", olmoe, 64, 16, 1, 1),
        ("Mixtral on 4, 4 spare", mixtral, 12, 4, 1, 1),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--inputs", required=True, help="folder of measured loads")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    eplb_peer.published()
    print(f"{'problem':24} {'layers':>6} {'joint ms':>9} {'peer ms':>9} {'joint/peer':>10} "
          f"{'max/mean':>9} {'peer':>7} {'mean gap':>9} {'worst':>7} {'above eplb':>10}")
    times = {}
    for name, loads, slots, ranks, groups, nodes in problems(options.inputs):
        ours = run(options.binary, loads, slots, ranks, groups, nodes, options.repeat)
        peer_ms, peer_worst = run_peer(loads, slots, ranks, groups, nodes)
        times[ranks, len(loads)] = times.get((ranks, len(loads)), ours["joint_ms"])
        print(f"{name:24} {ours['layers']:6} {ours['joint_ms']:9.2f} {peer_ms:9.1f} "
              f"{ours['joint_ms'] / peer_ms:10.5f} {ours['joint_worst']:9.4f} {peer_worst:7.4f} "
              f"{ours['mean_gap']:9.3%} {ours['worst_gap']:7.2%} {ours['joint_above_eplb']:10}")
    print(f"\n16 times more devices (2304 against 144): {times[2304, 58] / times[144, 58]:.1f} times the time")


if __name__ == "__main__":
    main()
