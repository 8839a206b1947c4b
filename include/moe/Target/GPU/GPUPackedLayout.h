// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the GPU target keeps the right-hand side of a matrix product.
//
// B is K × N: out[m, n] = Σ_k rows[m, k] · B[k, n]. It lies as [N'][K'], row n
// holding column n of B, so that a fragment of `mma.sync` (B as "col") and a
// 16-byte copy are both contiguous in k:
//
//   f32, bf16  [N'][K'], N' = N rounded up to 64, K' = K rounded up to 32
//
// What lies beyond N or K is zero, so that a kernel need not know where the
// matrix ends. Example, K = 40, N = 65: 128 rows of 64 elements; B[3, 64] is
// element 64 · 64 + 3 = 4099.
//
// Plain C++: loaders use it without MLIR.

#ifndef MOE_TARGET_GPU_GPUPACKEDLAYOUT_H
#define MOE_TARGET_GPU_GPUPACKEDLAYOUT_H

#include "moe/Target/CPU/PackedLayout.h"

namespace mlir::moe {

/// The shape of one packed matrix.
struct GPUPackedLayout {
  /// What N and K are rounded up to, in elements.
  static constexpr int64_t nMultiple = 64;
  static constexpr int64_t kMultiple = 32;
  /// Alignment, in bytes, of a packed matrix on the device.
  static constexpr int64_t alignment = 256;
  /// For manifests; another layout has another description.
  static constexpr char description[] = "f32, bf16 [N/64*64][K/32*32]";

  int64_t k = 0;
  int64_t n = 0;
  PackedType type = PackedType::bf16;

  constexpr int64_t paddedK() const {
    return (k + kMultiple - 1) / kMultiple * kMultiple;
  }
  constexpr int64_t paddedN() const {
    return (n + nMultiple - 1) / nMultiple * nMultiple;
  }
  constexpr int64_t bytes() const {
    return paddedN() * paddedK() * packedElementBytes(type);
  }
  /// Position of B[row, column], in elements from the start.
  constexpr int64_t elementIndex(int64_t row, int64_t column) const {
    return column * paddedK() + row;
  }
};

/// Packs rows [begin, end) of the N' rows out of a matrix [N, K] ("[out, in]",
/// as most checkpoints hold it). `packed` is the start of the whole packed
/// matrix.
void packFromRowsOut(const GPUPackedLayout &layout, const PackSource &source,
                     PanelRange rows, void *packed);

/// Packs rows [begin, end) of the N' rows out of a matrix [K, N].
void packFromColumns(const GPUPackedLayout &layout, const PackSource &source,
                     PanelRange rows, void *packed);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_GPUPACKEDLAYOUT_H
