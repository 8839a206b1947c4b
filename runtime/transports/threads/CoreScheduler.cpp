// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreScheduler.cpp --------------------------------------------------===//

#include "transports/threads/CoreScheduler.h"

#include <algorithm>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace moert {

static void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

namespace {
class Always : public Condition {
public:
  bool actionable() const override { return true; }
};
} // namespace

static const Always always;

CoreScheduler::CoreScheduler(int32_t ranks, int32_t cores,
                             std::vector<int32_t> cpus)
    : limited(cores > 0), cpus(std::move(cpus)), seats(size_t(ranks)),
      cores(size_t(std::max(cores, 1))) {
  sleepers.reserve(size_t(ranks));
  for (int32_t rank = 0; rank < ranks; ++rank) {
    seats[size_t(rank)].core = homeOf(rank);
  }
}

void CoreScheduler::moveThread(const Seat &seat) const {
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(size_t(cpus[size_t(seat.core)]), &set);
  // May fail where the process has lost that CPU; the thread then runs on where
  // it is.
  pthread_setaffinity_np(seat.thread, sizeof(set), &set);
#endif
}

void CoreScheduler::bindThread(int32_t rank) {
#ifdef __linux__
  if (!cpus.empty()) {
    Seat &seat = seats[size_t(rank)];
    seat.thread = pthread_self();
    moveThread(seat);
    std::lock_guard<ShortMutex> lock(mutex);
    seat.bound = true;
  }
#endif
}

bool CoreScheduler::holdsCore(int32_t rank) {
  return coreOf(rank).holder.load(std::memory_order_relaxed) == rank;
}

/// Takes a core that is free.
bool CoreScheduler::take(Core &core, int32_t rank) {
  int32_t holder = core.holder.load(std::memory_order_seq_cst);
  return holder == nobody && core.holder.compare_exchange_strong(
                                 holder, rank, std::memory_order_seq_cst);
}

void CoreScheduler::giveUp(int32_t rank) {
  Core &core = coreOf(rank);
  core.holder.store(nobody, std::memory_order_seq_cst);
  // Pairs with grant: either that finds the core free, or the rank that it
  // could not wake is seen here.
  if (core.wanted.load(std::memory_order_seq_cst)) {
    wake();
  }
}

/// Lets another rank run on the core. Returns false where the rank had better
/// sleep: to the system, a thread that yields has forgone its turn, and a
/// program that keeps the CPU busy takes it. One that has slept comes back at
/// once.
bool CoreScheduler::yieldCore(int32_t rank) {
  constexpr int64_t crowdedNs = 500000;
  constexpr int64_t respiteNs = 250000000;
  Core &core = coreOf(rank);
  int64_t before = now();
  if (before < core.crowdedUntil.load(std::memory_order_relaxed)) {
    return false;
  }
  if (holdsCore(rank)) {
    giveUp(rank);
  }
  std::this_thread::yield();
  int64_t after = now();
  if (after - before > crowdedNs) {
    core.crowdedUntil.store(after + respiteNs, std::memory_order_relaxed);
  }
  return true;
}

bool CoreScheduler::standBy(int32_t rank, const Condition &condition,
                            int64_t ns) {
  constexpr int turns = 32;
  Core &core = coreOf(rank);
  bool needsCore = limited && seats[size_t(rank)].needsCore;
  auto goesOn = [&] {
    return (condition.actionable() &&
            (!needsCore || holdsCore(rank) || take(core, rank))) ||
           drained.load(std::memory_order_relaxed);
  };
  auto isShared = [&] {
    return needsCore && (!holdsCore(rank) ||
                         core.standingBy.load(std::memory_order_relaxed) > 1 ||
                         core.wanted.load(std::memory_order_relaxed));
  };
  core.standingBy.fetch_add(1, std::memory_order_relaxed);
  bool through = false;
  int64_t until = 0;
  do {
    if (isShared()) {
      if (!yieldCore(rank)) {
        break;
      }
      through = goesOn();
    } else {
      for (int turn = 0; turn < turns && !through; ++turn) {
        pause();
        through = goesOn();
      }
    }
    // Ranks in step come within a moment: the clock is only read after it.
    until = until == 0 && !through ? now() + ns : until;
  } while (!through && now() < until);
  core.standingBy.fetch_sub(1, std::memory_order_relaxed);
  return through;
}

bool CoreScheduler::sleep(int32_t rank, const Condition &condition,
                          int64_t until) {
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    Batch batch;
    std::unique_lock<ShortMutex> lock(mutex);
    if (drained.load(std::memory_order_relaxed)) {
      return true;
    }
    seat.asleep = true;
    seat.condition = &condition;
    sleepers.push_back(rank);
    // Pairs with dispatch: either it sees the sleeper, or the sleeper sees that
    // its condition holds.
    sleeperCount.fetch_add(1, std::memory_order_seq_cst);
    if (holdsCore(rank)) {
      coreOf(rank).holder.store(nobody, std::memory_order_seq_cst);
    }
    grantAll(batch);
    lock.unlock();
    unpark(batch);
  }
  seat.asleep = !seat.parker.park(until);
  return !seat.asleep;
}

bool CoreScheduler::park(int32_t rank, const Condition &condition,
                         int64_t until) {
  return sleep(rank, condition, until);
}

bool CoreScheduler::acquire(int32_t rank, int64_t until) {
  if (!limited) {
    return true;
  }
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    seat.needsCore = true;
    if (holdsCore(rank) || take(coreOf(rank), rank)) {
      return true;
    }
  }
  return sleep(rank, always, until);
}

void CoreScheduler::release(int32_t rank) {
  seats[size_t(rank)].needsCore = false;
  if (holdsCore(rank)) {
    giveUp(rank);
  }
}

void CoreScheduler::dispatch() {
  if (hasSleepers()) {
    wake();
  }
}

void CoreScheduler::drain() {
  {
    std::lock_guard<ShortMutex> lock(mutex);
    drained.store(true, std::memory_order_relaxed);
  }
  wake();
}

std::vector<int32_t> CoreScheduler::holders() const {
  std::vector<int32_t> ranks;
  for (const Core &core : cores) {
    int32_t holder = core.holder.load(std::memory_order_relaxed);
    if (holder != nobody) {
      ranks.push_back(holder);
    }
  }
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

/// Takes the core on which a sleeper ran, or, with anyCore, the first that is
/// free. Under mutex.
bool CoreScheduler::takeFor(int32_t rank, bool anyCore) {
  Core &own = coreOf(rank);
  if (take(own, rank)) {
    return true;
  }
  own.wanted.store(true, std::memory_order_seq_cst);
  if (take(own, rank)) {
    return true;
  }
  for (size_t core = 0; anyCore && core < cores.size(); ++core) {
    if (take(cores[core], rank)) {
      seats[size_t(rank)].core = int32_t(core);
      return true;
    }
  }
  return false;
}

/// Lets a sleeper go if it can run now. Under mutex.
bool CoreScheduler::grant(int32_t rank, bool anyCore, Batch &batch) {
  Seat &seat = seats[size_t(rank)];
  bool failed = drained.load(std::memory_order_relaxed);
  if (batch.count == batchSize || !(failed || seat.condition->actionable())) {
    return false;
  }
  int32_t before = seat.core;
  if (limited && seat.needsCore && !failed && !takeFor(rank, anyCore)) {
    return false;
  }
  batch.grants[batch.count++] = {&seat, seat.bound && seat.core != before};
  return true;
}

bool CoreScheduler::someCoreIsFree() const {
  return std::any_of(cores.begin(), cores.end(), [](const Core &core) {
    return core.holder.load(std::memory_order_relaxed) == nobody;
  });
}

/// Under mutex.
void CoreScheduler::grantAll(Batch &batch) {
  for (Core &core : cores) {
    core.wanted.store(false, std::memory_order_seq_cst);
  }
  size_t before = sleepers.size();
  for (bool anyCore : {false, true}) {
    auto granted = [&](int32_t rank) { return grant(rank, anyCore, batch); };
    sleepers.erase(std::remove_if(sleepers.begin(), sleepers.end(), granted),
                   sleepers.end());
    if (!someCoreIsFree()) {
      break;
    }
  }
  if (sleepers.size() < before) {
    sleeperCount.fetch_sub(int32_t(before - sleepers.size()));
  }
}

/// The system calls are made outside the lock, a batch at a time.
void CoreScheduler::unpark(const Batch &batch) {
  for (size_t i = 0; i < batch.count; ++i) {
    if (batch.grants[i].moves) {
      moveThread(*batch.grants[i].seat);
    }
    batch.grants[i].seat->parker.unpark();
  }
  if (batch.count == batchSize) {
    wake();
  }
}

void CoreScheduler::wake() {
  Batch batch;
  {
    std::lock_guard<ShortMutex> lock(mutex);
    grantAll(batch);
  }
  unpark(batch);
}

} // namespace moert
