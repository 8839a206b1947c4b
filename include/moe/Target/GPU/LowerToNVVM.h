// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From kernels in gpu, nvgpu, nvvm, scf, vector, memref, arith and math to the
// nvvm and llvm dialects. What comes out is the same for all chips, and is what
// PTX and the emulated device's image are both made from.

#ifndef MOE_TARGET_GPU_LOWERTONVVM_H
#define MOE_TARGET_GPU_LOWERTONVVM_H

#include "mlir/Pass/PassManager.h"

namespace mlir::moe {

/// Appends the passes that lower each `gpu.module` of a module. Host functions
/// beside them are left alone.
void addLowerToNVVMPasses(OpPassManager &pm);

/// Loads what those passes and the translation to LLVM IR need.
void registerGPUTargetDialects(DialectRegistry &registry);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_LOWERTONVVM_H
