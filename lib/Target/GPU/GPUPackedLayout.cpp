// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/GPUPackedLayout.h"

#include <algorithm>
#include <cstring>

using namespace mlir::moe;

void mlir::moe::packFromRowsOut(const GPUPackedLayout &layout,
                                const PackSource &source, PanelRange rows,
                                void *packed) {
  int64_t element = packedElementBytes(layout.type);
  int64_t rowBytes = layout.paddedK() * element;
  const auto *matrix = static_cast<const char *>(source.data);
  auto *target = static_cast<char *>(packed);
  for (int64_t n = rows.begin; n < rows.end; ++n) {
    char *row = target + n * rowBytes;
    int64_t used = n < layout.n ? layout.k * element : 0;
    if (used > 0) {
      int64_t place = (source.firstN + n) * source.rowStride + source.firstK;
      std::memcpy(row, matrix + place * element, used);
    }
    std::memset(row + used, 0, rowBytes - used);
  }
}

/// Rows of the source that are read side by side: their cache lines stay in L1
/// until all columns in them are taken.
static constexpr int64_t blockRows = 64;

/// A transposition, by blocks of rows of the source.
template <typename Element>
static void transpose(const GPUPackedLayout &layout, const PackSource &source,
                      PanelRange rows, void *packed) {
  const auto *matrix = static_cast<const char *>(source.data);
  auto *target = static_cast<Element *>(packed);
  for (int64_t n = rows.begin; n < rows.end; ++n) {
    Element *row = target + n * layout.paddedK();
    int64_t used = n < layout.n ? layout.k : 0;
    std::fill(row + used, row + layout.paddedK(), Element(0));
  }
  int64_t end = std::min(rows.end, layout.n);
  for (int64_t first = 0; first < layout.k; first += blockRows) {
    int64_t last = std::min(first + blockRows, layout.k);
    for (int64_t n = rows.begin; n < end; ++n) {
      Element *row = target + n * layout.paddedK();
      for (int64_t k = first; k < last; ++k) {
        int64_t place =
            (source.firstK + k) * source.rowStride + source.firstN + n;
        // The source need not be aligned.
        std::memcpy(row + k, matrix + place * int64_t(sizeof(Element)),
                    sizeof(Element));
      }
    }
  }
}

void mlir::moe::packFromColumns(const GPUPackedLayout &layout,
                                const PackSource &source, PanelRange rows,
                                void *packed) {
  if (layout.type == PackedType::f32) {
    transpose<uint32_t>(layout, source, rows, packed);
  } else {
    transpose<uint16_t>(layout, source, rows, packed);
  }
}
