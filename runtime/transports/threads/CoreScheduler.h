// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreScheduler.h - Who may run, who sleeps ----------------*- C++ -*-===//
//
// Ranks may far outnumber cores. A core is a permit: a rank that has to wait
// gives its permit up, and gets one back when what it waits for has happened
// *and* a permit is free. Whoever changes something that others may wait for
// calls dispatch, which wakes exactly those ranks that can run now, in the
// order in which they fell asleep. So a rank is woken once a wait, never to
// find that it must sleep on, and a permit never idles while a rank could use
// it.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H
#define MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H

#include "transports/threads/Parker.h"

#include <array>
#include <cstddef>
#include <mutex>
#include <vector>

namespace moert {

/// A mutex for critical sections far shorter than a sleep.
class ShortMutex {
public:
  void lock() {
    for (int attempt = 0; attempt < 64; ++attempt) {
      if (mutex.try_lock()) {
        return;
      }
    }
    mutex.lock();
  }
  void unlock() { mutex.unlock(); }

private:
  std::mutex mutex;
};

/// What a sleeping rank waits for.
class Condition {
public:
  virtual ~Condition() = default;
  /// Whether the rank has something to do. Read without a lock: becomes true by
  /// sequentially consistent stores, before dispatch is called.
  virtual bool actionable() const = 0;
};

class CoreScheduler {
public:
  /// `permits` 0: no limit.
  CoreScheduler(int32_t ranks, int32_t permits);

  int32_t permits() const { return permitCount; }

  /// Sleeps until the condition is actionable and, if the rank held a core, it
  /// holds one again. Returns false when `until` has passed; the rank then must
  /// call park again with the same condition.
  bool park(int32_t rank, const Condition &condition, int64_t until);
  /// Takes a core, like park.
  bool acquire(int32_t rank, int64_t until);
  void release(int32_t rank);

  /// Some condition may have become actionable.
  void dispatch();
  /// From now on nobody sleeps: the job has failed.
  void drain();
  /// The ranks that hold a core.
  std::vector<int32_t> holders() const;

private:
  static constexpr size_t batchSize = 16;
  struct Seat {
    Parker parker;
    /// Of the rank's own thread: it has gone to sleep and not come back, though
    /// it may have been granted a core meanwhile.
    bool asleep = false;
    const Condition *condition = nullptr;
    bool holdsCore = false;
    bool wantsCore = false;
  };

  bool sleep(int32_t rank, const Condition &condition, bool wantsCore,
             int64_t until);
  size_t grant(std::array<Parker *, batchSize> &granted);
  void wake();

  const int32_t permitCount;
  mutable ShortMutex mutex;
  int32_t freeCores;
  bool drained = false;
  std::vector<Seat> seats;
  /// Sleeping ranks, the longest first.
  std::vector<int32_t> sleepers;
  std::atomic<int32_t> sleeperCount{0};
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H
