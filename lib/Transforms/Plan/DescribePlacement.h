// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What remarks say of a placement.

#ifndef MOE_LIB_TRANSFORMS_PLAN_DESCRIBEPLACEMENT_H
#define MOE_LIB_TRANSFORMS_PLAN_DESCRIBEPLACEMENT_H

#include "moe/Planning/PlacementSolver.h"

namespace mlir::moe {

/// `5 experts in 6 slots on 2 ranks; largest load 1.200 of the mean, …; time
/// …`: its size, its largest load and its predicted time, each with the bound
/// that no placement is below and the gap to it, and the slowest link.
std::string describe(const ::moe::planning::PlacementProblem &problem,
                     const ::moe::planning::PlacementResult &result);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PLAN_DESCRIBEPLACEMENT_H
