// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels on their way to a device: one lowering, from which PTX, cubins and
// the emulated device's image are made, and the hash that says so.

#ifndef MOE_TARGET_GPU_LOWEREDKERNELS_H
#define MOE_TARGET_GPU_LOWEREDKERNELS_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace mlir::moe {

/// SHA-256 of the printed module, without locations, in hexadecimal. Whatever
/// is made from a module carries it, so that a cubin of one program is not
/// taken for what the emulated device ran of another.
std::string hashKernels(gpu::GPUModuleOp kernels);

struct LoweredKernels {
  /// Holds one `gpu.module` in the nvvm and llvm dialects.
  OwningOpRef<ModuleOp> module;
  /// Of the module that was lowered.
  std::string sourceHash;

  gpu::GPUModuleOp getKernels() const;
};

/// Lowers a copy of `kernels`, which stays as it is. What cannot be lowered is
/// an error at its op.
FailureOr<LoweredKernels> lowerKernels(gpu::GPUModuleOp kernels);

/// The name of the global that holds "moe-kernels sha256:<hash>" in PTX and in
/// cubins.
constexpr llvm::StringLiteral sourceHashSymbol = "moe_source_hash";

/// The hash that PTX, a cubin or an image carries; empty if it carries none.
std::string findSourceHash(llvm::StringRef deviceCode);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_LOWEREDKERNELS_H
