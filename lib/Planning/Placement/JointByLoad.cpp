//===- JointByLoad.cpp - Replicas, places and shares together -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace moe::planning;

namespace {
/// Looks for the best partition: several starts, each improved.
class JointSearch {
public:
  JointSearch(const PlacementProblem &problem, const LowerBound &bound,
              const PlacementData *eplb)
      : problem(problem), groups(problem), bound(bound.value), eplb(eplb) {}
  FractionalPlacement run();

private:
  bool isMet() const { return bestLoad <= bound * (1 + 1e-9); }
  /// Where more than a few per mille are left, longer searches are worth it.
  bool isNear() const { return bestLoad <= bound * 1.002; }
  void consider(Partition partition, int64_t asides = 0);
  void goOn();
  void considerPlaces(FractionalPlacement placement);
  std::vector<double> partners() const;
  std::optional<Partition> pack(double limit) const;
  void tryOneGroup();
  void tryBound();
  void tryTrees();
  void tryPacking();
  void tryEplb();
  bool isWorthSpreading() const;
  FractionalPlacement assignRanks(const std::vector<Bundle> &bundles,
                                  llvm::ArrayRef<int64_t> capacities) const;

  const PlacementProblem &problem;
  GroupProblem groups;
  double bound;
  /// Null where EPLB cannot place.
  const PlacementData *eplb;
  double bestLoad = std::numeric_limits<double>::infinity();
  FractionalPlacement best;
  /// What it rests on; empty where it comes from elsewhere.
  Partition bestPartition;
};
} // namespace

/// The ranks in the order in which bundles get them, for each number of slots:
/// the first of each node, then the second of each. Neighbouring bundles share
/// experts, which then have replicas on different nodes.
static std::vector<int64_t> ranksInOrder(const PlacementProblem &problem) {
  std::vector<int64_t> order;
  int64_t nodeRanks = problem.ranks() / problem.nodes;
  for (int64_t local = 0; local < nodeRanks; ++local) {
    for (int64_t node = 0; node < problem.nodes; ++node) {
      order.push_back(node * nodeRanks + local);
    }
  }
  return order;
}

/// The best shares for where a placement has its experts.
static FractionalPlacement withBestShares(const PlacementProblem &problem,
                                          const PlacementData &data) {
  std::vector<std::vector<int64_t>> ranksByExpert(problem.experts());
  for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
    for (int64_t expert : experts) {
      if (expert >= 0) {
        ranksByExpert[expert].push_back(rank);
      }
    }
  }
  return balanceShares(problem, ranksByExpert);
}

FractionalPlacement
JointSearch::assignRanks(const std::vector<Bundle> &bundles,
                         llvm::ArrayRef<int64_t> capacities) const {
  std::vector<int64_t> order = ranksInOrder(problem);
  std::map<int64_t, std::vector<int64_t>> ranksBySlots;
  for (int64_t rank : llvm::reverse(order)) {
    int64_t slots = std::min(problem.slotsByRank[rank], problem.experts());
    ranksBySlots[slots].push_back(rank);
  }
  FractionalPlacement result;
  result.piecesByRank.resize(problem.ranks());
  for (auto [bundle, slots] : llvm::zip_equal(bundles, capacities)) {
    std::vector<int64_t> &ranks = ranksBySlots[slots];
    result.piecesByRank[ranks.back()] = bundle;
    ranks.pop_back();
  }
  return result;
}

void JointSearch::consider(Partition partition, int64_t asides) {
  improveGroups(groups, bound, partition, asides);
  if (!(maxLoad(partition) < bestLoad * (1 - 1e-12))) {
    return;
  }
  std::vector<Bundle> bundles;
  std::vector<int64_t> capacities;
  for (const ExpertGroup &group : partition) {
    std::vector<Bundle> shared = shareOut(groups, group);
    if (shared.empty()) {
      return;
    }
    llvm::append_range(bundles, shared);
    llvm::append_range(capacities, group.capacities);
  }
  bestLoad = maxLoad(partition);
  best = assignRanks(bundles, capacities);
  bestPartition = std::move(partition);
}

/// A longer search from the best partition.
void JointSearch::goOn() {
  if (!bestPartition.empty()) {
    consider(bestPartition, 4 * groups.items());
  }
}

void JointSearch::considerPlaces(FractionalPlacement placement) {
  double load = placement.maxLoad(problem);
  if (!placement.piecesByRank.empty() && load < bestLoad * (1 - 1e-12)) {
    bestLoad = load;
    best = std::move(placement);
    bestPartition.clear();
  }
}

/// With so many spare slots that all ranks can share, every rank gets the mean.
void JointSearch::tryOneGroup() {
  ExpertGroup all;
  all.capacities.assign(groups.capacities.begin(), groups.capacities.end());
  if (all.room() < groups.items()) {
    return;
  }
  for (int64_t item = 0; item < groups.items(); ++item) {
    all.items.push_back(item);
  }
  all.weight = groups.total;
  consider({std::move(all)});
}

/// What fills up the ranks of heavy experts: the lightest one, or what the
/// lightest weigh on average, as many as there are spare slots and more.
std::vector<double> JointSearch::partners() const {
  double mean = groups.total / groups.ranks();
  int64_t heavy = llvm::count_if(groups.weights,
                                 [&](double weight) { return weight > mean; });
  int64_t count =
      std::clamp<int64_t>(groups.spareSlots + heavy, 1, groups.items());
  double sum =
      std::accumulate(groups.weights.end() - count, groups.weights.end(), 0.0);
  return {groups.weights.back(), sum / count};
}

std::optional<Partition> JointSearch::pack(double limit) const {
  for (double partner : partners()) {
    if (std::optional<Partition> packed = packGroups(groups, limit, partner)) {
      return packed;
    }
  }
  return std::nullopt;
}

/// Where best fit meets the bound nothing else need be tried.
void JointSearch::tryBound() {
  if (std::optional<Partition> packed = pack(bound * (1 + 1e-9))) {
    consider(std::move(*packed));
  }
}

/// Finds the least limit that best fit can keep.
void JointSearch::tryPacking() {
  double low = bound, high = std::isfinite(bestLoad) ? bestLoad : groups.total;
  std::optional<Partition> packed;
  for (int step = 0; step < 6 && high - low > 1e-3 * low; ++step) {
    double middle = (low + high) / 2;
    if (std::optional<Partition> found = pack(middle)) {
      high = std::min(middle, maxLoad(*found));
      packed = std::move(found);
    } else {
      low = middle;
    }
  }
  if (packed) {
    consider(std::move(*packed));
  }
}

/// Even groups, filled to levels from the bound upward.
void JointSearch::tryTrees() {
  for (double factor : {1.0, 1.004, 1.016, 1.064}) {
    if (isMet() || bestLoad <= bound * factor * (1 - 1e-9)) {
      return;
    }
    if (std::optional<Partition> filled = fillTrees(groups, bound * factor)) {
      consider(std::move(*filled));
    }
  }
}

/// EPLB's placement, improved.
void JointSearch::tryEplb() {
  if (eplb) {
    consider(groupsOf(groups, *eplb));
  }
}

/// Even spreading is for ranks of many slots; best fit is better for few.
bool JointSearch::isWorthSpreading() const {
  constexpr int64_t fewSlots = 3;
  return !std::isfinite(bestLoad) ||
         groups.items() + groups.spareSlots > fewSlots * groups.ranks() ||
         groups.spareSlots == 0;
}

FractionalPlacement JointSearch::run() {
  tryOneGroup();
  if (!isMet()) {
    tryBound();
  }
  tryTrees();
  if (!isNear()) {
    tryEplb();
  }
  if (!isNear()) {
    tryPacking();
  }
  if (!isNear() && isWorthSpreading()) {
    consider(spreadItems(groups));
  }
  if (!isNear()) {
    goOn();
  }
  if (!isMet()) {
    if (std::optional<Partition> exact = partitionExactly(groups)) {
      consider(std::move(*exact));
    }
  }
  bool isUneven = groups.capacities.front() != groups.capacities.back();
  if (isUneven && bestLoad > bound * 1.01) {
    considerPlaces(splitGreedily(groups, bound));
  }
  if (best.piecesByRank.empty()) {
    considerPlaces(withBestShares(problem, placeContiguous(problem)));
  }
  return std::move(best);
}

FractionalPlacement
moe::planning::placeJointlyByLoad(const PlacementProblem &problem,
                                  const LowerBound &bound,
                                  const PlacementData *eplb) {
  return JointSearch(problem, bound, eplb).run();
}
