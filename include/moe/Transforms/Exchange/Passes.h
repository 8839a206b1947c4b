// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that say how rows travel, and when.

#ifndef MOE_TRANSFORMS_EXCHANGE_PASSES_H
#define MOE_TRANSFORMS_EXCHANGE_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Transforms/Exchange/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_EXCHANGE_PASSES_H
