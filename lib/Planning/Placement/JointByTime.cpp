//===- JointByTime.cpp - The best of all placements, made better ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts from what every other policy gives and from a placement that is built
// up expert by expert, and descends from each by small changes (LocalSearch.h).
// The result is the best of them all as figuresOf measures, so never worse than
// any other policy. Work is bounded by a count of steps and not by a clock:
// every machine finds the same placement.
//
//===----------------------------------------------------------------------===//

#include "LocalSearch.h"
#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>

using namespace moe::planning;

/// Steps of the search, all starts together; 10^8 are about 0.2 s.
static constexpr int64_t mostSteps = 100'000'000;
/// Where the oracle is asked too.
static constexpr int64_t fewPlacements = 500;

namespace {
class JointTimeSearch {
public:
  JointTimeSearch(const PlacementProblem &problem,
                  std::vector<NamedPlacement> starts, const LowerBound &bound)
      : problem(problem), starts(std::move(starts)), bound(bound) {}
  llvm::Expected<NamedPlacement> run();

private:
  /// A start as the search sees it.
  struct Candidate {
    std::string name;
    SearchState state;
    SearchScore score;
  };

  llvm::Error offer(NamedPlacement placement);
  llvm::Error offerExhaustive();
  llvm::Error addStart(const NamedPlacement &start);
  SearchState buildUp() const;
  llvm::Error descend();

  const PlacementProblem &problem;
  std::vector<NamedPlacement> starts;
  const LowerBound &bound;
  std::optional<SearchModel> model;
  std::vector<Candidate> candidates;
  NamedPlacement best;
  double leastTime = std::numeric_limits<double>::infinity();
  /// What the model's values leave out, of the first start.
  double offset = 0;
};
} // namespace

/// Keeps the placement if it is the best so far.
llvm::Error JointTimeSearch::offer(NamedPlacement placement) {
  llvm::Expected<PlacementFigures> figures = figuresOf(problem, placement.data);
  if (!figures) {
    return figures.takeError();
  }
  double time = figures->valueOf(Objective::Time);
  if (time < leastTime * (1 - 1e-12)) {
    leastTime = time;
    best = std::move(placement);
  }
  return llvm::Error::success();
}

llvm::Error JointTimeSearch::offerExhaustive() {
  llvm::Expected<PlacementData> exact =
      placeExhaustivelyByTime(problem, fewPlacements);
  if (!exact) {
    llvm::consumeError(exact.takeError());
    return llvm::Error::success();
  }
  return offer({"exhaustive", std::move(*exact)});
}

llvm::Error JointTimeSearch::addStart(const NamedPlacement &start) {
  llvm::Expected<Placement> placement =
      executablePlacement(problem, start.data);
  if (!placement) {
    return placement.takeError();
  }
  SearchState state = SearchState::of(*model, *placement);
  SearchScore score = state.score();
  candidates.push_back({start.name, std::move(state), score});
  return llvm::Error::success();
}

/// The heaviest expert first, each to the rank where it costs least.
SearchState JointTimeSearch::buildUp() const {
  SearchState state(*model, std::vector<Service>(problem.experts()));
  std::vector<int64_t> order;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    order.push_back(expert);
  }
  llvm::stable_sort(order, [&](int64_t a, int64_t b) {
    return problem.loads[a] > problem.loads[b];
  });
  for (int64_t expert : order) {
    std::optional<SearchScore> least;
    int32_t chosen = 0;
    for (int32_t rank = 0; rank < problem.ranks(); ++rank) {
      if (state.freeSlots(rank) == 0) {
        continue;
      }
      state.replace(expert, Service{{rank}, {}});
      SearchScore score = state.score();
      if (!least || score.isBelow(*least)) {
        least = score;
        chosen = rank;
      }
      state.replace(expert, Service());
    }
    state.replace(expert, Service{{chosen}, {}});
  }
  return state;
}

llvm::Error JointTimeSearch::descend() {
  llvm::stable_sort(candidates, [](const Candidate &a, const Candidate &b) {
    return a.score.value < b.score.value;
  });
  int64_t left = mostSteps;
  for (size_t index = 0; index < candidates.size() && left > 0; ++index) {
    SearchState &state = candidates[index].state;
    int64_t before = state.work();
    // The best start may use half of what is left, so that others have a turn.
    int64_t share = index + 1 < candidates.size() ? left / 2 : left;
    improvePlacement(state, bound.value * (1 + 1e-9) - offset, before + share);
    left -= state.work() - before;
    if (llvm::Error error = offer(
            {"local search from " + candidates[index].name, state.data()})) {
      return error;
    }
    if (leastTime <= bound.value * (1 + 1e-9)) {
      break;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<NamedPlacement> JointTimeSearch::run() {
  for (const NamedPlacement &start : starts) {
    if (llvm::Error error = offer(start)) {
      return std::move(error);
    }
  }
  if (llvm::Error error = offerExhaustive()) {
    return std::move(error);
  }
  if (leastTime <= bound.value * (1 + 1e-9) ||
      !SearchModel::canSearch(problem, Objective::Time)) {
    return std::move(best);
  }
  model.emplace(problem, Objective::Time);
  for (const NamedPlacement &start : starts) {
    if (llvm::Error error = addStart(start)) {
      return std::move(error);
    }
  }
  llvm::Expected<PlacementFigures> figures = figuresOf(problem, starts[0].data);
  if (!figures) {
    return figures.takeError();
  }
  offset = figures->valueOf(Objective::Time) - candidates[0].score.value;
  SearchState built = buildUp();
  SearchScore score = built.score();
  candidates.push_back({"heaviest first", std::move(built), score});
  if (llvm::Error error = descend()) {
    return std::move(error);
  }
  return std::move(best);
}

llvm::Expected<NamedPlacement>
moe::planning::placeJointlyByTime(const PlacementProblem &problem,
                                  std::vector<NamedPlacement> starts,
                                  const LowerBound &bound) {
  return JointTimeSearch(problem, std::move(starts), bound).run();
}
