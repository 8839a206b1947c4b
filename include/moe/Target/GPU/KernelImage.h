// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels as an emulated device runs them: an ELF shared object for a fixed
// level of x86-64, whose kernels reach memory and each other only through a
// table of functions (runtime/emulator/KernelImage.h).

#ifndef MOE_TARGET_GPU_KERNELIMAGE_H
#define MOE_TARGET_GPU_KERNELIMAGE_H

#include "moe/Target/GPU/LoweredKernels.h"

namespace mlir::moe {

/// The image of all kernels, from the same nvvm and llvm ops that PTX comes
/// from. Each load, store and synchronisation carries the place of its op: its
/// name and the file's name without folders. What the emulated device has no
/// function for is an error at its op. Equal kernels with equal places give
/// equal bytes, on any machine.
FailureOr<std::string> emitKernelImage(const LoweredKernels &kernels);

/// The level of x86-64 that images are made for: it has the fused multiply-add
/// without which `fma` would be a call of a library.
constexpr llvm::StringLiteral imageCPU = "x86-64-v3";

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_KERNELIMAGE_H
