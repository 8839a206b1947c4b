//===- Eplb.cpp - EPLB's two policies -------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the description of deepseek-ai/EPLB. Loads are rounded to float32 as
// there, so that equal weights tie as they do there; sorting is stable, which
// EPLB's own is not.
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>
#include <queue>

using namespace moe::planning;

namespace {
/// For each item its pack, and its rank among the pack's items.
struct Packing {
  std::vector<int64_t> pack;
  std::vector<int64_t> rank;
};

/// For each replica its expert; for each expert its number of replicas.
struct Replication {
  std::vector<int64_t> experts;
  std::vector<int64_t> counts;
};
} // namespace

/// Packs of equally many items: the heaviest item first, each to the lightest
/// pack that is not full.
static Packing packEvenly(llvm::ArrayRef<float> weights, int64_t packs) {
  int64_t items = weights.size(), size = items / packs;
  Packing result;
  result.pack.resize(items);
  result.rank.resize(items);
  if (size == 1) {
    std::iota(result.pack.begin(), result.pack.end(), 0);
    return result;
  }
  std::vector<int64_t> order(items);
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::make_pair(-weights[a], a) < std::make_pair(-weights[b], b);
  });
  // Packs that are not full, the lightest on top, then the first.
  using Entry = std::pair<float, int64_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  for (int64_t pack = 0; pack < packs; ++pack) {
    open.push({0.0f, pack});
  }
  std::vector<int64_t> filled(packs);
  for (int64_t item : order) {
    auto [weight, pack] = open.top();
    open.pop();
    result.pack[item] = pack;
    result.rank[item] = filled[pack]++;
    if (filled[pack] < size) {
      open.push({weight + weights[item], pack});
    }
  }
  return result;
}

/// Gives each replica beyond the first to the expert whose replicas have most
/// to do, ties to the first.
static Replication replicate(llvm::ArrayRef<float> weights, int64_t slots) {
  int64_t experts = weights.size();
  Replication result;
  result.counts.assign(experts, 1);
  result.experts.resize(experts);
  std::iota(result.experts.begin(), result.experts.end(), 0);
  using Entry = std::pair<float, int64_t>;
  std::priority_queue<Entry> busiest;
  for (int64_t expert = 0; expert < experts; ++expert) {
    busiest.push({weights[expert], -expert});
  }
  while (static_cast<int64_t>(result.experts.size()) < slots) {
    int64_t expert = -busiest.top().second;
    busiest.pop();
    result.experts.push_back(expert);
    ++result.counts[expert];
    busiest.push({weights[expert] / result.counts[expert], -expert});
  }
  return result;
}

/// The hierarchical policy; with one group and one node it is the global one.
static std::vector<int64_t> hierarchical(llvm::ArrayRef<float> weights,
                                         int64_t slots, int64_t groups,
                                         int64_t nodes, int64_t ranks) {
  int64_t experts = weights.size(), groupSize = experts / groups;
  std::vector<float> groupWeights(groups);
  for (int64_t expert = 0; expert < experts; ++expert) {
    groupWeights[expert / groupSize] += weights[expert];
  }
  Packing packing = packEvenly(groupWeights, nodes);
  // Experts in the order of (node, rank of the group in the node, offset).
  std::vector<int64_t> order(experts);
  for (int64_t expert = 0; expert < experts; ++expert) {
    int64_t group = expert / groupSize;
    int64_t place =
        packing.pack[group] * (groups / nodes) + packing.rank[group];
    order[place * groupSize + expert % groupSize] = expert;
  }
  int64_t nodeExperts = experts / nodes, nodeSlots = slots / nodes;
  int64_t nodeRanks = ranks / nodes, rankSlots = slots / ranks;
  std::vector<int64_t> result(slots);
  for (int64_t node = 0; node < nodes; ++node) {
    llvm::ArrayRef<int64_t> local =
        llvm::ArrayRef(order).slice(node * nodeExperts, nodeExperts);
    std::vector<float> localWeights;
    for (int64_t expert : local) {
      localWeights.push_back(weights[expert]);
    }
    Replication replicas = replicate(localWeights, nodeSlots);
    std::vector<float> replicaWeights;
    for (int64_t expert : replicas.experts) {
      replicaWeights.push_back(localWeights[expert] / replicas.counts[expert]);
    }
    Packing packed = packEvenly(replicaWeights, nodeRanks);
    for (int64_t replica = 0; replica < nodeSlots; ++replica) {
      int64_t position =
          packed.pack[replica] * rankSlots + packed.rank[replica];
      result[node * nodeSlots + position] = local[replicas.experts[replica]];
    }
  }
  return result;
}

llvm::Expected<PlacementData>
moe::planning::placeEplb(const PlacementProblem &problem,
                         std::vector<std::string> &notes) {
  int64_t ranks = problem.ranks(), slots = problem.slots();
  if (!llvm::all_equal(problem.slotsByRank)) {
    return llvm::createStringError(
        llvm::formatv("eplb: expected as many slots on each rank, but got {0} "
                      "slots over {1} ranks unevenly",
                      slots, ranks)
            .str());
  }
  int64_t groups = problem.expertGroups, nodes = problem.nodes;
  if (groups % nodes != 0) {
    notes.push_back(
        llvm::formatv("eplb: {0} groups of experts do not divide over {1} "
                      "nodes, so the global policy is used instead of the "
                      "hierarchical one",
                      groups, nodes)
            .str());
    groups = nodes = 1;
  }
  std::vector<float> weights(problem.loads.begin(), problem.loads.end());
  std::vector<int64_t> placed =
      hierarchical(weights, slots, groups, nodes, ranks);
  PlacementData data;
  data.expertCount = problem.experts();
  for (int64_t rank = 0; rank < ranks; ++rank) {
    auto begin = placed.begin() + rank * problem.slotsByRank[rank];
    data.expertsByRank.emplace_back(begin, begin + problem.slotsByRank[rank]);
  }
  return data;
}
