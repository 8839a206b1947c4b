//===- PlacementSolver.h - Policies that place experts ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   contiguous   consecutive experts together, as evenly as slots allow
//   round_robin  expert e on the next rank that has a free slot
//   eplb         EPLB's two policies (deepseek-ai/EPLB), bit for bit, ties by
//                the lower index; equal shares
//   exhaustive   every placement; only tiny problems
//   joint        replicas, places and shares together; never worse than any of
//                the others in the problem's objective
//
// All are deterministic. Empty slots are -1.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PLACEMENTSOLVER_H
#define MOE_PLANNING_PLACEMENTSOLVER_H

#include "moe/Planning/LowerBound.h"
#include "moe/Planning/PlacementFigures.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace moe::planning {

enum class PlacementPolicy { Contiguous, RoundRobin, Eplb, Joint, Exhaustive };

/// `contiguous`, `round_robin`, `eplb`, `joint`, `exhaustive`
llvm::StringRef toString(PlacementPolicy policy);
std::optional<PlacementPolicy> parsePlacementPolicy(llvm::StringRef name);

struct PlacementResult {
  PlacementData data;
  Objective objective = Objective::Load;
  ServedLoads loads;
  double loadBetweenNodes = 0;
  /// Where the problem has a deployment.
  std::optional<PlacementTime> time;
  /// In the objective's unit.
  double value = 0;
  /// What the largest load would be if shares were not whole numbers of cells.
  double unroundedValue = 0;
  /// On the objective.
  LowerBound bound;
  /// On both objectives, as far as they are known.
  LowerBound loadBound;
  std::optional<LowerBound> timeBound;
  /// What a reader should know: that EPLB fell back to its global policy, where
  /// the joint solver started from.
  std::vector<std::string> notes;

  double gap() const { return bound.gapOf(value); }
  double loadGap() const { return loadBound.gapOf(loads.max); }
  /// The time must be known.
  double timeGap() const { return timeBound->gapOf(time->total().value()); }
};

/// The placement that compiled code can use: duplicates on a rank merged, and
/// replica tables, with shares as equal as cells allow, for experts that have
/// none. Fails as Placement::create does.
llvm::Expected<Placement> executablePlacement(const PlacementProblem &problem,
                                              PlacementData data);

/// The figures and bounds of a placement from elsewhere. Fails as figuresOf.
llvm::Expected<PlacementResult>
measurePlacement(const PlacementProblem &problem, PlacementData data,
                 Objective objective);

/// Places one layer. Fails on a problem that is none (see verify), on one that
/// the policy cannot take (EPLB needs equal slots, exhaustive few placements),
/// and for Objective::Time without a deployment.
llvm::Expected<PlacementResult> place(PlacementPolicy policy,
                                      const PlacementProblem &problem,
                                      Objective objective = Objective::Load);

/// Places several layers, each as `place` does, on as many threads as the
/// machine has cores. Results are in the order of the problems. `onDone` is
/// called, by one thread at a time, with how many are done.
std::vector<llvm::Expected<PlacementResult>> placeAll(
    PlacementPolicy policy, llvm::ArrayRef<const PlacementProblem *> problems,
    Objective objective,
    llvm::function_ref<void(int64_t)> onDone = [](int64_t) {});

} // namespace moe::planning

#endif // MOE_PLANNING_PLACEMENTSOLVER_H
