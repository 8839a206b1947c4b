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
#include <numeric>

using namespace moe::planning;

/// Steps of the descents from all starts together, and of the kicks after them;
/// 10^8 are about 0.2 s.
static constexpr int64_t mostSteps = 30'000'000;
static constexpr int64_t mostKickSteps = 15'000'000;
/// Kicks in a row that may find nothing better.
static constexpr int64_t mostKicks = 12;
/// Steps of the thorough descent at the end.
static constexpr int64_t mostThoroughSteps = 5'000'000;
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
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::make_pair(-problem.loads[a], a) <
           std::make_pair(-problem.loads[b], b);
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
  std::vector<size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(candidates[a].score.value, a) <
           std::make_pair(candidates[b].score.value, b);
  });
  double goal = bound.value * (1 + 1e-9);
  Candidate *best = &candidates[order.front()];
  int64_t left = mostSteps;
  for (size_t place = 0; place < order.size() && left > 0; ++place) {
    Candidate &candidate = candidates[order[place]];
    int64_t before = candidate.state.work();
    // The best start may use half of what is left, so that others have a turn.
    int64_t share = place + 1 < order.size() ? left / 2 : left;
    improvePlacement(candidate.state, goal - offset, before + share);
    left -= candidate.state.work() - before;
    candidate.score = candidate.state.score();
    if (llvm::Error error = offer(
            {"local search from " + candidate.name, candidate.state.data()})) {
      return error;
    }
    if (leastTime <= goal) {
      return llvm::Error::success();
    }
    if (candidate.score.isBelow(best->score)) {
      best = &candidate;
    }
  }
  improveByKicks(best->state, goal - offset, mostKicks,
                 best->state.work() + mostKickSteps);
  improveThoroughly(best->state, goal - offset,
                    best->state.work() + mostThoroughSteps);
  return offer(
      {"local search with kicks from " + best->name, best->state.data()});
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
