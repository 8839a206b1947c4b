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

/// Whether a pass of the pipeline prints its report to standard output, where
/// a tool would print the module otherwise.
bool printsReport(OpPassManager &manager);

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_PLAN_PASSES_H
