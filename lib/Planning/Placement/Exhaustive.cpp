//===- Exhaustive.cpp - Every placement of a tiny problem -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The oracle. It shares nothing with the joint solver: it lists which experts
// each rank hosts and evaluates a support by all sets of experts,
//
//   least largest load = max over sets A of load(A) / ranks that host any of A
//
// A rank that has room for one more expert never loses by hosting it, so only
// full ranks are listed. Ranks of equal capacity are interchangeable: their
// sets are listed in descending order only.
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>
#include <numeric>

using namespace moe::planning;

namespace {
class PlacementEnumerator {
public:
  PlacementEnumerator(const PlacementProblem &problem, int64_t most);

  /// False when there were more placements than allowed.
  bool run();
  FractionalPlacement best() const;

private:
  using ExpertSet = uint32_t;

  bool place(size_t index);
  void evaluate();

  const PlacementProblem &problem;
  int64_t left;
  /// Ranks by descending capacity.
  std::vector<int64_t> order;
  std::vector<int64_t> capacities;
  /// Load of each set of experts.
  std::vector<double> loadOfSet;
  /// The sets of each size, ascending.
  std::vector<std::vector<ExpertSet>> setsOfSize;
  std::vector<ExpertSet> hosted;
  std::vector<ExpertSet> bestHosted;
  double bestLoad = std::numeric_limits<double>::infinity();
};
} // namespace

PlacementEnumerator::PlacementEnumerator(const PlacementProblem &problem,
                                         int64_t most)
    : problem(problem), left(most), order(problem.ranks()),
      loadOfSet(size_t(1) << problem.experts()),
      setsOfSize(problem.experts() + 1), hosted(problem.ranks()) {
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::make_pair(-problem.slotsByRank[a], a) <
           std::make_pair(-problem.slotsByRank[b], b);
  });
  for (int64_t rank : order) {
    capacities.push_back(
        std::min(problem.slotsByRank[rank], problem.experts()));
  }
  for (size_t set = 0; set < loadOfSet.size(); ++set) {
    setsOfSize[llvm::popcount(set)].push_back(set);
  }
  for (size_t set = 1; set < loadOfSet.size(); ++set) {
    loadOfSet[set] =
        loadOfSet[set & (set - 1)] + problem.loads[llvm::countr_zero(set)];
  }
}

void PlacementEnumerator::evaluate() {
  double most = 0;
  for (size_t set = 1; set < loadOfSet.size() && most < bestLoad; ++set) {
    int64_t hosts = llvm::count_if(
        hosted, [&](ExpertSet experts) { return (experts & set) != 0; });
    most = std::max(most, hosts == 0 ? std::numeric_limits<double>::infinity()
                                     : loadOfSet[set] / hosts);
  }
  if (most < bestLoad) {
    bestLoad = most;
    bestHosted = hosted;
  }
}

bool PlacementEnumerator::place(size_t index) {
  if (index == order.size()) {
    if (--left < 0) {
      return false;
    }
    evaluate();
    return true;
  }
  bool isTwin = index > 0 && capacities[index] == capacities[index - 1];
  for (ExpertSet set : setsOfSize[capacities[index]]) {
    if (isTwin && set > hosted[index - 1]) {
      break;
    }
    hosted[index] = set;
    if (!place(index + 1)) {
      return false;
    }
  }
  return true;
}

bool PlacementEnumerator::run() { return place(0); }

FractionalPlacement PlacementEnumerator::best() const {
  std::vector<std::vector<int64_t>> ranksByExpert(problem.experts());
  for (auto [index, rank] : llvm::enumerate(order)) {
    for (int64_t expert = 0; expert < problem.experts(); ++expert) {
      if (bestHosted[index] >> expert & 1) {
        ranksByExpert[expert].push_back(rank);
      }
    }
  }
  return balanceShares(problem, ranksByExpert);
}

llvm::Expected<FractionalPlacement>
moe::planning::placeExhaustively(const PlacementProblem &problem,
                                 int64_t mostPlacements) {
  constexpr int64_t mostExperts = 16;
  if (problem.experts() <= mostExperts) {
    PlacementEnumerator enumerator(problem, mostPlacements);
    if (enumerator.run()) {
      return enumerator.best();
    }
  }
  return llvm::createStringError(
      llvm::formatv("exhaustive: expected at most {0} experts and {1} "
                    "placements, but got {2} experts in {3} slots on {4} ranks",
                    mostExperts, mostPlacements, problem.experts(),
                    problem.slots(), problem.ranks())
          .str());
}
