//===- Rebalance.h - A better placement within a budget ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads change while a model serves. Weights that move cost time, so what is
// wanted is the best placement among those that few moves away from the one at
// hand. A *move* brings an expert's weights to a rank that does not have them;
// giving up a replica, putting experts of a rank into other slots of it and
// changing replica tables move nothing.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_REBALANCE_H
#define MOE_PLANNING_REBALANCE_H

#include "moe/Planning/PlacementSolver.h"

namespace moe::planning {

/// What a rebalancing may cost; what is not set is not limited.
struct MigrationBudget {
  std::optional<int64_t> moves;
  /// Weights that move, all ranks together. Needs `weightBytes`.
  std::optional<Bytes> bytes;
  /// Of one expert.
  Bytes weightBytes;

  /// The moves that both limits allow.
  int64_t mostMoves() const;
};

/// The weights of one expert to a slot on another rank.
struct Move {
  int64_t expert = 0;
  int64_t sourceRank = 0;
  int64_t sourceSlot = 0;
  int64_t targetRank = 0;
  int64_t targetSlot = 0;
  /// Of the path between the two ranks in the worst group; none without a
  /// deployment.
  std::optional<unsigned> tier;
  Bytes bytes;
};

/// Slots are those of the previous and of the next placement. A target slot may
/// be a source's slot too: weights are copied before they are overwritten, rank
/// by rank, which needs room for one expert a rank.
struct MigrationPlan {
  /// By target slot.
  std::vector<Move> moves;
  /// All moves together, in one group.
  Bytes bytes;
  /// One a tier; empty without a deployment.
  std::vector<Bytes> bytesByTier;
  /// One a link of the topology, all groups together; empty without a
  /// deployment.
  std::vector<Bytes> bytesOfLink;
  /// All moves at once, in all groups: latency and the slowest link. None
  /// without a deployment.
  std::optional<Microseconds> time;
};

/// What it takes to get from one placement to another over the same ranks. Each
/// expert comes from the nearest rank that has it, the one that sends least so
/// far, then the first. Fails on placements of different sizes.
llvm::Expected<MigrationPlan> planMigration(const PlacementProblem &problem,
                                            const PlacementData &previous,
                                            const PlacementData &next,
                                            Bytes weightBytes);

struct RebalanceResult {
  PlacementResult placement;
  MigrationPlan migration;
};

/// The best placement that is found within the budget, from `previous`, a
/// placement that `executablePlacement` accepts and that fits the problem's
/// slots. Experts that stay on a rank stay in their slots. With no moves the
/// experts stay where they are and only replica tables change; with enough of
/// them the result is no worse than the joint solver's. More budget is never
/// worse.
llvm::Expected<RebalanceResult>
rebalance(const PlacementProblem &problem, const PlacementData &previous,
          const MigrationBudget &budget, Objective objective = Objective::Load);

} // namespace moe::planning

#endif // MOE_PLANNING_REBALANCE_H
