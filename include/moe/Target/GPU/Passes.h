// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_TARGET_GPU_PASSES_H
#define MOE_TARGET_GPU_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Target/GPU/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_PASSES_H
