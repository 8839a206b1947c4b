// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EagerMail.h - Tiny blocks, sent before they are wanted ---*- C++ -*-===//
//
// Where a rank sends very little, copying it once more costs less than letting
// the receivers come for it. The sender writes a message to each receiver, with
// the block and all that the receiver has to check, in one piece of memory: it
// crosses from core to core in one go, and neither waits for the other to have
// been there.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_THREADS_EAGERMAIL_H
#define MOERT_TRANSPORTS_THREADS_EAGERMAIL_H

#include "core/Operation.h"

#include <atomic>
#include <memory>

namespace moert {

constexpr size_t cacheLine = 64;
/// CPUs fetch the neighbour of a line along with it: what different cores write
/// lies in different pairs.
constexpr size_t linePair = 2 * cacheLine;

/// One cache line, and the beginning of the block in its neighbour; the rest of
/// the block follows.
struct alignas(linePair) EagerMessage {
  /// Of the exchange; written last.
  std::atomic<int64_t> stamp{0};
  /// The sender has completed all exchanges below this one.
  int64_t completed = 0;
  Signature signature;
  int32_t rows = 0;
  int32_t bytes = 0;
  char start[cacheLine];

  char *block() { return start; }
  const char *block() const { return start; }
  /// Fetches the block, which lies in the sender's cache.
  void prefetch() const {
    for (int32_t offset = 0; offset < bytes; offset += int32_t(cacheLine)) {
      __builtin_prefetch(block() + offset);
    }
  }
};
static_assert(sizeof(EagerMessage) == linePair);

/// The messages of one group, each of which is used again `depth` exchanges
/// later.
class EagerMail {
public:
  static constexpr int64_t depth = 8;

  /// For a group of `size` ranks.
  explicit EagerMail(size_t size);

  /// Whether all blocks of a part are tiny, and of a kind that can be copied.
  bool accepts(const Operation &part) const;
  /// Writes a message to each other member. Those of `depth` exchanges before
  /// must have been read.
  void send(const Operation &part, int64_t stamp, int64_t completed);
  /// Whether all messages for a member are there.
  bool isComplete(int64_t stamp, int32_t receiver) const;
  /// From the sender to the receiver, two different members of the group.
  const EagerMessage &message(int64_t stamp, int32_t sender,
                              int32_t receiver) const;

private:
  size_t index(int64_t stamp, int32_t sender, int32_t receiver) const;

  const int32_t size;
  /// Bytes of a block.
  const int64_t capacity;
  /// Pairs of lines of a message.
  const size_t stride;
  /// Messages, each followed by the rest of its block.
  std::unique_ptr<EagerMessage[]> pairs;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_EAGERMAIL_H
