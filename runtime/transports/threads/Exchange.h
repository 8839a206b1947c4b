// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Exchange.h - One collective of one group -----------------*- C++ -*-===//
//
// The meeting point of the n ranks of a group at one place of its sequence.
//
//   arrive (each rank publishes its part) → open (data may move) → the work is
//   n tasks, one a receiver, that any rank of the group may claim, its own
//   first → done (all tasks finished) → depart (each rank); the last one out
//   recycles the record.
//
// A rank that waits claims tasks of ranks that are not there yet, so with fewer
// cores than ranks those that run do all the work, and the others are woken
// once, when it is done. A small exchange is not shared out: the rank that
// opens it does all of it.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_THREADS_EXCHANGE_H
#define MOERT_TRANSPORTS_THREADS_EXCHANGE_H

#include "core/Operation.h"
#include "transports/threads/CoreScheduler.h"

#include <atomic>
#include <memory>
#include <vector>

namespace moert {

class ThreadGroup;

class Exchange : public Condition {
public:
  explicit Exchange(ThreadGroup &group);

  bool actionable() const override {
    return done() || unclaimed.load(std::memory_order_seq_cst) > 0;
  }
  bool done() const { return finished.load(std::memory_order_seq_cst) == size; }

  ThreadGroup &group;
  const uint32_t size;

  // Under the group's mutex, and constant once the exchange is open.
  std::vector<Operation> parts;
  std::vector<bool> arrived;
  /// Ranks that allow the data to move: all that arrived, or, under
  /// MOERT_MOVE_LATE, all that wait.
  std::vector<bool> ready;
  uint32_t arrivedCount = 0;
  uint32_t readyCount = 0;
  int64_t bytes = 0;
  /// The first to arrive.
  int32_t first = -1;

  /// Departed ranks, for those who look for what was left behind.
  std::unique_ptr<std::atomic<bool>[]> departed;
  std::unique_ptr<std::atomic<bool>[]> claimed;
  alignas(64) std::atomic<uint32_t> unclaimed{0};
  alignas(64) std::atomic<uint32_t> finished{0};
  /// Ranks that may be moving data.
  alignas(64) std::atomic<uint32_t> active{0};
  alignas(64) std::atomic<uint32_t> departedCount{0};

  /// Claims a task for rank `self`, its own if it can; -1: there is none.
  int32_t claim(int32_t self);
  /// Makes the record ready for the next collective.
  void reset();
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_EXCHANGE_H
