# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""EPLB's two policies in NumPy: the peer that placements are measured against.

Written from the description of the algorithm, with stable sorting. `published`
checks it on the example that its authors publish.
"""

import numpy as np


def pack(weights, packs):
    """Items to packs of equally many, the heaviest first to the lightest pack."""
    size = len(weights) // packs
    if size == 1:
        return np.arange(len(weights)), np.zeros(len(weights), dtype=int)
    pack_of = np.empty(len(weights), dtype=int)
    rank_of = np.empty(len(weights), dtype=int)
    loads = np.zeros(packs, dtype=np.float32)
    filled = np.zeros(packs, dtype=int)
    for item in np.argsort(-weights, kind="stable"):
        chosen = int(np.argmin(np.where(filled < size, loads, np.inf)))
        pack_of[item], rank_of[item] = chosen, filled[chosen]
        loads[chosen] += weights[item]
        filled[chosen] += 1
    return pack_of, rank_of


def replicate(weights, slots):
    """Each further slot to the expert whose replicas have most to do."""
    experts = list(range(len(weights)))
    counts = np.ones(len(weights), dtype=int)
    while len(experts) < slots:
        busiest = int(np.argmax(weights / counts))
        experts.append(busiest)
        counts[busiest] += 1
    return np.array(experts), counts


def place_layer(weights, slots, groups, nodes, ranks):
    """The expert in each slot."""
    if groups % nodes:
        groups = nodes = 1
    experts = len(weights)
    group_size = experts // groups
    node_of, place_of = pack(weights.reshape(groups, group_size).sum(axis=1), nodes)
    order = np.empty(experts, dtype=int)
    for expert in range(experts):
        group = expert // group_size
        place = node_of[group] * (groups // nodes) + place_of[group]
        order[place * group_size + expert % group_size] = expert
    placed = np.empty(slots, dtype=int)
    node_slots, rank_slots = slots // nodes, slots // ranks
    for node in range(nodes):
        local = order[node * (experts // nodes) : (node + 1) * (experts // nodes)]
        replicas, counts = replicate(weights[local], node_slots)
        shares = weights[local][replicas] / counts[replicas]
        rank_of, position = pack(shares, ranks // nodes)
        target = node * node_slots + rank_of * rank_slots + position
        placed[target] = local[replicas]
    return placed


def place(weights, slots, groups, nodes, ranks):
    """All layers; weights[layer][expert]."""
    weights = np.asarray(weights, dtype=np.float32)
    return [place_layer(layer, slots, groups, nodes, ranks) for layer in weights]


def max_over_mean(weights, placed, ranks):
    """The largest load of a rank over the mean, a layer each."""
    result = []
    for layer, experts in zip(np.asarray(weights, dtype=float), placed):
        counts = np.bincount(experts, minlength=len(layer))
        loads = (layer / counts)[experts].reshape(ranks, -1).sum(axis=1)
        result.append(loads.max() / loads.mean())
    return result


def published():
    """Fails unless the authors' example comes out as they print it."""
    weights = [
        [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
        [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
    ]
    expected = [
        [5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1],
        [7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1],
    ]
    for got, wanted in zip(place(weights, 16, 4, 2, 8), expected):
        assert got.tolist() == wanted, f"expected {wanted}, but got {got.tolist()}"
