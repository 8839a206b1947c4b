// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps that turn a kernel's LLVM IR into calls of the emulated device.
// Each fails with the first thing that the device has no function for.

#ifndef MOE_LIB_TARGET_GPU_IMAGE_REWRITES_H
#define MOE_LIB_TARGET_GPU_IMAGE_REWRITES_H

#include "KernelBody.h"

namespace mlir::moe {

/// What an image cannot hold, and where.
class UnsupportedInstruction : public llvm::ErrorInfo<UnsupportedInstruction> {
public:
  static char ID;
  /// `what` in words: "the instruction 'fence.proxy'".
  UnsupportedInstruction(std::string what, uint32_t site)
      : what(std::move(what)), site(site) {}

  uint32_t getSite() const { return site; }
  void log(llvm::raw_ostream &stream) const override {
    stream << "the emulated device has no " << what;
  }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string what;
  uint32_t site;
};

/// An UnsupportedInstruction at `instruction`.
llvm::Error unsupported(const llvm::Twine &what,
                        const llvm::Instruction &instruction);

/// Conversions to bf16 as integer arithmetic: to nearest, ties to even, NaN as
/// 0x7fff, which is what cvt.rn.bf16.f32 gives.
void expandRounding(KernelBody &body);

/// Independent products and loads of matrices that stand together become one
/// call each, so that the lanes of a warp meet once for all of them.
void rewriteMatrices(KernelBody &body);

/// All other NVVM intrinsics.
llvm::Error rewriteIntrinsics(KernelBody &body);

/// Arrays in shared memory become offsets from where the block's is; sets
/// `staticSharedBytes`.
void placeSharedMemory(KernelBody &body);

/// Loads, stores, copies and atomics of memory that is not the thread's own.
/// After everything else: what it leaves are accesses of host memory.
llvm::Error rewriteMemory(KernelBody &body);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_IMAGE_REWRITES_H
