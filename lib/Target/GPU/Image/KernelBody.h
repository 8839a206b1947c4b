// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels as functions of one thread, and calls of the device from them.

#ifndef MOE_LIB_TARGET_GPU_IMAGE_KERNELBODY_H
#define MOE_LIB_TARGET_GPU_IMAGE_KERNELBODY_H

#include "mlir/Support/LLVM.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace mlir::moe {

/// A kernel on its way into an image: moert_kernel_body.
struct KernelBody {
  std::string name;
  llvm::Function *function;
  uint32_t argumentCount = 0;
  /// Of a block, where the kernel knows; else 0.
  uint32_t threads = 0;
  uint32_t staticSharedBytes = 0;

  llvm::Argument *calls() const { return function->getArg(0); }
  llvm::Argument *thread() const { return function->getArg(1); }
};

/// Replaces each kernel by a body with the same instructions. Functions that
/// kernels call are inlined before; other kinds of arguments than 64-bit ones
/// are errors.
llvm::Expected<std::vector<KernelBody>> takeKernelBodies(llvm::Module &module);

/// Calls the member at byte `offset` of moert_kernel_calls with the thread and
/// `operands`. Write MOE_DEVICE(member) for the offset.
llvm::CallInst *callDevice(llvm::IRBuilderBase &builder, const KernelBody &body,
                           size_t offset, llvm::Type *result,
                           ArrayRef<llvm::Value *> operands);

#define MOE_DEVICE(member) offsetof(moert_kernel_calls, member)

/// A special register (MOERT_KERNEL_TID_X …). The optimiser may merge and move
/// such calls: what they give does not change.
llvm::Value *readSpecial(llvm::IRBuilderBase &builder, const KernelBody &body,
                         uint32_t which);

/// Memory of `count` values of `type` in the body's frame, for what passes
/// through memory in a call.
llvm::AllocaInst *allocateScratch(const KernelBody &body, llvm::Type *type,
                                  uint64_t count, llvm::StringRef name);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_IMAGE_KERNELBODY_H
