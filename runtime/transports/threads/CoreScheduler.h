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
// Before it sleeps, a rank stands by for a moment: awake, and without the core
// while another rank could use it. A core then changes hands by one switch of
// threads and without a lock, which takes half as long as waking a sleeper, and
// no core falls idle between one collective and the next.
//
// A rank comes back to the core on which it ran before if that is free: its
// data is in that core's cache, and where threads are bound to their cores, a
// hand-over from one to the next is a plain switch on one CPU (2 us) instead of
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

/// What a waiting rank waits for.
class Condition {
public:
  virtual ~Condition() = default;
  /// Whether the rank has something to do. Read without a lock; what sleepers
  /// wait for becomes true by sequentially consistent stores, before dispatch
  /// is called.
  virtual bool actionable() const = 0;
};

class CoreScheduler {
public:
  /// `cores` 0: no limit. `cpus`: the CPU of each core, to which ranks that
  /// call bindThread are bound; empty: they are not.
  CoreScheduler(int32_t ranks, int32_t cores, std::vector<int32_t> cpus);

  /// The core on which a rank runs first.
  int32_t homeOf(int32_t rank) const { return rank % int32_t(cores.size()); }

  /// Called by the rank's own thread before anything else.
  void bindThread(int32_t rank);

  /// Waits awake, for about `ns` nanoseconds at most. Returns true when the
  /// condition is actionable and the rank holds a core if it held one before,
  /// or when the job has failed; otherwise the rank must call park.
  bool standBy(int32_t rank, const Condition &condition, int64_t ns);
  /// Sleeps until the condition is actionable and, if the rank held a core, it
  /// holds one again. Returns false when `until` has passed; the rank then must
  /// call park again with the same condition.
  bool park(int32_t rank, const Condition &condition, int64_t until);
  /// Takes a core, like park.
  bool acquire(int32_t rank, int64_t until);
  void release(int32_t rank);

  /// Some condition may have become actionable.
  void dispatch();
  bool hasSleepers() const {
    return sleeperCount.load(std::memory_order_seq_cst) > 0;
  }
  /// From now on nobody sleeps: the job has failed.
  void drain();
  /// The ranks that hold a core.
  std::vector<int32_t> holders() const;

private:
  static constexpr size_t batchSize = 16;
  struct alignas(64) Core {
    std::atomic<int32_t> holder{nobody};
    /// A sleeping rank that ran here could run.
    std::atomic<bool> wanted{false};
    /// Ranks that stand by here.
    std::atomic<int32_t> standingBy{0};
    /// Until then, as from now(), nobody yields here.
    std::atomic<int64_t> crowdedUntil{0};
  };
  static constexpr int32_t nobody = -1;
  /// What is not atomic belongs to the rank's own thread while it is awake, and
  /// to who holds the mutex while it sleeps.
  struct alignas(64) Seat {
    Parker parker;
    /// It has gone to sleep and not come back, though it may have been granted
    /// a core meanwhile.
    bool asleep = false;
    const Condition *condition = nullptr;
    /// It computes between its waits, and not only waits.
    bool needsCore = false;
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

  Core &coreOf(int32_t rank) { return cores[size_t(seats[size_t(rank)].core)]; }
  bool holdsCore(int32_t rank);
  bool take(Core &core, int32_t rank);
  void giveUp(int32_t rank);
  bool yieldCore(int32_t rank);
  bool sleep(int32_t rank, const Condition &condition, int64_t until);
  bool takeFor(int32_t rank, bool anyCore);
  bool grant(int32_t rank, bool anyCore, Batch &batch);
  bool someCoreIsFree() const;
  void grantAll(Batch &batch);
  void unpark(const Batch &batch);
  void moveThread(const Seat &seat) const;
  void wake();

  const bool limited;
  const std::vector<int32_t> cpus;
  mutable ShortMutex mutex;
  std::atomic<bool> drained{false};
  std::vector<Seat> seats;
  std::vector<Core> cores;
  /// Sleeping ranks, the longest first.
  std::vector<int32_t> sleepers;
  alignas(64) std::atomic<int32_t> sleeperCount{0};
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_CORESCHEDULER_H
