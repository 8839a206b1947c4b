// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreScheduler.cpp --------------------------------------------------===//

#include "transports/threads/CoreScheduler.h"

#include <algorithm>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace moert {

namespace {
class Always : public Condition {
public:
  bool actionable() const override { return true; }
};
} // namespace

static const Always always;

CoreScheduler::CoreScheduler(int32_t ranks, int32_t cores,
                             std::vector<int32_t> cpus)
    : coreCount(cores), cpus(std::move(cpus)), seats(size_t(ranks)),
      users(size_t(std::max(cores, 1)), 0),
      wanted(new std::atomic<bool>[size_t(std::max(cores, 1))]()) {
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

/// Under mutex.
void CoreScheduler::giveUp(Seat &seat) {
  seat.holdsCore = false;
  --users[size_t(seat.core)];
}

bool CoreScheduler::sleep(int32_t rank, const Condition &condition,
                          bool wantsCore, int64_t until) {
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    Batch batch;
    std::unique_lock<ShortMutex> lock(mutex);
    if (drained) {
      return true;
    }
    seat.asleep = true;
    seat.condition = &condition;
    seat.wantsCore = wantsCore || seat.holdsCore;
    sleepers.push_back(rank);
    // Pairs with dispatch: either it sees the sleeper, or the sleeper sees that
    // its condition holds.
    sleeperCount.fetch_add(1, std::memory_order_seq_cst);
    if (seat.holdsCore) {
      giveUp(seat);
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
  return sleep(rank, condition, false, until);
}

bool CoreScheduler::acquire(int32_t rank, int64_t until) {
  if (coreCount == 0) {
    return true;
  }
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    std::lock_guard<ShortMutex> lock(mutex);
    if (seat.holdsCore) {
      return true;
    }
    if (users[size_t(seat.core)] == 0) {
      ++users[size_t(seat.core)];
      seat.holdsCore = true;
      return true;
    }
  }
  return sleep(rank, always, true, until);
}

void CoreScheduler::release(int32_t rank) {
  {
    std::lock_guard<ShortMutex> lock(mutex);
    if (!seats[size_t(rank)].holdsCore) {
      return;
    }
    giveUp(seats[size_t(rank)]);
  }
  wake();
}

void CoreScheduler::dispatch() {
  if (sleeperCount.load(std::memory_order_seq_cst) > 0) {
    wake();
  }
}

void CoreScheduler::drain() {
  {
    std::lock_guard<ShortMutex> lock(mutex);
    drained = true;
  }
  wake();
}

std::vector<int32_t> CoreScheduler::holders() const {
  std::lock_guard<ShortMutex> lock(mutex);
  std::vector<int32_t> ranks;
  for (size_t rank = 0; rank < seats.size(); ++rank) {
    if (seats[rank].holdsCore) {
      ranks.push_back(int32_t(rank));
    }
  }
  return ranks;
}

/// Lets a sleeper go if it can run now: on its own core, or, with anyCore, on
/// the first that is free. Under mutex.
bool CoreScheduler::grant(int32_t rank, bool anyCore, Batch &batch) {
  Seat &seat = seats[size_t(rank)];
  if (batch.count == batchSize || !(drained || seat.condition->actionable())) {
    return false;
  }
  bool moves = false;
  if (seat.wantsCore) {
    int32_t core = seat.core;
    if (users[size_t(core)] > 0 && !drained) {
      auto idle = std::find(users.begin(), users.end(), 0);
      if (!anyCore || idle == users.end()) {
        wanted[size_t(core)].store(true, std::memory_order_relaxed);
        return false;
      }
      core = int32_t(idle - users.begin());
      moves = seat.bound;
    }
    ++users[size_t(core)];
    seat.core = core;
    seat.holdsCore = true;
  }
  batch.grants[batch.count++] = {&seat, moves};
  return true;
}

/// Under mutex.
void CoreScheduler::grantAll(Batch &batch) {
  for (size_t core = 0; core < users.size(); ++core) {
    if (wanted[core].load(std::memory_order_relaxed)) {
      wanted[core].store(false, std::memory_order_relaxed);
    }
  }
  size_t before = sleepers.size();
  for (bool anyCore : {false, true}) {
    auto granted = [&](int32_t rank) { return grant(rank, anyCore, batch); };
    sleepers.erase(std::remove_if(sleepers.begin(), sleepers.end(), granted),
                   sleepers.end());
    if (std::find(users.begin(), users.end(), 0) == users.end()) {
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
