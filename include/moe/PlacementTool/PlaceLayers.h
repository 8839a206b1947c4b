//===- PlaceLayers.h - All layers placed by a policy ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_PLACELAYERS_H
#define MOE_PLACEMENTTOOL_PLACELAYERS_H

#include "moe/PlacementTool/Workload.h"
#include "moe/Planning/PlacementSolver.h"

namespace moe::placement {

/// The time where bytes and links are known, else the load.
planning::Objective defaultObjective(const Workload &workload);

/// Fails, naming the flags that are missing, where the workload cannot tell the
/// objective.
llvm::Error expectKnown(const Workload &workload,
                        planning::Objective objective);

/// Places every layer. Fails, naming the layer, where the policy does. Says on
/// a terminal how far it is.
llvm::Expected<PlacementFile> placeLayers(const Workload &workload,
                                          planning::PlacementPolicy policy,
                                          planning::Objective objective);

/// The bounds of both objectives, and value and bound of the one; loads and,
/// for the time, times must be there.
void addBounds(const planning::PlacementProblem &problem,
               planning::Objective objective,
               planning::PlacementResult &result);

/// An entry for a layer's placement.
LayerEntry makeEntry(const Workload &workload, const LayerWork &work,
                     const planning::PlacementResult &result);

/// A file of that workload without layers.
PlacementFile makeFile(const Workload &workload, llvm::StringRef policy,
                       planning::Objective objective);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_PLACELAYERS_H
