// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EagerMail.cpp ------------------------------------------------------===//

#include "transports/threads/EagerMail.h"

#include <algorithm>
#include <cstring>

namespace moert {

/// Of all blocks that a rank sends in one exchange.
static constexpr int64_t largestSum = 2048;
/// The messages of a group grow with the square of its size.
static constexpr int64_t largestGroup = 64;

/// An equal share, in whole cache lines.
static int64_t blockCapacity(int64_t size) {
  int64_t line = int64_t(cacheLine);
  return std::max(largestSum / size, line) / line * line;
}

EagerMail::EagerMail(size_t size)
    : size(int32_t(size)), capacity(blockCapacity(int64_t(size))),
      stride((size_t(capacity) / cacheLine + 2) / 2) {
  if (this->size <= largestGroup) {
    pairs =
        std::make_unique<EagerMessage[]>(size_t(depth) * size * size * stride);
  }
}

bool EagerMail::accepts(const Operation &part) const {
  if (!pairs || part.reduces() || part.bytes > largestSum) {
    return false;
  }
  for (int32_t receiver = 0; receiver < size; ++receiver) {
    if (part.bytesTo(receiver) > capacity) {
      return false;
    }
  }
  return true;
}

size_t EagerMail::index(int64_t stamp, int32_t sender, int32_t receiver) const {
  int64_t slot = int64_t(sender) * depth + stamp % depth;
  return size_t(slot * size + receiver) * stride;
}

const EagerMessage &EagerMail::message(int64_t stamp, int32_t sender,
                                       int32_t receiver) const {
  return pairs[index(stamp, sender, receiver)];
}

void EagerMail::send(const Operation &part, int64_t stamp, int64_t completed) {
  for (int32_t step = 1; step < size; ++step) {
    // Each sender begins behind itself: no two begin at the same receiver.
    int32_t receiver = memberAfter(part.rank, step, size);
    EagerMessage &message = pairs[index(stamp, part.rank, receiver)];
    int64_t bytes = part.bytesTo(receiver);
    if (bytes > 0) {
      std::memcpy(message.block(), part.blockTo(receiver), size_t(bytes));
    }
    // The header at one go: the receiver may be looking at its line already,
    // and each look takes the line away from here.
    message.completed = completed;
    message.signature = part;
    message.rows = int32_t(part.rowsTo(receiver));
    message.bytes = int32_t(bytes);
    message.stamp.store(stamp, std::memory_order_release);
  }
}

bool EagerMail::isComplete(int64_t stamp, int32_t receiver) const {
  for (int32_t step = 1; step < size; ++step) {
    int32_t sender = memberAfter(receiver, step, size);
    if (message(stamp, sender, receiver)
            .stamp.load(std::memory_order_acquire) != stamp) {
      return false;
    }
  }
  return true;
}

} // namespace moert
