// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that decide where experts live and how their rows travel.

#ifndef MOE_TRANSFORMS_PLAN_PASSES_H
#define MOE_TRANSFORMS_PLAN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Transforms/Plan/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_PLAN_PASSES_H
