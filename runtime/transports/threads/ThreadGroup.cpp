// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadGroup.cpp ----------------------------------------------------===//

#include "transports/threads/ThreadGroup.h"
#include "transports/threads/DataMovement.h"
#include "transports/threads/World.h"

#include <thread>

namespace moert {

/// Up to this many bytes in all, sharing the work out costs more than it saves.
static constexpr int64_t smallExchangeBytes = 32 * 1024;

ThreadGroup::ThreadGroup(World &world, std::string name,
                         std::vector<int32_t> ranks)
    : world(world), name(std::move(name)), ranks(std::move(ranks)),
      next(this->ranks.size(), 0), gone(this->ranks.size(), false) {}

Exchange &ThreadGroup::nextFor(int32_t self) {
  int64_t place = next[size_t(self)]++ - base;
  if (place == int64_t(inFlight.size())) {
    if (spare.empty()) {
      spare.push_back(std::make_unique<Exchange>(*this));
    }
    inFlight.push_back(std::move(spare.back()));
    spare.pop_back();
  }
  return *inFlight[size_t(place)];
}

/// Returns false if the part does not fit what is there already. Under mutex.
bool ThreadGroup::publish(Exchange &exchange, const Operation &part) {
  size_t self = size_t(part.rank);
  exchange.parts[self] = part;
  exchange.arrived[self] = true;
  ++exchange.arrivedCount;
  exchange.bytes += part.bytes;
  if (exchange.first < 0) {
    exchange.first = part.rank;
  }
  std::string error =
      compareParts(exchange.parts[size_t(exchange.first)], part, ranks);
  if (!error.empty()) {
    world.fail(MOERT_DIVERGED, error);
    return false;
  }
  for (size_t member = 0; member < gone.size(); ++member) {
    if (gone[member] && !exchange.arrived[member]) {
      failAbsent(exchange, int32_t(member));
      return false;
    }
  }
  return true;
}

/// The member allows its data to move. Returns whether it was the last one.
/// Under mutex.
bool ThreadGroup::allow(Exchange &exchange, int32_t self) {
  if (exchange.ready[size_t(self)]) {
    return false;
  }
  exchange.ready[size_t(self)] = true;
  return ++exchange.readyCount == exchange.size;
}

void ThreadGroup::open(Exchange &exchange) {
  if (exchange.bytes <= smallExchangeBytes) {
    moveAll(exchange);
  } else {
    exchange.unclaimed.store(exchange.size, std::memory_order_seq_cst);
  }
  world.scheduler.dispatch();
}

void ThreadGroup::moveAll(Exchange &exchange) {
  exchange.active.fetch_add(1, std::memory_order_seq_cst);
  for (uint32_t r = 0; r < exchange.size && !world.failed(); ++r) {
    std::string error = moveToReceiver(exchange.parts, int32_t(r), ranks);
    if (!error.empty()) {
      world.fail(MOERT_DIVERGED, error);
    }
  }
  if (!world.failed()) {
    exchange.finished.store(exchange.size, std::memory_order_seq_cst);
  }
  exchange.active.fetch_sub(1, std::memory_order_seq_cst);
}

/// Returns whether there was something to do.
bool ThreadGroup::moveSome(Exchange &exchange, int32_t self) {
  // Announced before the failure is looked at: who sees the failure then sees
  // either that nobody is active or waits until nobody is.
  exchange.active.fetch_add(1, std::memory_order_seq_cst);
  int32_t receiver = world.failed() ? -1 : exchange.claim(self);
  bool last = false;
  if (receiver >= 0) {
    std::string error = moveToReceiver(exchange.parts, receiver, ranks);
    if (error.empty()) {
      last = exchange.finished.fetch_add(1, std::memory_order_seq_cst) + 1 ==
             exchange.size;
    } else {
      world.fail(MOERT_DIVERGED, error);
    }
  }
  exchange.active.fetch_sub(1, std::memory_order_seq_cst);
  if (last) {
    world.scheduler.dispatch();
  }
  return receiver >= 0;
}

Exchange *ThreadGroup::start(const Operation &part) {
  Exchange *exchange;
  bool opens = false;
  world.activity[size_t(ranks[size_t(part.rank)])].enter(part);
  world.progressed(part.startedAt);
  {
    std::lock_guard<ShortMutex> lock(mutex);
    exchange = &nextFor(part.rank);
    if (!publish(*exchange, part)) {
      return nullptr;
    }
    opens = world.options.movement != MOERT_MOVE_LATE &&
            allow(*exchange, part.rank);
  }
  if (opens) {
    open(*exchange);
  }
  return exchange;
}

bool ThreadGroup::spin(Exchange &exchange) const {
  if (world.options.spinNs <= 0) {
    return false;
  }
  int64_t until = now() + world.options.spinNs;
  do {
    for (int turn = 0; turn < 64; ++turn) {
      if (exchange.actionable() || world.failed()) {
        return true;
      }
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#endif
    }
  } while (now() < until);
  return false;
}

/// Sleeps until there is something to do, the job has failed, or stalled.
void ThreadGroup::sleep(Exchange &exchange, int32_t self) {
  const Operation &part = exchange.parts[size_t(self)];
  int64_t deadlineNs =
      part.deadlineNs ? part.deadlineNs : world.options.deadlineNs;
  int64_t since = now();
  int32_t rank = ranks[size_t(self)];
  RankActivity &activity = world.activity[size_t(rank)];
  activity.setWaiting(true);
  while (!world.scheduler.park(rank, exchange,
                               world.deadline(since, deadlineNs))) {
    int64_t until = world.deadline(since, deadlineNs);
    if (now() >= until) {
      world.fail(MOERT_TIMED_OUT, explainStall(exchange, self, deadlineNs));
    }
  }
  activity.setWaiting(false);
}

bool ThreadGroup::complete(Exchange &exchange, int32_t self,
                           PhaseTimer &timer) {
  bool waiting = false;
  while (!exchange.done() && !world.failed()) {
    bool work = exchange.actionable();
    if (work == waiting) {
      timer.enter(work ? MOERT_PHASE_EXCHANGE : MOERT_PHASE_WAIT);
      waiting = !work;
    }
    if (work ? moveSome(exchange, self) : spin(exchange)) {
      continue;
    }
    if (!exchange.actionable()) {
      sleep(exchange, self);
    }
  }
  if (waiting) {
    timer.enter(MOERT_PHASE_EXCHANGE);
  }
  return exchange.done();
}

bool ThreadGroup::wait(Exchange &exchange, int32_t self, PhaseTimer &timer) {
  if (world.options.movement == MOERT_MOVE_LATE) {
    bool opens;
    {
      std::lock_guard<ShortMutex> lock(mutex);
      opens = allow(exchange, self);
    }
    if (opens && !world.failed()) {
      open(exchange);
    }
  }
  if (!complete(exchange, self, timer)) {
    quiesce();
    return false;
  }
  world.progressed(timer.enteredAt());
  depart(exchange, self);
  return true;
}

void ThreadGroup::depart(Exchange &exchange, int32_t self) {
  exchange.departed[size_t(self)].store(true, std::memory_order_release);
  if (exchange.departedCount.fetch_add(1, std::memory_order_acq_rel) + 1 <
      exchange.size) {
    return;
  }
  std::lock_guard<ShortMutex> lock(mutex);
  while (!inFlight.empty() &&
         inFlight.front()->departedCount.load(std::memory_order_acquire) ==
             inFlight.front()->size) {
    inFlight.front()->reset();
    spare.push_back(std::move(inFlight.front()));
    inFlight.pop_front();
    ++base;
  }
}

void ThreadGroup::quiesce() {
  // Moves that have begun are plain copies: they end soon.
  std::lock_guard<ShortMutex> lock(mutex);
  for (const std::unique_ptr<Exchange> &exchange : inFlight) {
    while (exchange->active.load(std::memory_order_seq_cst) > 0) {
      std::this_thread::yield();
    }
  }
}

/// A member that has left is needed. Under mutex.
void ThreadGroup::failAbsent(Exchange &exchange, int32_t absent) {
  int32_t rank = ranks[size_t(absent)];
  int32_t other = exchange.first;
  std::string last = world.activity[size_t(rank)].lastCollective();
  world.fail(
      MOERT_RANK_EXITED,
      messagePrefix(ranks[size_t(other)], exchange.parts[size_t(other)]) +
          "rank " + std::to_string(rank) + " has left" +
          (last.empty() ? " without any collective" : " after " + last));
}

void ThreadGroup::leave(int32_t self) {
  std::lock_guard<ShortMutex> lock(mutex);
  gone[size_t(self)] = true;
  if (world.failed()) {
    return;
  }
  for (const std::unique_ptr<Exchange> &exchange : inFlight) {
    if (!exchange->arrived[size_t(self)]) {
      failAbsent(*exchange, self);
      return;
    }
    if (!exchange->departed[size_t(self)].load(std::memory_order_acquire)) {
      int32_t rank = ranks[size_t(self)];
      world.fail(MOERT_RANK_EXITED,
                 messagePrefix(rank, exchange->parts[size_t(self)]) + "rank " +
                     std::to_string(rank) +
                     " has left without waiting for what it started");
      return;
    }
  }
}

std::string ThreadGroup::explainStall(Exchange &exchange, int32_t self,
                                      int64_t deadlineNs) {
  std::lock_guard<ShortMutex> lock(mutex);
  std::string text =
      messagePrefix(ranks[size_t(self)], exchange.parts[size_t(self)]);
  std::vector<int32_t> absent;
  std::vector<int32_t> unready;
  for (size_t member = 0; member < ranks.size(); ++member) {
    if (!exchange.arrived[member]) {
      absent.push_back(ranks[member]);
    } else if (!exchange.ready[member]) {
      unready.push_back(ranks[member]);
    }
  }
  std::string time = formatSeconds(deadlineNs);
  if (!absent.empty()) {
    std::string last = world.activity[size_t(absent[0])].lastCollective();
    return text + listRanks(absent) + (absent.size() == 1 ? " has" : " have") +
           " not arrived within " + time + " (rank " +
           std::to_string(absent[0]) +
           (last.empty() ? " has called no collective yet)"
                         : " was last in " + last + ")");
  }
  if (!unready.empty()) {
    return text + listRanks(unready) +
           (unready.size() == 1 ? " has" : " have") +
           " started it but not waited for it within " + time;
  }
  return text + "the data was not moved within " + time;
}

} // namespace moert
