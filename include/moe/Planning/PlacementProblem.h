//===- PlacementProblem.h - What a placement has to serve -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One layer's problem: experts with loads, ranks with slots. Solvers, the
// certificate and the verification of placements all start from it, and none of
// them from another.
//
// A solver decides which expert sits in each slot and, for an expert with
// several replicas, which share of its tokens each replica serves. Shares are
// whole numbers of cells (ReplicaTable.h), so they may be unequal.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PLACEMENTPROBLEM_H
#define MOE_PLANNING_PLACEMENTPROBLEM_H

#include "moe/Planning/Deployment.h"

namespace moe::planning {

enum class Objective {
  /// The largest load of a rank, in the unit of the loads.
  Load,
  /// Microseconds: the slowest link's exchange and the slowest rank's compute
  /// (PlacementFigures.h). Needs a deployment.
  Time
};

/// `load`, `time`
llvm::StringRef toString(Objective objective);

struct PlacementProblem {
  /// Slots of each rank; they may differ.
  std::vector<int64_t> slotsByRank;
  /// One load an expert: finite, at least 0, not all 0.
  std::vector<double> loads;
  /// [source rank][expert], which sum to `loads`; empty where every rank's
  /// tokens ask for the same.
  std::vector<std::vector<double>> loadsBySource;
  /// Consecutive ranks make up a node, equally many each where that divides.
  int64_t nodes = 1;
  /// Consecutive experts make up a group, as EPLB's hierarchical policy wants.
  int64_t expertGroups = 1;
  /// Null where nothing is known but loads.
  std::shared_ptr<const Deployment> deployment;

  int64_t experts() const { return loads.size(); }
  int64_t ranks() const { return slotsByRank.size(); }
  int64_t slots() const;
  /// The node of a rank.
  int64_t nodeOf(int64_t rank) const { return rank * nodes / ranks(); }
  /// The load that a cell of an expert's replica table stands for.
  double loadOfCell(int64_t expert, int64_t cell) const;

  /// `slots` slots over `ranks` ranks, the first `slots mod ranks` one more.
  static std::vector<int64_t> spreadSlots(int64_t slots, int64_t ranks);
};

/// Fails, in one line, on a problem that no placement solves or that is none:
/// fewer slots than experts, loads that are no loads, nodes that do not divide
/// the ranks, sources of another number, a deployment over other ranks.
llvm::Error verify(const PlacementProblem &problem);

/// What each rank gets from a placement: the sum over slots of the share of the
/// slot's expert that it serves.
struct ServedLoads {
  std::vector<double> byRank;
  /// One a slot; 0 in empty ones.
  std::vector<double> shareOfSlot;
  double max = 0;
  double mean = 0;

  double maxOverMean() const { return max / mean; }
};

/// Counts the cells of the replica tables; an expert without one is split
/// equally over its slots, as EPLB means it. Any data may have duplicates on a
/// rank, but no lost expert and no number out of range.
ServedLoads servedLoads(const PlacementProblem &problem,
                        const PlacementData &data);

} // namespace moe::planning

#endif // MOE_PLANNING_PLACEMENTPROBLEM_H
