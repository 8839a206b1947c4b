//===- RebalanceByTime.cpp - Placements between two others ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two walks. Forward: from the previous placement, descents that may move 0
// experts, then 1, 2, 3, 4, 6, 8, 12, …
// Backward: from the joint solver's placement, the change that costs least for
// each move that it saves, again and again, with a descent after each that
// moves no more.
//
//===----------------------------------------------------------------------===//

#include "RebalanceByTime.h"
#include "LocalSearch.h"
#include "PriceDescent.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace moe::planning;

/// Steps of one descent, and of all that a walk does.
static constexpr int64_t mostDescentSteps = 10'000'000;
static constexpr int64_t mostWalkSteps = 150'000'000;
/// Steps of the exact descent over shares at each waypoint.
static constexpr int64_t mostShareSteps = 500'000;
/// The norm is close to maxima: p = 64.
static constexpr int squarings = 6;

namespace {
class TimeWalker {
public:
  TimeWalker(const PlacementProblem &problem, const Placement &previous)
      : facts(problem, Objective::Time), smooth(facts),
        before(SearchState::of(facts, previous).allServices().vec()),
        count(before, problem.ranks()) {}

  void goForward();
  void goBackFrom(const Placement &goal);
  std::vector<Waypoint> take() { return std::move(waypoints); }

private:
  void note(const SmoothState &state);
  bool undo(SmoothState &state) const;

  SearchModel facts;
  SmoothModel smooth;
  std::vector<Service> before;
  MoveCount count;
  std::vector<Waypoint> waypoints;
};
} // namespace

void TimeWalker::note(const SmoothState &state) {
  SearchState exact(facts, state.allServices().vec());
  improveShares(exact, exact.work() + mostShareSteps);
  waypoints.push_back(
      {count.of(exact.allServices()), exact.score().value, exact.data()});
}

/// The better of a descent from where the last one ended and one from the
/// start, which has made no choice for want of moves.
void TimeWalker::goForward() {
  SmoothState start(smooth, before, squarings), state = start;
  int64_t most = 0, work = 0;
  while (work < mostWalkSteps) {
    MoveLimit limit{&count, most};
    SmoothState fresh = start;
    double last = state.value();
    for (SmoothState *each : {&state, &fresh}) {
      int64_t before = each->work();
      descendByPrices(*each, before + mostDescentSteps, limit);
      work += each->work() - before;
    }
    if (fresh.value() < state.value()) {
      state = std::move(fresh);
    }
    note(state);
    bool hasLeft = count.of(state.allServices()) < most;
    if (hasLeft && !(state.value() < last)) {
      return;
    }
    // 0, 1, 2, 3, 4, 6, 8, 12, 16, …: twice as many in two steps.
    most += most < 4 ? 1 : (most & (most - 1)) == 0 ? most / 2 : most / 3;
  }
}

/// Takes the change that costs least for each move that it saves. False where
/// there is none.
bool TimeWalker::undo(SmoothState &state) const {
  constexpr size_t mostTried = 24;
  PriceBoard board(state);
  state.countWork(board.work());
  std::optional<llvm::SmallVector<Assignment, 2>> best;
  double least = std::numeric_limits<double>::infinity();
  for (const Relocation &relocation : board.best(
           mostTried, -std::numeric_limits<double>::infinity(),
           [&](const Relocation &change) { return count.by(change) < 0; })) {
    llvm::SmallVector<Assignment, 2> changes = assignmentsOf(state, relocation);
    double cost = (state.valueWith(changes) - state.value()) /
                  -double(count.by(relocation));
    if (cost < least) {
      least = cost;
      best = std::move(changes);
    }
  }
  if (!best) {
    return false;
  }
  state.apply(*best);
  return true;
}

void TimeWalker::goBackFrom(const Placement &goal) {
  SmoothState state(smooth, SearchState::of(facts, goal).allServices().vec(),
                    squarings);
  note(state);
  while (state.work() < mostWalkSteps && undo(state)) {
    int64_t moves = count.of(state.allServices());
    descendByPrices(state, state.work() + mostDescentSteps,
                    MoveLimit{&count, moves});
    note(state);
  }
}

std::vector<Waypoint>
moe::planning::waypointsByTime(const PlacementProblem &problem,
                               const Placement &previous,
                               const Placement &goal) {
  TimeWalker walker(problem, previous);
  walker.goForward();
  walker.goBackFrom(goal);
  return walker.take();
}
