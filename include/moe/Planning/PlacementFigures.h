//===- PlacementFigures.h - What a placement comes to -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The figures of one layer's placement, whoever made it: loads of ranks, rows
// between nodes and, with a deployment, bytes and times. There are two ways to
// get them, which share no code below Placement, ExchangePlan and CostModel:
//
//   figuresOf        by runs of replica tables; what `place` reports
//   auditPlacement   cell by cell; what `moe-place --verify` compares with
//
//   time = dispatch + combine + the slowest rank's compute
//
// Dispatch and combine are ExchangeCost::total: the slowest link of each phase,
// and permutations in memory. Compute of a rank is CostModel::computeTime of
// its rows and of the weights of the experts that get any.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PLACEMENTFIGURES_H
#define MOE_PLANNING_PLACEMENTFIGURES_H

#include "moe/Planning/PlacementProblem.h"

namespace moe::planning {

/// Predicted times of a layer, and the bytes that they rest on.
struct PlacementTime {
  ExchangeCost dispatch;
  ExchangeCost combine;
  /// One a rank, the largest over the groups.
  std::vector<Microseconds> computeByRank;
  /// Dispatch and combine of all groups by tier.
  ExchangeTraffic traffic;
  /// Dispatch and combine of all groups, one a link of the topology.
  std::vector<Bytes> bytesOfLink;
  /// What crosses from node to node (PlacementProblem::nodeOf) in dispatch and
  /// combine of all groups: rows and their counts.
  Bytes betweenNodes;

  Microseconds exchange() const { return dispatch.total() + combine.total(); }
  /// The rank whose compute takes longest, the first of several.
  int64_t slowestRank() const;
  Microseconds compute() const { return computeByRank[slowestRank()]; }
  Microseconds total() const { return exchange() + compute(); }
};

struct PlacementFigures {
  ServedLoads loads;
  /// The load that is served on another node than its tokens are on.
  double loadBetweenNodes = 0;
  /// Where the problem has a deployment.
  std::optional<PlacementTime> time;

  /// In the unit of the objective; the time must be known for Objective::Time.
  double valueOf(Objective objective) const;
};

/// The rows that each rank of a group sends to each: those of `expectedRows`,
/// or, where loads are known by source, these shares of them.
CountMatrix rowsOf(const PlacementProblem &problem, const DeployedGroup &group,
                   const Placement &placement);

/// The figures of placement data that `executablePlacement` accepts. Loads,
/// between nodes too, are those of the data as it is, with equal shares where
/// it has no table; the time is that of the executable placement.
llvm::Expected<PlacementFigures> figuresOf(const PlacementProblem &problem,
                                           const PlacementData &data);

/// The same figures, recomputed from the definition: every cell of every expert
/// is looked up and every flow walked over its route. Slow, and independent of
/// all solvers. Fails as figuresOf, and on placements whose slots are more than
/// the problem has.
llvm::Expected<PlacementFigures> auditPlacement(const PlacementProblem &problem,
                                                const PlacementData &data);

} // namespace moe::planning

#endif // MOE_PLANNING_PLACEMENTFIGURES_H
