// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MemRefCopy.h"

#include <cstring>

using namespace mlir::moe;

namespace {

/// Sizes and strides of a ranked memref; its layout in memory is
/// {allocated, aligned, offset, sizes[rank], strides[rank]}.
struct View {
  char *data;
  const int64_t *sizes;
  const int64_t *strides;

  View(const UnrankedMemRef &memref, int64_t elementBytes) {
    auto *words = static_cast<int64_t *>(memref.descriptor);
    char *aligned = static_cast<char **>(memref.descriptor)[1];
    data = aligned + words[2] * elementBytes;
    sizes = words + 3;
    strides = sizes + memref.rank;
  }
};

} // namespace

/// Copies dimensions `dimension` and inward.
static void copyFrom(int64_t dimension, int64_t rank, int64_t elementBytes,
                     View source, View target) {
  if (dimension == rank) {
    std::memcpy(target.data, source.data, elementBytes);
    return;
  }
  int64_t size = source.sizes[dimension];
  if (dimension == rank - 1 && source.strides[dimension] == 1 &&
      target.strides[dimension] == 1) {
    std::memcpy(target.data, source.data, size * elementBytes);
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    copyFrom(dimension + 1, rank, elementBytes, source, target);
    source.data += source.strides[dimension] * elementBytes;
    target.data += target.strides[dimension] * elementBytes;
  }
}

void mlir::moe::moeMemRefCopy(int64_t elementBytes,
                              const UnrankedMemRef *source,
                              const UnrankedMemRef *target) {
  copyFrom(0, source->rank, elementBytes, View(*source, elementBytes),
           View(*target, elementBytes));
}
