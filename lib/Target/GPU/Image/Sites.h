// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places of instructions, by number: from ops to what an image tells.

#ifndef MOE_LIB_TARGET_GPU_IMAGE_SITES_H
#define MOE_LIB_TARGET_GPU_IMAGE_SITES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/IR/Instruction.h"

#include <string>
#include <vector>

namespace mlir::moe {

/// Numbers the ops of `module`'s functions that touch memory or other threads,
/// in order, and puts the numbers
/// where translation makes line numbers of them. Returns the text of each site:
/// "moe.grouped_matmul at model.mlir:34:10 (load)".
std::vector<std::string> numberSites(ModuleOp module);

/// The site that `instruction` was translated from; MOERT_KERNEL_NO_SITE where
/// an optimisation lost it.
uint32_t siteOf(const llvm::Instruction &instruction);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_IMAGE_SITES_H
