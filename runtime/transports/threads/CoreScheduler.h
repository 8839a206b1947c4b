// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreScheduler.h - Who may run, who sleeps ----------------*- C++ -*-===//
//
// Ranks may far outnumber cores. A core is a permit: a rank that has to wait
// gives its core up, and gets one back when what it waits for has happened
// *and* a core is free. Whoever changes something that others may wait for
// calls dispatch, which wakes exactly those ranks that can run now, in the
// order in which they fell asleep. So a rank is woken once a wait, never to
// find that it must sleep on, and a core never idles while a rank could use it.
//
// A rank comes back to the core on which it ran before if that is free: its
// data is in that core's cache, and where threads are bound to their cores, a
// hand-over from one to the next is a plain switch on one CPU (3 us) instead of
// the wake-up of another (20 us). A free core takes a rank of another one only
// when none of its own can run.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H
#define MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H

#include "transports/threads/Parker.h"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
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
  /// `cores` 0: no limit. `cpus`: the CPU of each core, to which ranks that
  /// call bindThread are bound; empty: they are not.
  CoreScheduler(int32_t ranks, int32_t cores, std::vector<int32_t> cpus);

  /// 0: no limit.
  int32_t cores() const { return coreCount; }
  /// The core on which a rank runs first.
  int32_t homeOf(int32_t rank) const {
    return coreCount > 0 ? rank % coreCount : 0;
  }

  /// Called by the rank's own thread before anything else.
  void bindThread(int32_t rank);

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
  /// Whether another rank waits for the core that this one holds.
  bool coreWanted(int32_t rank) const {
    const Seat &seat = seats[size_t(rank)];
    return seat.holdsCore &&
           wanted[size_t(seat.core)].load(std::memory_order_relaxed);
  }
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
    /// Where it runs, or ran last.
    int32_t core = 0;
    bool bound = false;
    std::thread::native_handle_type thread = {};
  };
  struct Grant {
    Seat *seat;
    /// The rank's thread has to be bound to another CPU first.
    bool moves;
  };
  struct Batch {
    std::array<Grant, batchSize> grants;
    size_t count = 0;
  };

  bool sleep(int32_t rank, const Condition &condition, bool wantsCore,
             int64_t until);
  void grantAll(Batch &batch);
  bool grant(int32_t rank, bool anyCore, Batch &batch);
  void giveUp(Seat &seat);
  void unpark(const Batch &batch);
  void moveThread(const Seat &seat) const;
  void wake();

  const int32_t coreCount;
  const std::vector<int32_t> cpus;
  mutable ShortMutex mutex;
  bool drained = false;
  std::vector<Seat> seats;
  /// Per core: how many ranks hold it. More than one only once drained.
  std::vector<int32_t> users;
  /// Sleeping ranks, the longest first.
  std::vector<int32_t> sleepers;
  alignas(64) std::atomic<int32_t> sleeperCount{0};
  /// Per core: a rank that ran there could run.
  std::unique_ptr<std::atomic<bool>[]> wanted;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H
