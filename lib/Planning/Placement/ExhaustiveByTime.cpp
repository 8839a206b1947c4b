//===- ExhaustiveByTime.cpp - Every placement of a tiny problem, by time --===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lists which experts each rank hosts, empty slots included: with links a
// replica may cost more than it saves. Ranks are not interchangeable. Shares of
// replicas are those that a descent finds (LocalSearch.h); a set of hosts is
// left out only when the experts without replicas alone already take as long as
// the best placement does.
//
//===----------------------------------------------------------------------===//

#include "LocalSearch.h"
#include "Policies.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>

using namespace moe::planning;

namespace {
class TimeEnumerator {
public:
  TimeEnumerator(const PlacementProblem &problem, int64_t most)
      : problem(problem), model(problem, Objective::Time), left(most),
        hosted(problem.ranks()) {}

  /// False when there were more placements than allowed.
  bool run() { return place(0); }
  PlacementData best() const { return SearchState(model, bestServices).data(); }

private:
  using ExpertSet = uint32_t;

  bool place(int64_t rank);
  void evaluate();
  bool isHopeless(std::vector<Service> services) const;

  const PlacementProblem &problem;
  SearchModel model;
  int64_t left;
  std::vector<ExpertSet> hosted;
  std::vector<Service> bestServices;
  double bestValue = std::numeric_limits<double>::infinity();
};
} // namespace

bool TimeEnumerator::isHopeless(std::vector<Service> services) const {
  for (Service &service : services) {
    if (service.isReplicated()) {
      service = Service();
    }
  }
  return SearchState(model, std::move(services)).score().value >= bestValue;
}

void TimeEnumerator::evaluate() {
  std::vector<Service> services(problem.experts());
  bool isReplicated = false;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    std::vector<int32_t> ranks;
    for (int32_t rank = 0; rank < problem.ranks(); ++rank) {
      if (hosted[rank] >> expert & 1) {
        ranks.push_back(rank);
      }
    }
    if (ranks.empty()) {
      return;
    }
    isReplicated |= ranks.size() > 1;
    services[expert] = model.nearest(std::move(ranks));
  }
  if (isReplicated && isHopeless(services)) {
    return;
  }
  SearchState state(model, std::move(services));
  if (isReplicated) {
    improveShares(state, std::numeric_limits<int64_t>::max());
  }
  double value = state.score().value;
  if (value < bestValue * (1 - 1e-12)) {
    bestValue = value;
    bestServices.clear();
    for (int64_t expert = 0; expert < problem.experts(); ++expert) {
      bestServices.push_back(state.serviceOf(expert));
    }
  }
}

bool TimeEnumerator::place(int64_t rank) {
  if (rank == problem.ranks()) {
    if (--left < 0) {
      return false;
    }
    evaluate();
    return true;
  }
  for (ExpertSet set = 0; set < ExpertSet(1) << problem.experts(); ++set) {
    if (llvm::popcount(set) <= problem.slotsByRank[rank]) {
      hosted[rank] = set;
      if (!place(rank + 1)) {
        return false;
      }
    }
  }
  return true;
}

llvm::Expected<PlacementData>
moe::planning::placeExhaustivelyByTime(const PlacementProblem &problem,
                                       int64_t mostPlacements) {
  // How many there are, before tables are made for them.
  constexpr int64_t mostExperts = 16;
  double placements = 1;
  if (problem.experts() <= mostExperts) {
    for (int64_t slots : problem.slotsByRank) {
      double sets = 0, chosen = 1;
      for (int64_t size = 0; size <= std::min(slots, problem.experts());
           ++size) {
        sets += chosen;
        chosen = chosen * (problem.experts() - size) / (size + 1);
      }
      placements *= sets;
    }
    if (placements <= mostPlacements) {
      TimeEnumerator enumerator(problem, mostPlacements);
      if (enumerator.run()) {
        return enumerator.best();
      }
    }
  }
  return llvm::createStringError(
      llvm::formatv("exhaustive: expected at most {0} experts and {1} "
                    "placements, but got {2} experts in {3} slots on {4} ranks",
                    mostExperts, mostPlacements, problem.experts(),
                    problem.slots(), problem.ranks())
          .str());
}
