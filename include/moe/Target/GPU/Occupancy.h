// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many blocks of a kernel a multiprocessor holds at once.

#ifndef MOE_TARGET_GPU_OCCUPANCY_H
#define MOE_TARGET_GPU_OCCUPANCY_H

#include "moe/Target/GPU/GPUTarget.h"

namespace mlir::moe {

/// What one block takes.
struct BlockShape {
  int64_t threads;
  int64_t registersPerThread;
  /// Static and dynamic, in bytes.
  int64_t sharedBytes;
};

struct Occupancy {
  int64_t blocks;
  /// Of these blocks, and of the most that the multiprocessor can have.
  int64_t warps;
  int64_t mostWarps;
  /// What there would have to be more of for another block: "registers",
  /// "shared memory", "threads" or "blocks"; the first of them on a tie.
  llvm::StringLiteral limit;
};

/// The rule of the CUDA occupancy calculator: registers are handed out to warps
/// in units, a warp belongs to one of four parts of a multiprocessor, and
/// shared memory comes in units of 128 bytes.
Occupancy computeOccupancy(const MultiprocessorLimits &limits,
                           const BlockShape &block);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_OCCUPANCY_H
