// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ragged grouped matrix product on a GPU:
//
//   out[r, n] = epilogue(acc_1[r, n], …, acc_w[r, n])
//   acc_i[r, n] = Σ_k rows[r, k] · B_i,s[k, n]        offsets[s] ≤ r <
//   offsets[s + 1]
//
// in f32. Each element is summed by one thread (or one warp's tensor core
// steps) over all of k in ascending steps, so its bits depend neither on the
// number of rows, nor on the tile that it falls in, nor on the block that takes
// the tile: see docs/Rationale/GPUKernels.md.

#ifndef MOE_TARGET_GPU_GROUPEDMATMUL_H
#define MOE_TARGET_GPU_GROUPEDMATMUL_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>
#include <string>

namespace mlir::moe {

/// What one kernel computes. Types are f32 or bf16.
struct GPUMatmulSpec {
  /// Columns of `rows` and of `out`.
  int64_t k = 0;
  int64_t n = 0;
  /// Element type of rows and packed weights, and of the output.
  Type inputType;
  Type outputType;
  /// Weight tables that share the rows (gate and up: 2).
  int64_t weights = 1;
  int64_t groups = 1;
  /// How many rows a group has, as far as that is known: tiles are made for
  /// it. 0 where nothing is known. Any number is right.
  int64_t rowsPerGroup = 0;
};

/// In the kernel. Pointers are to global memory, `!llvm.ptr<1>`, but `shared`,
/// which is `!llvm.ptr<3>`.
struct GPUMatmulOperands {
  /// First element of [rows, K]; rows follow one another.
  Value rows;
  /// Tables of pointers to matrices (GPUPackedLayout.h), one entry a group. The
  /// entry of a group without rows is not read.
  SmallVector<Value> tables;
  /// memref<(groups + 1) x i32>.
  Value offsets;
  /// First element of [rows, N].
  Value out;
  /// The block's dynamic shared memory, aligned to 128 bytes.
  Value shared;
};

/// What a launch of the kernel needs.
struct GPUMatmulLaunch {
  int64_t threads = 0;
  int64_t sharedBytes = 0;
};

/// Why there is no kernel for a product; none where there is one.
std::optional<std::string> whyNoGPUMatmul(const GPUMatmulSpec &spec);

GPUMatmulLaunch gpuMatmulLaunch(const GPUMatmulSpec &spec);

/// Writes the kernel's code: blocks, however many there are, share out the
/// tiles of all groups. `epilogue` (null: none) is a block of `weights` f32
/// arguments whose terminator's one operand is of the output type; its ops are
/// elementwise, what they take from outside must be constants. It is cloned.
void emitGPUMatmul(ImplicitLocOpBuilder &builder, const GPUMatmulSpec &spec,
                   const GPUMatmulOperands &operands, Block *epilogue);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_GROUPEDMATMUL_H
