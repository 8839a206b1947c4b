// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM IR of kernels, before anything that hangs on the target.

#ifndef MOE_LIB_TARGET_GPU_TRANSLATEKERNELS_H
#define MOE_LIB_TARGET_GPU_TRANSLATEKERNELS_H

#include "moe/Target/GPU/LoweredKernels.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>

namespace mlir::moe {

/// What findSourceHash looks for, in front of the hash.
constexpr llvm::StringLiteral sourceHashMark = "moe-kernels sha256:";

/// Translates `kernels`, unoptimised; errors are diagnostics.
FailureOr<std::unique_ptr<llvm::Module>>
translateKernels(gpu::GPUModuleOp kernels, llvm::LLVMContext &context);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_TRANSLATEKERNELS_H
