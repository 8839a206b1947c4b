// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EagerBuffer.cpp ----------------------------------------------------===//

#include "transports/threads/EagerBuffer.h"

#include <cstring>

namespace moert {

void EagerBuffers::capture(Operation &part, int64_t sequence) {
  if (part.kind == MOERT_BARRIER) {
    return;
  }
  if (!buffers) {
    buffers = std::make_unique<Buffer[]>(size_t(count));
  }
  Buffer &buffer = buffers[size_t(sequence % count)];
  const char *source = part.src;
  if (part.kind == MOERT_ALL_TO_ALL_V) {
    int32_t first = part.srcOffsets[0];
    source += first * part.rowBytes;
    for (int32_t p = 0; p <= part.size; ++p) {
      buffer.offsets[p] = part.srcOffsets[p] - first;
    }
    part.srcOffsets = buffer.offsets;
  }
  if (int64_t size = part.sourceBytes()) {
    std::memcpy(buffer.data, source, size_t(size));
  }
  part.src = buffer.data;
}

} // namespace moert
