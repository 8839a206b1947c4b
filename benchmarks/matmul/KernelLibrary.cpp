// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `compare` calls: the compiled products with flat arguments, the packing
// of weights, and plain reading.

#include "moe/Target/CPU/PackedLayout.h"

#include <cstdint>

using namespace mlir::moe;

namespace {

/// MLIR's memrefs of rank 2 and 1.
struct Matrix {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t sizes[2];
  int64_t strides[2];
};
struct Vector {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t size;
  int64_t stride;
};

using Cells = float __attribute__((vector_size(32), aligned(32)));

} // namespace

extern "C" {

void _mlir_ciface_matmul_f32(Matrix *rows, void *table, Vector *offsets,
                             Matrix *out, int64_t begin, int64_t end);
void _mlir_ciface_matmul_bf16(Matrix *rows, void *table, Vector *offsets,
                              Matrix *out, int64_t begin, int64_t end);

int64_t bench_packed_bytes(int64_t k, int64_t n, int32_t bf16) {
  PackedLayout layout{k, n, bf16 ? PackedType::bf16 : PackedType::f32};
  return layout.bytes();
}

/// Packs a matrix [N, K].
void bench_pack(const void *source, int64_t k, int64_t n, int32_t bf16,
                void *packed) {
  PackedLayout layout{k, n, bf16 ? PackedType::bf16 : PackedType::f32};
  packFromRowsOut(layout, {source, k}, {0, layout.panels()}, packed);
}

/// offsets: groups + 1 row numbers; table: one packed matrix a group.
void bench_matmul(void *rows, void *table, int32_t *offsets, int64_t groups,
                  void *out, int64_t k, int64_t n, int32_t bf16) {
  int64_t count = offsets[groups];
  int64_t panels =
      (n + PackedLayout::panelColumns - 1) / PackedLayout::panelColumns;
  Matrix rowsArg = {rows, rows, 0, {count, k}, {k, 1}};
  Vector offsetsArg = {offsets, offsets, 0, groups + 1, 1};
  Matrix outArg = {out, out, 0, {count, n}, {n, 1}};
  if (bf16) {
    _mlir_ciface_matmul_bf16(&rowsArg, table, &offsetsArg, &outArg, 0, panels);
  } else {
    _mlir_ciface_matmul_f32(&rowsArg, table, &offsetsArg, &outArg, 0, panels);
  }
}

/// Reads `bytes` (a multiple of 128) as fast as one core can.
void bench_read(const void *data, int64_t bytes) {
  auto *cells = static_cast<const Cells *>(data);
  Cells sums[4] = {};
  for (int64_t i = 0; i < bytes / 32; i += 4) {
    __builtin_prefetch(cells + i + 192);
    __builtin_prefetch(cells + i + 194);
    for (int64_t j = 0; j < 4; ++j) {
      sums[j] += cells[i + j];
    }
  }
  Cells total = sums[0] + sums[1] + sums[2] + sums[3];
  asm volatile("" : : "m"(total));
}

} // extern "C"
