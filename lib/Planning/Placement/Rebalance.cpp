//===- Rebalance.cpp - A better placement within a budget -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks lead from the previous placement downhill, and by time also from the
// joint solver's placement back (RebalanceByTime.h). By load each step is the
// change that gains most for each expert that has to move. The budget does not
// change the way, only which placements on it may be taken; beside the walks
// stands the joint solver's placement, by load with its ranks renamed to what
// they hold already. So more budget is never worse, and enough of it is as good
// as joint.
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Rebalance.h"
#include "LocalSearch.h"
#include "Policies.h"
#include "RebalanceByTime.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>
#include <tuple>

using namespace moe::planning;

/// Steps of the walk's states.
static constexpr int64_t mostSteps = 100'000'000;

namespace {
class Rebalancer {
public:
  Rebalancer(const PlacementProblem &problem, const Placement &previous,
             int64_t mostMoves, Objective objective)
      : problem(problem), objective(objective), previous(previous),
        before(previous.data()), mostMoves(mostMoves) {}
  llvm::Expected<PlacementData> run();

private:
  bool wasOn(int64_t expert, int64_t rank) const {
    return llvm::is_contained(before.expertsByRank[rank], expert);
  }
  int64_t movesTo(const PlacementData &data) const;
  int64_t movesOf(const Change &change, const SearchState &state) const;
  llvm::Error consider(const PlacementData &data);
  llvm::Error considerJoint();
  llvm::Error considerWaypoints(const PlacementData &joint);
  bool step(SearchState &state, SearchScore &current) const;
  llvm::Error walk();
  PlacementData dataOf(const SearchState &state) const;
  PlacementData withOwnRanks(PlacementData data) const;
  PlacementData keepSlots(const PlacementData &next) const;

  const PlacementProblem &problem;
  Objective objective;
  const Placement &previous;
  PlacementData before;
  int64_t mostMoves;
  PlacementData best;
  double leastValue = std::numeric_limits<double>::infinity();
  int64_t fewestMoves = 0;
};
} // namespace

/// Experts on ranks that did not have them.
int64_t Rebalancer::movesTo(const PlacementData &data) const {
  int64_t moves = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (int64_t expert : data.expertsByRank[rank]) {
      moves += expert >= 0 && !wasOn(expert, rank);
    }
  }
  return moves;
}

/// By how much a change makes them more.
int64_t Rebalancer::movesOf(const Change &change,
                            const SearchState &state) const {
  int64_t moves = 0;
  for (const Change::Edit &edit : change.edits) {
    for (int32_t rank : edit.ranks) {
      moves += !wasOn(edit.expert, rank);
    }
    for (int32_t rank : state.serviceOf(edit.expert).ranks) {
      moves -= !wasOn(edit.expert, rank);
    }
  }
  return moves;
}

/// The experts of each rank in the slots that they had before, newcomers in
/// those that are free; tables follow.
PlacementData Rebalancer::keepSlots(const PlacementData &next) const {
  PlacementData result = next;
  std::vector<int64_t> newSlot;
  int64_t first = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    const std::vector<int64_t> &wanted = next.expertsByRank[rank];
    std::vector<int64_t> slots(problem.slotsByRank[rank], -1);
    for (auto [slot, expert] : llvm::enumerate(before.expertsByRank[rank])) {
      if (expert >= 0 && llvm::is_contained(wanted, expert)) {
        slots[slot] = expert;
      }
    }
    for (int64_t expert : wanted) {
      if (expert >= 0 && !llvm::is_contained(slots, expert)) {
        *llvm::find(slots, -1) = expert;
      }
    }
    for (int64_t expert : wanted) {
      newSlot.push_back(first + (llvm::find(slots, expert) - slots.begin()));
    }
    first += slots.size();
    result.expertsByRank[rank] = std::move(slots);
  }
  for (auto &[expert, table] : result.replicaTables) {
    std::vector<ReplicaTable::Run> runs = table.runs().vec();
    for (ReplicaTable::Run &run : runs) {
      run.slot = newSlot[run.slot];
    }
    table = ReplicaTable(table.cells(), runs);
  }
  return result;
}

/// Keeps the placement if it is within the budget and the best so far, or as
/// good and nearer.
llvm::Error Rebalancer::consider(const PlacementData &data) {
  int64_t moves = movesTo(data);
  if (moves > mostMoves) {
    return llvm::Error::success();
  }
  double value = 0;
  if (objective == Objective::Load) {
    value = servedLoads(problem, data).max;
  } else {
    llvm::Expected<PlacementFigures> figures = figuresOf(problem, data);
    if (!figures) {
      return figures.takeError();
    }
    value = figures->valueOf(objective);
  }
  constexpr double rounding = 1e-12;
  if (value < leastValue * (1 - rounding) ||
      (value <= leastValue * (1 + rounding) && moves < fewestMoves)) {
    leastValue = value;
    fewestMoves = moves;
    best = keepSlots(data);
  }
  return llvm::Error::success();
}

/// Shares are balanced exactly; a search only comes near.
PlacementData Rebalancer::dataOf(const SearchState &state) const {
  std::vector<std::vector<int64_t>> ranksByExpert(problem.experts());
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    llvm::append_range(ranksByExpert[expert], state.serviceOf(expert).ranks);
  }
  return serveCells(problem, balanceShares(problem, ranksByExpert));
}

/// By load, ranks of as many slots are alike: each takes the list of experts of
/// which it holds most, the largest overlaps first.
PlacementData Rebalancer::withOwnRanks(PlacementData data) const {
  struct Overlap {
    int64_t experts = 0;
    int64_t list = 0;
    int64_t rank = 0;
  };
  std::vector<std::vector<int64_t>> ranksBefore(problem.experts());
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (int64_t expert : before.expertsByRank[rank]) {
      if (expert >= 0) {
        ranksBefore[expert].push_back(rank);
      }
    }
  }
  std::vector<Overlap> overlaps;
  for (int64_t list = 0; list < problem.ranks(); ++list) {
    std::map<int64_t, int64_t> shared;
    for (int64_t expert : data.expertsByRank[list]) {
      for (int64_t rank :
           expert >= 0 ? ranksBefore[expert] : std::vector<int64_t>()) {
        shared[rank] += problem.slotsByRank[rank] == problem.slotsByRank[list];
      }
    }
    for (auto [rank, experts] : shared) {
      overlaps.push_back({experts, list, rank});
    }
  }
  llvm::sort(overlaps, [](const Overlap &a, const Overlap &b) {
    return std::tie(b.experts, a.list, a.rank) <
           std::tie(a.experts, b.list, b.rank);
  });
  std::vector<int64_t> rankOfList(problem.ranks(), -1);
  std::vector<bool> isTaken(problem.ranks());
  for (const Overlap &overlap : overlaps) {
    if (overlap.experts > 0 && rankOfList[overlap.list] < 0 &&
        !isTaken[overlap.rank]) {
      rankOfList[overlap.list] = overlap.rank;
      isTaken[overlap.rank] = true;
    }
  }
  std::vector<std::vector<int64_t>> ranksByExpert(problem.experts());
  for (int64_t list = 0; list < problem.ranks(); ++list) {
    for (int64_t rank = 0; rankOfList[list] < 0; ++rank) {
      if (!isTaken[rank] &&
          problem.slotsByRank[rank] == problem.slotsByRank[list]) {
        rankOfList[list] = rank;
        isTaken[rank] = true;
      }
    }
    for (int64_t expert : data.expertsByRank[list]) {
      if (expert >= 0) {
        ranksByExpert[expert].push_back(rankOfList[list]);
      }
    }
  }
  for (std::vector<int64_t> &ranks : ranksByExpert) {
    llvm::sort(ranks);
  }
  return serveCells(problem, balanceShares(problem, ranksByExpert));
}

llvm::Error Rebalancer::considerJoint() {
  llvm::Expected<PlacementResult> joint =
      place(PlacementPolicy::Joint, problem, objective);
  if (!joint) {
    return joint.takeError();
  }
  if (objective == Objective::Load) {
    if (llvm::Error error = consider(withOwnRanks(joint->data))) {
      return error;
    }
  } else if (llvm::Error error = considerWaypoints(joint->data)) {
    return error;
  }
  return consider(joint->data);
}

/// The best within the budget of what lies between the previous placement and
/// the joint solver's.
llvm::Error Rebalancer::considerWaypoints(const PlacementData &joint) {
  if (!SearchModel::canSearch(problem, objective)) {
    return llvm::Error::success();
  }
  llvm::Expected<Placement> goal = executablePlacement(problem, joint);
  if (!goal) {
    return goal.takeError();
  }
  const Waypoint *best = nullptr;
  std::vector<Waypoint> waypoints = waypointsByTime(problem, previous, *goal);
  for (const Waypoint &waypoint : waypoints) {
    if (waypoint.moves <= mostMoves &&
        (!best || std::tie(waypoint.value, waypoint.moves) <
                      std::tie(best->value, best->moves))) {
      best = &waypoint;
    }
  }
  return best ? consider(best->data) : llvm::Error::success();
}

/// Takes the change of the slowest ranks' experts that gains most for each
/// move. False where none gains.
bool Rebalancer::step(SearchState &state, SearchScore &current) const {
  std::optional<Change> chosen;
  double mostGain = 0;
  SearchScore least = current;
  for (int64_t rank : state.hotRanks()) {
    for (int32_t expert : state.expertsOn(rank).vec()) {
      visitChanges(state, expert, rank, [&](const Change &change) {
        constexpr double freeMove = 0.5;
        double moves = std::max<double>(movesOf(change, state), freeMove);
        llvm::SmallVector<Service, 2> was = apply(state, change);
        SearchScore score = state.score();
        revert(state, change, std::move(was));
        double gain = (current.value - score.value) / moves;
        constexpr double rounding = 1e-9;
        bool isGain = gain > mostGain + rounding * current.value;
        // Where nothing lowers the value, a plateau is crossed.
        bool isFlat = mostGain == 0 && score.isBelow(least);
        if (isGain || isFlat) {
          mostGain = isGain ? gain : mostGain;
          least = score;
          chosen = change;
        }
        return state.work() < mostSteps;
      });
    }
  }
  if (!chosen) {
    return false;
  }
  apply(state, *chosen);
  current = state.score();
  return true;
}

/// By load.
llvm::Error Rebalancer::walk() {
  SearchModel model(problem, objective);
  SearchState state = SearchState::of(model, previous);
  improveShares(state, mostSteps);
  SearchScore current = state.score();
  if (llvm::Error error = consider(dataOf(state))) {
    return error;
  }
  while (state.work() < mostSteps && step(state, current)) {
    if (llvm::Error error = consider(dataOf(state))) {
      return error;
    }
  }
  improveShares(state, 2 * mostSteps);
  return consider(dataOf(state));
}

llvm::Expected<PlacementData> Rebalancer::run() {
  if (llvm::Error error = consider(before)) {
    return std::move(error);
  }
  if (objective == Objective::Load) {
    if (llvm::Error error = walk()) {
      return std::move(error);
    }
  }
  if (llvm::Error error = considerJoint()) {
    return std::move(error);
  }
  return std::move(best);
}

/// Fails unless the placement fits the problem's slots.
static llvm::Error verifyFits(const PlacementProblem &problem,
                              const PlacementData &previous) {
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    int64_t slots = previous.expertsByRank[rank].size();
    if (slots > problem.slotsByRank[rank]) {
      return llvm::createStringError(
          llvm::formatv("previous placement, rank {0}: expected at most {1} "
                        "slots, but got {2}",
                        rank, problem.slotsByRank[rank], slots)
              .str());
    }
  }
  return llvm::Error::success();
}

llvm::Expected<RebalanceResult>
moe::planning::rebalance(const PlacementProblem &problem,
                         const PlacementData &previous,
                         const MigrationBudget &budget, Objective objective) {
  // Says what is wrong with the problem, too.
  llvm::Expected<PlacementResult> kept =
      measurePlacement(problem, previous, objective);
  if (!kept) {
    return kept.takeError();
  }
  if (llvm::Error error = verifyFits(problem, previous)) {
    return std::move(error);
  }
  Placement usable = llvm::cantFail(executablePlacement(problem, previous));
  llvm::Expected<PlacementData> data =
      Rebalancer(problem, usable, budget.mostMoves(), objective).run();
  if (!data) {
    return data.takeError();
  }
  llvm::Expected<MigrationPlan> plan =
      planMigration(problem, usable.data(), *data, budget.weightBytes);
  if (!plan) {
    return plan.takeError();
  }
  llvm::Expected<PlacementResult> result =
      measurePlacement(problem, std::move(*data), objective);
  if (!result) {
    return result.takeError();
  }
  return RebalanceResult{std::move(*result), std::move(*plan)};
}
