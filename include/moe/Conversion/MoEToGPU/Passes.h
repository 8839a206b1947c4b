// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_CONVERSION_MOETOGPU_PASSES_H
#define MOE_CONVERSION_MOETOGPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Conversion/MoEToGPU/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_CONVERSION_MOETOGPU_PASSES_H
