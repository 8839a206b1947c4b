// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadGroup.cpp - How ranks meet -----------------------------------===//

#include "transports/threads/ThreadGroup.h"
#include "core/Agreement.h"
#include "transports/threads/DataMovement.h"
#include "transports/threads/StallWatch.h"
#include "transports/threads/World.h"

#include <algorithm>

namespace moert {

/// Up to this many bytes in all, sharing the work out costs more than it saves.
static constexpr int64_t smallExchangeBytes = 32 * 1024;
/// In groups up to this size ranks look at each other's stamps: that saves them
/// a counter on which all of them write.
static constexpr size_t largestUncounted = 8;
static constexpr uint64_t oneNotEager = uint64_t(1) << 32;

ThreadGroup::ThreadGroup(World &world, std::string name,
                         std::vector<int32_t> ranks)
    : world(world), name(std::move(name)), ranks(std::move(ranks)),
      mail(this->ranks.size()), members(new Member[this->ranks.size()]) {
  for (int64_t slot = 0; slot < ringSize; ++slot) {
    bool counted = this->ranks.size() > largestUncounted ||
                   world.options.movement == MOERT_MOVE_LATE;
    ring.push_back(std::make_unique<Exchange>(this->ranks.size(), counted));
  }
  for (size_t self = 0; self < this->ranks.size(); ++self) {
    members[self].standByNs = world.options.spinNs;
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
  bool eager = publish(exchange, part, stamp);
  if (goneCount.load(std::memory_order_seq_cst) > 0) {
    failIfAbsent(exchange, stamp, self);
  }
  // Late movement arrives in wait.
  bool alive = world.options.movement == MOERT_MOVE_LATE ||
               arrive(exchange, stamp, eager);
  if (!alive) {
    return nullptr;
  }
  StartedExchange &started = member.started[size_t(sequence % ringSize)];
  started.stamp = stamp;
  if (world.options.movement == MOERT_MOVE_EARLY) {
    complete(exchange, stamp, self, timer);
  }
  return &started;
}

/// Returns whether the part is eager.
bool ThreadGroup::publish(Exchange &exchange, const Operation &operation,
                          int64_t stamp) {
  Member &member = members[size_t(operation.rank)];
  Part &part = exchange.parts[size_t(operation.rank)];
  part.operation = operation;
  part.eager = world.options.movement == MOERT_MOVE_ANYTIME &&
               mail.accepts(operation) &&
               allCompleted(member, stamp - EagerMail::depth);
  if (part.eager) {
    mail.send(operation, stamp,
              member.completed.load(std::memory_order_relaxed));
  }
  // Before goneCount is read, as leave sets goneCount before it reads stamps.
  part.stamp.store(stamp, std::memory_order_seq_cst);
  return part.eager;
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
  // The last one to publish sees all stamps; others may, too. Messages are on
  // their way by themselves: then only sleepers have to be told.
  if (!eager) {
    exchange.plainStamp.store(stamp, std::memory_order_seq_cst);
  }
  bool plain = exchange.plainStamp.load(std::memory_order_seq_cst) == stamp;
  bool last =
      (plain || world.scheduler.hasSleepers()) && exchange.allPublished(stamp);
  if (!last) {
    return !world.failed();
  }
  if (!plain) {
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
    const Signature &first = exchange.parts[0].operation;
    const Signature &other = exchange.parts[m].operation;
    if (first != other) {
      world.fail(MOERT_DIVERGED,
                 explainDifference(ranks[0], first, ranks[m], other));
      return false;
    }
  }
  return true;
}

/// Called by the last to arrive. Returns false if the job has failed.
bool ThreadGroup::open(Exchange &exchange, int64_t stamp, bool eager) {
  if (world.failed() || (!eager && !partsAgree(exchange))) {
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

} // namespace moert
