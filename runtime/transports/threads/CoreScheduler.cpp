// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreScheduler.cpp --------------------------------------------------===//

#include "transports/threads/CoreScheduler.h"

namespace moert {

namespace {
class Always : public Condition {
public:
  bool actionable() const override { return true; }
};
} // namespace

static const Always always;

CoreScheduler::CoreScheduler(int32_t ranks, int32_t permits)
    : permitCount(permits), freeCores(permits), seats(size_t(ranks)) {
  sleepers.reserve(size_t(ranks));
}

bool CoreScheduler::sleep(int32_t rank, const Condition &condition,
                          bool wantsCore, int64_t until) {
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    std::lock_guard<ShortMutex> lock(mutex);
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
      seat.holdsCore = false;
      ++freeCores;
    }
  }
  wake();
  seat.asleep = !seat.parker.park(until);
  return !seat.asleep;
}

bool CoreScheduler::park(int32_t rank, const Condition &condition,
                         int64_t until) {
  return sleep(rank, condition, false, until);
}

bool CoreScheduler::acquire(int32_t rank, int64_t until) {
  if (permitCount == 0) {
    return true;
  }
  Seat &seat = seats[size_t(rank)];
  if (!seat.asleep) {
    std::lock_guard<ShortMutex> lock(mutex);
    if (seat.holdsCore) {
      return true;
    }
    if (freeCores > 0) {
      --freeCores;
      seat.holdsCore = true;
      return true;
    }
  }
  return sleep(rank, always, true, until);
}

void CoreScheduler::release(int32_t rank) {
  {
    std::lock_guard<ShortMutex> lock(mutex);
    Seat &seat = seats[size_t(rank)];
    if (!seat.holdsCore) {
      return;
    }
    seat.holdsCore = false;
    ++freeCores;
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

size_t CoreScheduler::grant(std::array<Parker *, batchSize> &granted) {
  std::lock_guard<ShortMutex> lock(mutex);
  size_t count = 0;
  size_t kept = 0;
  for (int32_t rank : sleepers) {
    Seat &seat = seats[size_t(rank)];
    bool core = !seat.wantsCore || freeCores > 0 || drained;
    bool runs = core && count < granted.size() &&
                (drained || seat.condition->actionable());
    if (!runs) {
      sleepers[kept++] = rank;
      continue;
    }
    if (seat.wantsCore) {
      // A drained scheduler hands out more cores than there are.
      seat.holdsCore = true;
      --freeCores;
    }
    granted[count++] = &seat.parker;
  }
  sleeperCount.fetch_sub(int32_t(sleepers.size() - kept));
  sleepers.resize(kept);
  return count;
}

void CoreScheduler::wake() {
  // The system calls are made outside the lock, a batch at a time.
  std::array<Parker *, batchSize> granted;
  size_t count;
  do {
    count = grant(granted);
    for (size_t i = 0; i < count; ++i) {
      granted[i]->unpark();
    }
  } while (count == granted.size());
}

} // namespace moert
