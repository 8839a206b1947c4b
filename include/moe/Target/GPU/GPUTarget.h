// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The chips that kernels are compiled for: what LLVM has to be told, what one
// multiprocessor holds, and the peaks that times are predicted from.

#ifndef MOE_TARGET_GPU_GPUTARGET_H
#define MOE_TARGET_GPU_GPUTARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::moe {

/// What a multiprocessor (SM) of a chip holds at once. CUDA C++ Programming
/// Guide 13.0, "Technical Specifications per Compute Capability".
struct MultiprocessorLimits {
  int64_t threads;
  int64_t blocks;
  /// 32-bit registers, and the number that a warp's are rounded up to.
  int64_t registers;
  int64_t registersPerWarpUnit;
  /// Bytes; the driver takes `sharedReservedPerBlock` more for each block.
  int64_t sharedBytes;
  int64_t sharedBytesPerBlock;
  int64_t sharedReservedPerBlock;
};

/// A product with that chip, and its peaks as the vendor states them.
struct ProductPeaks {
  llvm::StringLiteral product;
  int64_t multiprocessors;
  /// Dense products of bf16 with f32 sums; f32 outside of tensor cores.
  double bf16TeraflopsPerSecond;
  double f32TeraflopsPerSecond;
  double memoryGigabytesPerSecond;
  llvm::StringLiteral source;
};

struct GPUTarget {
  /// Raised with every change of the generated code that changes results.
  static constexpr int kernelSet = 1;

  /// LLVM's and ptxas' name: "sm_90a".
  llvm::StringLiteral chip;
  /// Version of the PTX language, as LLVM's feature: "+ptx80". The lowest that
  /// knows the chip, so that older drivers take the text.
  llvm::StringLiteral features;
  MultiprocessorLimits limits;
  ProductPeaks peaks;

  /// All chips that kernels are made for, oldest first.
  static llvm::ArrayRef<GPUTarget> all();

  /// The chip of that name; an error that lists the known ones otherwise.
  static llvm::Expected<const GPUTarget *> parse(llvm::StringRef chip);

  /// A TargetMachine that writes PTX; an error where this LLVM was built
  /// without NVPTX.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
  createTargetMachine() const;
};

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_GPUTARGET_H
