//===- Policies.h - What each policy decides --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_POLICIES_H
#define MOE_LIB_PLANNING_PLACEMENT_POLICIES_H

#include "moe/Planning/PlacementSolver.h"

namespace moe::planning {

PlacementData placeContiguous(const PlacementProblem &problem);
PlacementData placeRoundRobin(const PlacementProblem &problem);

/// Fails unless the ranks have equally many slots. Duplicates on a rank are
/// left in, as EPLB leaves them. `notes` gets a line when the global policy is
/// used although groups were asked for.
llvm::Expected<PlacementData> placeEplb(const PlacementProblem &problem,
                                        std::vector<std::string> &notes);

/// A placement with shares that are no whole numbers of cells yet.
struct FractionalPlacement {
  struct Piece {
    int64_t expert = 0;
    /// Part of the expert's load, above 0.
    double share = 0;
  };

  /// At most as many pieces as the rank has slots, of distinct experts.
  std::vector<std::vector<Piece>> piecesByRank;

  double maxLoad(const PlacementProblem &problem) const;
};

/// The least of the largest rank loads over all placements. Fails when there
/// are more than `mostPlacements` to look at.
llvm::Expected<FractionalPlacement>
placeExhaustively(const PlacementProblem &problem, int64_t mostPlacements);

/// Ours, for Objective::Load. `eplb` is EPLB's placement, null where it has
/// none.
FractionalPlacement placeJointlyByLoad(const PlacementProblem &problem,
                                       const LowerBound &bound,
                                       const PlacementData *eplb);

/// The figures of data that has been verified, or comes from a policy.
PlacementFigures figuresOfSound(const PlacementProblem &problem,
                                const PlacementData &data);

/// A placement and where it comes from.
struct NamedPlacement {
  std::string name;
  PlacementData data;
  /// Where they have been found.
  std::optional<PlacementFigures> figures = std::nullopt;
};

/// Ours, for Objective::Time: the best of the starts and of what is found from
/// them. There is at least one start.
llvm::Expected<NamedPlacement>
placeJointlyByTime(const PlacementProblem &problem,
                   std::vector<NamedPlacement> starts, const LowerBound &bound);

/// The placement that takes least time, over all hosts of experts and, for
/// each, the shares that a descent finds. Fails when there are more than
/// `mostPlacements` to look at.
llvm::Expected<PlacementData>
placeExhaustivelyByTime(const PlacementProblem &problem,
                        int64_t mostPlacements);

/// The best shares for experts that sit on given ranks: the largest load of a
/// rank is the least that this support allows. `ranksByExpert` lists distinct
/// ranks, at least one an expert.
FractionalPlacement
balanceShares(const PlacementProblem &problem,
              const std::vector<std::vector<int64_t>> &ranksByExpert);

/// Rounds shares to cells and says which cell each replica serves: those of its
/// own rank first, then of its own node, then others. A replica that rounds to
/// no cell is dropped.
PlacementData serveCells(const PlacementProblem &problem,
                         const FractionalPlacement &placement);

/// Replica tables for replicated experts that have none: each replica as many
/// cells as the others, up to one. Duplicates on a rank count as replicas.
void addEqualTables(const PlacementProblem &problem, PlacementData &data);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_POLICIES_H
