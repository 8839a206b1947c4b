// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the CPU target keeps the right-hand side of a matrix product.
//
// B is K × N: out[m, n] = Σ_k rows[m, k] · B[k, n]. Its columns are cut into
// panels of 32; a panel holds all of K, so that a kernel which walks k reads
// one contiguous stream:
//
//   f32   [ceil(N / 32)][K][32]
//   bf16  [ceil(N / 32)][ceil(K / 2)][32][2]      two neighbours in k together
//
// What lies beyond N or K is zero. Example, bf16, K = 3, N = 33: two panels of
// 2 × 32 × 2 elements; B[2, 32] is element ((1·2 + 1)·32 + 0)·2 + 0 = 192, its
// neighbour 193 is padding.
//
// Plain C++: loaders use it without MLIR.

#ifndef MOE_TARGET_CPU_PACKEDLAYOUT_H
#define MOE_TARGET_CPU_PACKEDLAYOUT_H

#include <cstdint>

namespace mlir::moe {

enum class PackedType : uint8_t { f32, bf16 };

/// Bytes of one element.
constexpr int64_t packedElementBytes(PackedType type) {
  return type == PackedType::f32 ? 4 : 2;
}

/// The shape of one packed matrix.
struct PackedLayout {
  /// Columns of one panel.
  static constexpr int64_t panelColumns = 32;
  /// Alignment, in bytes, of a packed matrix and of each of its panels.
  static constexpr int64_t alignment = 64;
  /// For manifests; another layout has another description.
  static constexpr char description[] =
      "f32 [N/32][K][32], bf16 [N/32][K/2][32][2]";

  int64_t k = 0;
  int64_t n = 0;
  PackedType type = PackedType::f32;

  /// Neighbours in k that share a 32-bit cell.
  constexpr int64_t depth() const { return type == PackedType::f32 ? 1 : 2; }
  /// Rows of 32 cells in a panel.
  constexpr int64_t panelRows() const { return (k + depth() - 1) / depth(); }
  constexpr int64_t panels() const {
    return (n + panelColumns - 1) / panelColumns;
  }
  constexpr int64_t panelBytes() const {
    return panelRows() * panelColumns * 4;
  }
  constexpr int64_t bytes() const { return panels() * panelBytes(); }

  /// Position of B[row, column], in elements from the start.
  constexpr int64_t elementIndex(int64_t row, int64_t column) const {
    int64_t cell =
        (column / panelColumns * panelRows() + row / depth()) * panelColumns +
        column % panelColumns;
    return cell * depth() + row % depth();
  }
};

/// Where the elements come from: a row-major matrix and the place in it of
/// B[0, 0], so that a shard is packed straight out of the whole tensor.
struct PackSource {
  /// First element of the whole matrix; need not be aligned.
  const void *data = nullptr;
  /// Elements from one row of the matrix to the next.
  int64_t rowStride = 0;
  /// The matrix's k and n that become B[0, 0].
  int64_t firstK = 0;
  int64_t firstN = 0;
};

/// Panels [begin, end): what one thread packs.
struct PanelRange {
  int64_t begin = 0;
  int64_t end = 0;
};

/// Packs panels of B out of a matrix [N, K] ("[out, in]", as most checkpoints
/// hold it). `packed` is the start of the whole packed matrix.
void packFromRowsOut(const PackedLayout &layout, const PackSource &source,
                     PanelRange panels, void *packed);

/// Packs panels of B out of a matrix [K, N].
void packFromColumns(const PackedLayout &layout, const PackSource &source,
                     PanelRange panels, void *packed);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_PACKEDLAYOUT_H
