// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Exchange.h - One collective of one group -----------------*- C++ -*-===//
//
// The meeting point of the n ranks of a group at one place of its sequence.
// Nothing in it is locked:
//
//   publish   each rank writes its part, then its stamp
//   arrive    the last one to do so opens the exchange: large groups count
//             arrivals, small ones look at each other's stamps
//   move      n tasks, one a receiver, which any rank of the group may claim,
//             its own first
//   done      all tasks are finished
//
// A rank that waits claims tasks of ranks that are not there yet, so with fewer
// cores than ranks those that run do all the work, and the others are woken
// once, when it is done. Two shortcuts for little data: the rank that opens a
// small exchange does all tasks itself; and where all parts are *eager* (sent
// as messages, see EagerMail, before they were published) each rank takes what
// is for it and goes on, without waiting for the others to do the same.
//
// Records are reused in a ring. A stamp is the sequence number plus one, so
// nothing that the last user left behind can be mistaken for news.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_THREADS_EXCHANGE_H
#define MOERT_TRANSPORTS_THREADS_EXCHANGE_H

#include "transports/threads/EagerMail.h"

#include <atomic>
#include <memory>
#include <vector>

namespace moert {

/// What one rank publishes: constant until the record is reused.
struct alignas(linePair) Part {
  std::atomic<int64_t> stamp{0};
  /// Its blocks have been sent as messages.
  bool eager = false;
  Operation operation;

  bool isPublished(int64_t wanted) const {
    return stamp.load(std::memory_order_seq_cst) == wanted;
  }
};

struct Exchange {
  /// `counted`: arrivals are counted.
  Exchange(size_t size, bool counted)
      : counted(counted), parts(size),
        claimed(new std::atomic<int64_t>[size]()) {}

  /// Whether all parts are there. For small groups.
  bool allPublished(int64_t stamp) const {
    for (const Part &part : parts) {
      if (!part.isPublished(stamp)) {
        return false;
      }
    }
    return true;
  }
  /// Only once all parts are there.
  bool allEager() const {
    for (const Part &part : parts) {
      if (!part.eager) {
        return false;
      }
    }
    return true;
  }
  /// Whether every part is there, and eager.
  bool openedEager(int64_t stamp) const {
    return counted
               ? openedStamp.load(std::memory_order_seq_cst) == stamp * 2 + 1
               : allPublished(stamp) && allEager();
  }
  /// Whether data may move that is not eager.
  bool opened(int64_t stamp) const {
    return openedStamp.load(std::memory_order_seq_cst) == stamp * 2;
  }
  bool done(int64_t stamp) const {
    return doneStamp.load(std::memory_order_seq_cst) == stamp;
  }
  /// Whether a rank can do something about data that is not eager.
  bool workable(int64_t stamp) const {
    return opened(stamp) &&
           (unclaimed.load(std::memory_order_seq_cst) > 0 || done(stamp));
  }

  const bool counted;
  std::vector<Part> parts;

  /// Arrivals in the lower half, those that are not eager in the upper half.
  /// The last one sets it back to 0.
  alignas(cacheLine) std::atomic<uint64_t> arrivals{0};
  /// Twice the stamp, plus one if all parts are eager.
  std::atomic<int64_t> openedStamp{0};
  /// Where arrivals are not counted: the stamp of the last exchange with a part
  /// that is not eager, so that somebody has to open it; and of the last one
  /// that a rank has undertaken to open.
  std::atomic<int64_t> plainStamp{0};
  std::atomic<int64_t> openerStamp{0};

  alignas(cacheLine) std::atomic<uint32_t> unclaimed{0};
  std::atomic<uint32_t> finished{0};
  std::atomic<int64_t> doneStamp{0};
  /// Ranks that may be moving data.
  std::atomic<uint32_t> active{0};
  /// Per receiver: the stamp of the exchange in which it was claimed.
  std::unique_ptr<std::atomic<int64_t>[]> claimed;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_EXCHANGE_H
