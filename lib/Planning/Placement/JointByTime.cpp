//===- JointByTime.cpp - The best of all placements, made better ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts from what every other policy gives and from a placement that is built
// up expert by expert. Descends from each by prices (PriceDescent.h), which see
// a smooth time, kicks the best of them, and ends with small changes that are
// judged by the time itself (LocalSearch.h). The result is never worse than any
// other policy's. Work is bounded by counts of steps and not by a clock: every
// machine finds the same placement.
//
//===----------------------------------------------------------------------===//

#include "LocalSearch.h"
#include "Policies.h"
#include "PriceDescent.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>
#include <numeric>
#include <tuple>

using namespace moe::planning;

/// Steps of the descents by prices from all starts together, and of the kicks
/// after them; 10^8 are about 0.3 s.
static constexpr int64_t mostPriceSteps = 100'000'000;
static constexpr int64_t mostPriceKickSteps = 80'000'000;
/// Kicks in a row that may find nothing better, and their steps against those
/// of the descents before them.
static constexpr int64_t mostPriceKicks = 50;
static constexpr int64_t mostKickDescents = 16;
/// Norms of p = 16 see further, those of p = 64 are nearly maxima.
static constexpr int coarseNorm = 4;
static constexpr int fineNorm = 6;
/// On more ranks only the best starts are descended from.
static constexpr int64_t fewRanks = 64;
static constexpr size_t fewStarts = 2;
/// Steps of the exact descent after that, of its kicks, and of the thorough one
/// at the end; a step is an addition to a link or a look at one.
static constexpr int64_t mostSteps = 5'000'000;
static constexpr int64_t mostKickSteps = 2'000'000;
static constexpr int64_t mostKicks = 12;
static constexpr int64_t mostThoroughSteps = 2'000'000;
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
  void addExhaustive();
  llvm::Error addStart(const NamedPlacement &start);
  SearchState buildUp() const;
  void addCandidate(std::string name, llvm::ArrayRef<Service> services);
  void descendByPrices();
  llvm::Error descend();
  double leastTimeOf(const PlacementData &data) const;
  llvm::Expected<NamedPlacement> chooseStart();

  const PlacementProblem &problem;
  std::vector<NamedPlacement> starts;
  const LowerBound &bound;
  std::optional<SearchModel> model;
  std::vector<Candidate> candidates;
  NamedPlacement best;
  double leastTime = std::numeric_limits<double>::infinity();
  /// What the model's values leave out.
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
    best.figures = std::move(*figures);
  }
  return llvm::Error::success();
}

/// On tiny problems the oracle's placement is a start too.
void JointTimeSearch::addExhaustive() {
  llvm::Expected<PlacementData> exact =
      placeExhaustivelyByTime(problem, fewPlacements);
  if (exact) {
    starts.push_back({"exhaustive", std::move(*exact)});
  } else {
    llvm::consumeError(exact.takeError());
  }
}

llvm::Error JointTimeSearch::addStart(const NamedPlacement &start) {
  llvm::Expected<Placement> placement =
      executablePlacement(problem, start.data);
  if (!placement) {
    return placement.takeError();
  }
  addCandidate(start.name, SearchState::of(*model, *placement).allServices());
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

/// Descends from the starts by prices, and goes on from the best.
void JointTimeSearch::descendByPrices() {
  std::vector<size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(candidates[a].score.value, a) <
           std::make_pair(candidates[b].score.value, b);
  });
  order.resize(std::min<size_t>(
      order.size(), problem.ranks() > fewRanks ? fewStarts : order.size()));
  SmoothModel smooth(*model);
  std::optional<SmoothState> least;
  int64_t left = mostPriceSteps;
  for (size_t place = 0; place < order.size(); ++place) {
    Candidate &candidate = candidates[order[place]];
    SmoothState state(smooth, candidate.state.allServices().vec(), coarseNorm);
    // The best start may use half of what is left, so that others have a turn.
    int64_t share = place + 1 < order.size() ? left / 2 : left;
    moe::planning::descendByPrices(state, share / 2);
    state.setNorm(fineNorm);
    moe::planning::descendByPrices(state, share);
    left -= state.work();
    addCandidate("prices from " + candidate.name, state.allServices());
    if (!least || state.value() < least->value()) {
      least = std::move(state);
    }
  }
  // Where descents are short, so are those after kicks.
  int64_t steps =
      std::min(mostPriceKickSteps, mostKickDescents * (mostPriceSteps - left));
  kickByPrices(*least, mostPriceKicks, least->work() + steps);
  addCandidate("prices and kicks", least->allServices());
}

void JointTimeSearch::addCandidate(std::string name,
                                   llvm::ArrayRef<Service> services) {
  SearchState state(*model, services.vec());
  SearchScore score = state.score();
  candidates.push_back({std::move(name), std::move(state), score});
}

llvm::Error JointTimeSearch::descend() {
  descendByPrices();
  double goal = bound.value * (1 + 1e-9) - offset;
  Candidate *least = &candidates.front();
  for (Candidate &candidate : candidates) {
    if (candidate.score.isBelow(least->score)) {
      least = &candidate;
    }
  }
  SearchState &state = least->state;
  improvePlacement(state, goal, state.work() + mostSteps);
  improveByKicks(state, goal, mostKicks, state.work() + mostKickSteps);
  improveThoroughly(state, goal, state.work() + mostThoroughSteps);
  return offer({"local search from " + least->name, state.data()});
}

/// What a placement takes at least, by what its heaviest rank has to do.
double JointTimeSearch::leastTimeOf(const PlacementData &data) const {
  const Deployment &deployment = *problem.deployment;
  CostModel costs(*deployment.topology, deployment.constants);
  ServedLoads served = servedLoads(problem, data);
  double rows = served.maxOverMean() / double(problem.ranks()) *
                double(deployment.tokens()) * double(deployment.choices);
  Bytes permuted(
      2 * rows *
      double(deployment.dispatchRowBytes + deployment.combineRowBytes));
  return (costs.computeTime(deployment.work.flopsPerRow * rows,
                            deployment.work.bytesPerRow * rows) +
          costs.computeTime(Flops(), permuted))
      .value();
}

/// Where links are too many to search, the best of the starts. Figures of
/// thousands of ranks take long: the most level start is first, and those that
/// compute longer than it takes in all need none.
llvm::Expected<NamedPlacement> JointTimeSearch::chooseStart() {
  struct Floor {
    double time = 0;
    size_t start = 0;
  };
  std::vector<Floor> floors;
  for (auto [index, start] : llvm::enumerate(starts)) {
    floors.push_back({leastTimeOf(start.data), index});
  }
  llvm::sort(floors, [](const Floor &a, const Floor &b) {
    return std::tie(a.time, a.start) < std::tie(b.time, b.start);
  });
  for (const Floor &floor : floors) {
    if (floor.time >= leastTime) {
      break;
    }
    if (llvm::Error error = offer(starts[floor.start])) {
      return std::move(error);
    }
  }
  return std::move(best);
}

llvm::Expected<NamedPlacement> JointTimeSearch::run() {
  addExhaustive();
  if (!SearchModel::canSearch(problem, Objective::Time)) {
    return chooseStart();
  }
  model.emplace(problem, Objective::Time);
  size_t least = 0;
  for (const NamedPlacement &start : starts) {
    if (llvm::Error error = addStart(start)) {
      return std::move(error);
    }
    if (candidates.back().score.value < candidates[least].score.value) {
      least = candidates.size() - 1;
    }
  }
  if (llvm::Error error = offer(starts[least])) {
    return std::move(error);
  }
  offset = leastTime - candidates[least].score.value;
  if (leastTime > bound.value * (1 + 1e-9)) {
    if (problem.ranks() <= fewRanks) {
      addCandidate("heaviest first", buildUp().allServices());
    }
    if (llvm::Error error = descend()) {
      return std::move(error);
    }
  }
  return std::move(best);
}

llvm::Expected<NamedPlacement>
moe::planning::placeJointlyByTime(const PlacementProblem &problem,
                                  std::vector<NamedPlacement> starts,
                                  const LowerBound &bound) {
  return JointTimeSearch(problem, std::move(starts), bound).run();
}
