// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From scf, vector, memref, arith, math and func to the LLVM dialect.

#ifndef MOE_TARGET_CPU_LOWERTOLLVM_H
#define MOE_TARGET_CPU_LOWERTOLLVM_H

#include "moe/Target/CPU/CPUTarget.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::moe {

/// Appends the passes that turn a bufferized module into the LLVM dialect, for
/// `target`. `pm` is a pipeline on the module.
void addLowerToLLVMPasses(OpPassManager &pm, const CPUTarget &target);

/// Loads what those passes and the translation to LLVM IR need.
void registerCPUTargetDialects(DialectRegistry &registry);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_LOWERTOLLVM_H
