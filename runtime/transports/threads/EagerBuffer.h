// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EagerBuffer.h - Copies of tiny sources -------------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_EAGERBUFFER_H
#define MOERT_TRANSPORTS_THREADS_EAGERBUFFER_H

#include "core/Operation.h"

#include <memory>
#include <vector>

namespace moert {

/// One member's tiny sources in flight. Copying them once more costs less than
/// waiting until every receiver has read them.
class EagerBuffers {
public:
  /// A buffer is used again this many exchanges later.
  static constexpr int64_t count = 8;
  static constexpr int64_t bytes = 2048;
  /// Larger groups need their memory for other things.
  static constexpr int32_t largestGroup = 64;

  /// Whether the part's source is tiny, and of a kind that can be copied.
  static bool accepts(const Operation &part) {
    switch (part.kind) {
    case MOERT_BARRIER:
      return true;
    case MOERT_ALL_TO_ALL_V:
    case MOERT_ALL_TO_ALL:
      return part.bytes <= bytes && part.size <= largestGroup;
    case MOERT_ALL_GATHER:
    case MOERT_ALL_GATHER_V:
      return part.sourceBytes() <= bytes && part.size <= largestGroup;
    default:
      return false;
    }
  }

  /// Copies the source, and the offsets that tell receivers what is theirs,
  /// and makes the part refer to the copy.
  void capture(Operation &part, int64_t sequence);

  /// Fetches the beginning of the next buffer.
  void prefetch(int64_t sequence) const {
    if (buffers) {
      const Buffer &buffer = buffers[size_t(sequence % count)];
      __builtin_prefetch(buffer.offsets, 1);
      __builtin_prefetch(buffer.data, 1);
      __builtin_prefetch(buffer.data + 64, 1);
    }
  }

private:
  struct alignas(64) Buffer {
    char data[bytes];
    int32_t offsets[largestGroup + 1];
  };
  std::unique_ptr<Buffer[]> buffers;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_EAGERBUFFER_H
