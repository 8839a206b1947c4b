// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who chose a placement, as far as that can be told.

#ifndef MOE_ANALYSIS_PLACEMENTORIGIN_H
#define MOE_ANALYSIS_PLACEMENTORIGIN_H

#include "moe/Dialect/MoE/MoE.h"

#include <string>

namespace mlir::moe {

/// What reports call a `moe.placement`. Its `policy` is a note that stays when
/// slots are edited, so it is believed only where that costs nothing:
///  * `by hand`: without a policy;
///  * `contiguous`, `round_robin`: the slots are what the policy gives;
///  * `edited, once contiguous`: they are not;
///  * `joint, as written`: a policy whose result is not worked out again.
std::string getPlacementOrigin(PlacementOp placement);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLACEMENTORIGIN_H
