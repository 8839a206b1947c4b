// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that shape products for the kernels.

#ifndef MOE_TRANSFORMS_MATMUL_PASSES_H
#define MOE_TRANSFORMS_MATMUL_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Transforms/Matmul/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_MATMUL_PASSES_H
