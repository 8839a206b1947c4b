// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both dtypes are packed as 32-bit cells: a bf16 cell holds two neighbours in
// k. Out of [N, K] this is a transposition of cells; out of [K, N] it is a copy
// (f32) or an interleaving of two rows (bf16).

#include "moe/Target/CPU/PackedLayout.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

using namespace mlir::moe;

namespace {

constexpr int64_t panelColumns = PackedLayout::panelColumns;

/// Four cells; loaded and stored without any assumption on alignment.
using Quad = uint32_t __attribute__((vector_size(16)));

} // namespace

static Quad loadQuad(const char *source) {
  Quad quad;
  std::memcpy(&quad, source, sizeof(quad));
  return quad;
}

static void storeQuad(uint32_t *target, Quad quad) {
  std::memcpy(target, &quad, sizeof(quad));
}

/// Transposes a 4 × 4 block of cells: source rows are `stride` bytes apart,
/// target rows one panel row.
static void transposeQuads(const char *source, int64_t stride,
                           uint32_t *target) {
  Quad a = loadQuad(source);
  Quad b = loadQuad(source + stride);
  Quad c = loadQuad(source + 2 * stride);
  Quad d = loadQuad(source + 3 * stride);
  Quad abLow = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  Quad abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  Quad cdLow = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  Quad cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  storeQuad(target, __builtin_shufflevector(abLow, cdLow, 0, 1, 4, 5));
  storeQuad(target + panelColumns,
            __builtin_shufflevector(abLow, cdLow, 2, 3, 6, 7));
  storeQuad(target + 2 * panelColumns,
            __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5));
  storeQuad(target + 3 * panelColumns,
            __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7));
}

/// Writes `count` cells (a multiple of 4) past the caches: a packed matrix is
/// not read before all of it is there, and lines that are wholly written need
/// not be fetched first.
static void streamCells(const uint32_t *source, int64_t count,
                        uint32_t *target) {
#ifdef __SSE2__
  for (int64_t i = 0; i < count; i += 4) {
    _mm_stream_si128(
        reinterpret_cast<__m128i *>(target + i),
        _mm_load_si128(reinterpret_cast<const __m128i *>(source + i)));
  }
#else
  std::memcpy(target, source, count * 4);
#endif
}

/// Makes streamed cells visible to whoever is told that packing is done.
static void finishStreams() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

/// Cells of one source row that are transposed at once: four cache lines, read
/// to their end before the next four rows. Rows are often a multiple of 4 KiB
/// apart, so more of them at once would fall on the same cache set.
static constexpr int64_t blockCells = 64;

/// Transposes cells [begin, end) of four source rows into columns of `block`.
static void transposeFourRows(const char *rows, int64_t stride, int64_t begin,
                              int64_t end, uint32_t *block) {
  int64_t cell = begin;
  for (; cell + 4 <= end; cell += 4) {
    if (cell % 16 == 0) {
      for (int64_t i = 0; i < 4; ++i) {
        __builtin_prefetch(rows + i * stride + (cell + blockCells) * 4);
      }
    }
    transposeQuads(rows + cell * 4, stride,
                   block + (cell - begin) * panelColumns);
  }
  for (; cell < end; ++cell) {
    for (int64_t i = 0; i < 4; ++i) {
      std::memcpy(block + (cell - begin) * panelColumns + i,
                  rows + i * stride + cell * 4, 4);
    }
  }
}

/// Transposes `columns` source rows of `cells` whole cells each, and zeroes
/// the rest of the panel's columns.
static void transposeCells(const char *source, int64_t stride, int64_t columns,
                           int64_t cells, uint32_t *panel) {
  // 8 KiB, which stay in L1 until all 32 columns are there.
  alignas(64) uint32_t block[blockCells * panelColumns] = {};
  for (int64_t begin = 0; begin < cells; begin += blockCells) {
    int64_t end = std::min(begin + blockCells, cells);
    int64_t column = 0;
    for (; column + 4 <= columns; column += 4) {
      transposeFourRows(source + column * stride, stride, begin, end,
                        block + column);
    }
    for (; column < columns; ++column) {
      for (int64_t cell = begin; cell < end; ++cell) {
        std::memcpy(block + (cell - begin) * panelColumns + column,
                    source + column * stride + cell * 4, 4);
      }
    }
    streamCells(block, (end - begin) * panelColumns,
                panel + begin * panelColumns);
  }
}

/// The last panel row of a bf16 panel with an odd K: one element and a zero a
/// cell. `elementStride` is in bytes, from one column to the next.
static void packOddRow(const char *source, int64_t elementStride,
                       int64_t columns, uint32_t *row) {
  for (int64_t column = 0; column < panelColumns; ++column) {
    uint16_t low = 0;
    if (column < columns) {
      std::memcpy(&low, source + column * elementStride, 2);
    }
    row[column] = low;
  }
}

/// One panel row out of two rows of a bf16 matrix [K, N].
static void interleaveRows(const char *even, const char *odd, int64_t columns,
                           uint32_t *row) {
  uint16_t low[panelColumns] = {};
  uint16_t high[panelColumns] = {};
  if (columns == panelColumns) {
    std::memcpy(low, even, sizeof(low));
    std::memcpy(high, odd, sizeof(high));
  } else {
    std::memcpy(low, even, columns * 2);
    std::memcpy(high, odd, columns * 2);
  }
  for (int64_t column = 0; column < panelColumns; ++column) {
    row[column] = low[column] | static_cast<uint32_t>(high[column]) << 16;
  }
}

/// Calls `pack` for each panel: its number, its columns, and where it goes.
static void
eachPanel(const PackedLayout &layout, PanelRange panels, void *packed,
          llvm::function_ref<void(int64_t, int64_t, uint32_t *)> pack) {
  assert(panels.begin >= 0 && panels.end <= layout.panels());
  for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
    int64_t columns = std::min(panelColumns, layout.n - panel * panelColumns);
    pack(panel, columns,
         reinterpret_cast<uint32_t *>(static_cast<char *>(packed) +
                                      panel * layout.panelBytes()));
  }
}

void mlir::moe::packFromRowsOut(const PackedLayout &layout,
                                const PackSource &source, PanelRange panels,
                                void *packed) {
  int64_t bytes = packedElementBytes(layout.type);
  int64_t stride = source.rowStride * bytes;
  const char *origin = static_cast<const char *>(source.data) +
                       source.firstN * stride + source.firstK * bytes;
  int64_t wholeCells = layout.k / layout.depth();
  eachPanel(layout, panels, packed,
            [&](int64_t panel, int64_t columns, uint32_t *target) {
              const char *rows = origin + panel * panelColumns * stride;
              transposeCells(rows, stride, columns, wholeCells, target);
              if (wholeCells != layout.panelRows()) {
                packOddRow(rows + wholeCells * 4, stride, columns,
                           target + wholeCells * panelColumns);
              }
            });
  finishStreams();
}

void mlir::moe::packFromColumns(const PackedLayout &layout,
                                const PackSource &source, PanelRange panels,
                                void *packed) {
  int64_t bytes = packedElementBytes(layout.type);
  int64_t stride = source.rowStride * bytes;
  const char *origin = static_cast<const char *>(source.data) +
                       source.firstK * stride + source.firstN * bytes;
  int64_t wholeCells = layout.k / layout.depth();
  eachPanel(layout, panels, packed,
            [&](int64_t panel, int64_t columns, uint32_t *row) {
              const char *from = origin + panel * panelColumns * bytes;
              for (int64_t cell = 0; cell < wholeCells;
                   ++cell, row += panelColumns) {
                const char *first = from + cell * layout.depth() * stride;
                if (layout.type == PackedType::bf16) {
                  interleaveRows(first, first + stride, columns, row);
                } else {
                  std::memcpy(row, first, columns * 4);
                  std::fill(row + columns, row + panelColumns, 0);
                }
              }
              if (wholeCells != layout.panelRows()) {
                packOddRow(from + wholeCells * layout.depth() * stride, 2,
                           columns, row);
              }
            });
}
