// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that cut a part out of a model and open it up for those who run it.

#ifndef MOE_TRANSFORMS_EXTRACT_PASSES_H
#define MOE_TRANSFORMS_EXTRACT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::moe {

/// The public function that `moe-extract-layer` makes.
inline constexpr StringLiteral kLayerFunctionName = "layer";
/// On arguments and results of the public function: "expert" or "weight", the
/// routing that `moe-inject-routing` takes and `moe-expose-routing` gives.
inline constexpr StringLiteral kRoutingAttrName = "moe.routing";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Transforms/Extract/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_EXTRACT_PASSES_H
