// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadGroup.cpp - How ranks meet and data moves --------------------===//

#include "transports/threads/ThreadGroup.h"
#include "transports/threads/DataMovement.h"
#include "transports/threads/StallWatch.h"
#include "transports/threads/World.h"

#include <algorithm>
#include <thread>

namespace moert {

/// Up to this many bytes in all, sharing the work out costs more than it saves.
static constexpr int64_t smallExchangeBytes = 32 * 1024;
/// In groups up to this size ranks look at each other's stamps: that saves them
/// a counter on which all of them write.
static constexpr size_t largestUncounted = 8;
static constexpr uint64_t oneNotEager = uint64_t(1) << 32;

static void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

ThreadGroup::ThreadGroup(World &world, std::string name,
                         std::vector<int32_t> ranks)
    : world(world), name(std::move(name)), ranks(std::move(ranks)),
      members(new Member[this->ranks.size()]) {
  for (int64_t slot = 0; slot < ringSize; ++slot) {
    bool counted = this->ranks.size() > largestUncounted ||
                   world.options.movement == MOERT_MOVE_LATE;
    ring.push_back(std::make_unique<Exchange>(this->ranks.size(), counted));
  }
  for (size_t self = 0; self < this->ranks.size(); ++self) {
    members[self].spinNs = world.options.spinNs;
    members[self].started.assign(size_t(ringSize), {this, int32_t(self)});
  }
}

//===----------------------------------------------------------------------===//
// The ring
//===----------------------------------------------------------------------===//

/// What the slowest member has completed.
int64_t ThreadGroup::slowest() const {
  int64_t sequence = members[0].completed.load(std::memory_order_seq_cst);
  for (size_t m = 1; m < ranks.size(); ++m) {
    sequence = std::min(sequence,
                        members[m].completed.load(std::memory_order_seq_cst));
  }
  return sequence;
}

/// Whether all members have completed what lies before a sequence number.
bool ThreadGroup::allCompleted(Member &member, int64_t sequence) const {
  if (member.floor < sequence) {
    member.floor = slowest();
  }
  return member.floor >= sequence;
}

/// The slowest member has come far enough.
class ThreadGroup::RingCondition : public Condition {
public:
  RingCondition(const ThreadGroup &group, int64_t sequence)
      : group(group), sequence(sequence) {}
  bool actionable() const override { return group.slowest() >= sequence; }

private:
  const ThreadGroup &group;
  const int64_t sequence;
};

/// Makes sure that the record of the member's next exchange is free.
bool ThreadGroup::reserve(int32_t self, PhaseTimer &timer) {
  Member &member = members[size_t(self)];
  int64_t wanted = member.next - ringSize + 1;
  if (allCompleted(member, wanted)) {
    return true;
  }
  int32_t rank = ranks[size_t(self)];
  if (member.completed.load(std::memory_order_relaxed) < wanted) {
    world.fail(MOERT_INVALID_ARGUMENT,
               "rank " + std::to_string(rank) + ": expected at most " +
                   std::to_string(ringSize) +
                   " collectives of a group in flight, but got one more");
    return false;
  }
  RingCondition condition(*this, wanted);
  moert_phase phase = timer.enter(MOERT_PHASE_WAIT);
  ringWaiters.fetch_add(1, std::memory_order_seq_cst);
  StallWatch watch(world, 0);
  while (!world.scheduler.park(rank, condition, watch.until())) {
    if (watch.stalled()) {
      world.fail(MOERT_TIMED_OUT, "rank " + std::to_string(rank) +
                                      ": another rank did not complete what "
                                      "it started within " +
                                      formatSeconds(watch.deadline()));
    }
  }
  ringWaiters.fetch_sub(1, std::memory_order_seq_cst);
  timer.enter(phase);
  return !world.failed();
}

void ThreadGroup::depart(int64_t stamp, int32_t self) {
  Member &member = members[size_t(self)];
  member.started[size_t((stamp - 1) % ringSize)].stamp = 0;
  member.waited |= uint64_t(1) << ((stamp - 1) % ringSize);
  int64_t completed = member.completed.load(std::memory_order_relaxed);
  while (member.waited & (uint64_t(1) << (completed % ringSize))) {
    member.waited &= ~(uint64_t(1) << (completed % ringSize));
    ++completed;
  }
  member.completed.store(completed, std::memory_order_seq_cst);
  if (ringWaiters.load(std::memory_order_seq_cst) > 0) {
    world.scheduler.dispatch();
  }
}

//===----------------------------------------------------------------------===//
// Arriving
//===----------------------------------------------------------------------===//

StartedExchange *ThreadGroup::start(const Operation &part, PhaseTimer &timer) {
  int32_t self = part.rank;
  Member &member = members[size_t(self)];
  world.activity[size_t(ranks[size_t(self)])].enter(part);
  if (!reserve(self, timer)) {
    return nullptr;
  }
  int64_t sequence = member.next++;
  int64_t stamp = sequence + 1;
  Exchange &exchange = at(sequence);
  Operation &published = exchange.parts[size_t(self)].operation;
  published = part;
  int64_t bufferFree = sequence - EagerBuffers::count + 1;
  published.eager = world.options.movement == MOERT_MOVE_ANYTIME &&
                    EagerBuffers::accepts(part) &&
                    allCompleted(member, bufferFree);
  if (published.eager) {
    member.eager.capture(published, sequence);
  }
  // Before goneCount is read, as leave sets goneCount before it reads stamps.
  exchange.parts[size_t(self)].stamp.store(stamp, std::memory_order_seq_cst);
  if (goneCount.load(std::memory_order_seq_cst) > 0) {
    failIfAbsent(exchange, stamp, self);
  }
  // Late movement arrives in wait.
  bool alive = world.options.movement == MOERT_MOVE_LATE ||
               arrive(exchange, stamp, published.eager);
  if (!alive) {
    return nullptr;
  }
  prefetchNext(member, sequence + 1);
  StartedExchange &started = member.started[size_t(sequence % ringSize)];
  started.stamp = stamp;
  if (world.options.movement == MOERT_MOVE_EARLY) {
    complete(exchange, stamp, self, timer);
  }
  return &started;
}

/// Fetches what the member writes next while it has to wait anyway.
void ThreadGroup::prefetchNext(const Member &member, int64_t sequence) {
  const char *part = reinterpret_cast<const char *>(
      &at(sequence).parts[size_t(member.started[0].self)]);
  __builtin_prefetch(part, 1);
  __builtin_prefetch(part + cacheLine, 1);
  member.eager.prefetch(sequence);
}

/// Returns false if the job has failed.
bool ThreadGroup::arrive(Exchange &exchange, int64_t stamp, bool eager) {
  if (exchange.counted) {
    uint64_t one = 1 + (eager ? 0 : oneNotEager);
    uint64_t arrivals =
        exchange.arrivals.fetch_add(one, std::memory_order_seq_cst) + one;
    if (uint32_t(arrivals) < ranks.size()) {
      return !world.failed();
    }
    exchange.arrivals.store(0, std::memory_order_relaxed);
    return open(exchange, stamp, arrivals < oneNotEager);
  }
  // The last one to publish sees all stamps; others may, too.
  if (!exchange.allPublished(stamp)) {
    return !world.failed();
  }
  if (exchange.allEager()) {
    world.scheduler.dispatch();
    return !world.failed();
  }
  int64_t opener = exchange.openerStamp.load(std::memory_order_relaxed);
  if (opener == stamp || !exchange.openerStamp.compare_exchange_strong(
                             opener, stamp, std::memory_order_acq_rel)) {
    return !world.failed();
  }
  return open(exchange, stamp, false);
}

bool ThreadGroup::partsAgree(const Exchange &exchange) {
  for (size_t m = 1; m < ranks.size(); ++m) {
    const Operation &first = exchange.parts[0].operation;
    const Operation &other = exchange.parts[m].operation;
    if (!sameShape(first, other)) {
      world.fail(MOERT_DIVERGED, compareParts(first, other, ranks));
      return false;
    }
  }
  return true;
}

/// Called by the last to arrive. Returns false if the job has failed.
bool ThreadGroup::open(Exchange &exchange, int64_t stamp, bool eager) {
  if (!partsAgree(exchange) || world.failed()) {
    return false;
  }
  if (!eager) {
    int64_t bytes = 0;
    for (const Part &part : exchange.parts) {
      bytes += part.operation.bytes;
    }
    if (bytes <= smallExchangeBytes) {
      moveAll(exchange, stamp);
    } else {
      exchange.unclaimed.store(uint32_t(ranks.size()),
                               std::memory_order_seq_cst);
    }
  }
  exchange.openedStamp.store(stamp * 2 + eager, std::memory_order_seq_cst);
  world.scheduler.dispatch();
  return true;
}

//===----------------------------------------------------------------------===//
// Moving data
//===----------------------------------------------------------------------===//

void ThreadGroup::moveAll(Exchange &exchange, int64_t stamp) {
  exchange.active.fetch_add(1, std::memory_order_seq_cst);
  for (size_t r = 0; r < ranks.size() && !world.failed(); ++r) {
    std::string error = moveToReceiver(exchange.parts, int32_t(r), ranks);
    if (!error.empty()) {
      world.fail(MOERT_DIVERGED, error);
    }
  }
  if (!world.failed()) {
    exchange.doneStamp.store(stamp, std::memory_order_seq_cst);
  }
  exchange.active.fetch_sub(1, std::memory_order_seq_cst);
}

/// Claims a task: the rank's own if it can, then one of a rank that lives on
/// the same core, so that data lands where it is used; -1: there is none.
int32_t ThreadGroup::claim(Exchange &exchange, int64_t stamp, int32_t self) {
  int32_t home = world.scheduler.homeOf(ranks[size_t(self)]);
  for (bool elsewhere : {false, true}) {
    for (size_t step = 0; step < ranks.size(); ++step) {
      if (exchange.unclaimed.load(std::memory_order_seq_cst) == 0) {
        return -1;
      }
      size_t task = (size_t(self) + step) % ranks.size();
      int64_t before = exchange.claimed[task].load(std::memory_order_relaxed);
      bool atHome = world.scheduler.homeOf(ranks[task]) == home;
      if (before != stamp && (atHome || elsewhere) &&
          exchange.claimed[task].compare_exchange_strong(
              before, stamp, std::memory_order_acq_rel)) {
        exchange.unclaimed.fetch_sub(1, std::memory_order_seq_cst);
        return int32_t(task);
      }
    }
  }
  return -1;
}

/// Returns whether there was something to do.
bool ThreadGroup::moveSome(Exchange &exchange, int64_t stamp, int32_t self) {
  // Announced before the failure is looked at: who sees the failure then sees
  // either that nobody is active or waits until nobody is.
  exchange.active.fetch_add(1, std::memory_order_seq_cst);
  int32_t receiver = world.failed() ? -1 : claim(exchange, stamp, self);
  bool last = false;
  if (receiver >= 0) {
    std::string error = moveToReceiver(exchange.parts, receiver, ranks);
    if (!error.empty()) {
      world.fail(MOERT_DIVERGED, error);
    } else if (exchange.finished.fetch_add(1, std::memory_order_seq_cst) + 1 ==
               ranks.size()) {
      exchange.finished.store(0, std::memory_order_relaxed);
      exchange.doneStamp.store(stamp, std::memory_order_seq_cst);
      last = true;
    }
  }
  exchange.active.fetch_sub(1, std::memory_order_seq_cst);
  if (last) {
    world.scheduler.dispatch();
  }
  return receiver >= 0;
}

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

/// Returns whether the condition holds, or the job has failed. A member whose
/// spinning is in vain spins less and less.
bool ThreadGroup::spin(const Condition &condition, int32_t self) {
  if (world.options.spinNs <= 0) {
    return false;
  }
  int32_t rank = ranks[size_t(self)];
  int64_t &spinNs = members[size_t(self)].spinNs;
  int64_t until = now() + spinNs;
  do {
    for (int turn = 0; turn < 32; ++turn) {
      if (condition.actionable() || world.failed()) {
        spinNs = world.options.spinNs;
        return true;
      }
      pause();
    }
    if (world.scheduler.coreWanted(rank)) {
      return false;
    }
  } while (now() < until);
  spinNs = std::max(spinNs / 2, world.options.spinNs / 16);
  return false;
}

/// Sleeps until there is something to do, the job has failed, or stalled.
void ThreadGroup::sleep(Exchange &exchange, int64_t stamp, int32_t self) {
  int32_t rank = ranks[size_t(self)];
  ExchangeCondition condition(exchange, stamp);
  RankActivity &activity = world.activity[size_t(rank)];
  activity.setWaiting(true);
  StallWatch watch(world, exchange.parts[size_t(self)].operation.deadlineNs);
  while (!world.scheduler.park(rank, condition, watch.until())) {
    if (watch.stalled()) {
      world.fail(MOERT_TIMED_OUT,
                 explainStall(exchange, stamp, self, watch.deadline()));
    }
  }
  activity.setWaiting(false);
}

/// Takes what is for this member out of the parts. Returns whether they fit.
bool ThreadGroup::takeEager(Exchange &exchange, int32_t self) {
  if (!exchange.counted && !partsAgree(exchange)) {
    return false;
  }
  std::string error = moveToReceiver(exchange.parts, self, ranks);
  if (!error.empty()) {
    world.fail(MOERT_DIVERGED, error);
  }
  return error.empty();
}

/// Does what there is to do. Returns whether the rank is through; `failed` says
/// how.
bool ThreadGroup::finishedWith(Exchange &exchange, int64_t stamp, int32_t self,
                               bool &failed) {
  if (exchange.openedEager(stamp)) {
    failed = !takeEager(exchange, self);
    return true;
  }
  while (exchange.opened(stamp) && moveSome(exchange, stamp, self)) {
  }
  failed = !exchange.done(stamp) && world.failed();
  return failed || exchange.done(stamp);
}

/// Returns whether the exchange completed.
bool ThreadGroup::complete(Exchange &exchange, int64_t stamp, int32_t self,
                           PhaseTimer &timer) {
  constexpr int shortWait = 100;
  ExchangeCondition condition(exchange, stamp);
  int32_t rank = ranks[size_t(self)];
  bool failed = false;
  // Ranks in step come within a moment: not worth reading the clock.
  for (int turn = 0; turn < shortWait && !condition.actionable(); ++turn) {
    if (world.options.spinNs <= 0 || world.scheduler.coreWanted(rank)) {
      break;
    }
    pause();
  }
  while (!finishedWith(exchange, stamp, self, failed)) {
    timer.enter(MOERT_PHASE_WAIT);
    if (!spin(condition, self)) {
      sleep(exchange, stamp, self);
    }
    timer.enter(MOERT_PHASE_EXCHANGE);
  }
  return !failed;
}

bool ThreadGroup::wait(StartedExchange &started, PhaseTimer &timer) {
  Exchange &exchange = at(started.stamp - 1);
  int64_t stamp = started.stamp;
  int32_t self = started.self;
  bool arrived = world.options.movement != MOERT_MOVE_LATE ||
                 arrive(exchange, stamp, false);
  if (!arrived || !complete(exchange, stamp, self, timer)) {
    quiesce();
    return false;
  }
  world.activity[size_t(ranks[size_t(self)])].step();
  depart(stamp, self);
  return true;
}

void ThreadGroup::quiesce() {
  // Moves that have begun are plain copies: they end soon.
  for (const std::unique_ptr<Exchange> &exchange : ring) {
    while (exchange->active.load(std::memory_order_seq_cst) > 0) {
      std::this_thread::yield();
    }
  }
}

} // namespace moert
