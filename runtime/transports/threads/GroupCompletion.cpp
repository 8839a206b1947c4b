// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GroupCompletion.cpp - From the last arrival to the end of a wait ---===//

#include "transports/threads/DataMovement.h"
#include "transports/threads/StallWatch.h"
#include "transports/threads/ThreadGroup.h"
#include "transports/threads/World.h"

#include <algorithm>
#include <thread>

namespace moert {

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

/// What a sleeping member waits for: something to do in one exchange.
class ThreadGroup::ExchangeCondition : public Condition {
public:
  ExchangeCondition(const Exchange &exchange, int64_t stamp)
      : exchange(exchange), stamp(stamp) {}
  bool actionable() const override {
    return exchange.openedEager(stamp) || exchange.workable(stamp);
  }

private:
  const Exchange &exchange;
  const int64_t stamp;
};

/// The same while it is awake. Looks at messages rather than parts, which then
/// need not travel from core to core.
class ThreadGroup::AwakeCondition : public Condition {
public:
  AwakeCondition(const ThreadGroup &group, const Exchange &exchange,
                 int64_t stamp, int32_t self)
      : group(group), exchange(exchange), stamp(stamp), self(self) {}
  bool actionable() const override {
    return group.isMailed(exchange, stamp, self) || exchange.workable(stamp);
  }

private:
  const ThreadGroup &group;
  const Exchange &exchange;
  const int64_t stamp;
  const int32_t self;
};

/// Waits awake for a moment. Returns whether there is something to do, or the
/// job has failed. A member that does so in vain waits less and less.
bool ThreadGroup::standBy(Exchange &exchange, int64_t stamp, int32_t self) {
  int64_t longest = world.options.spinNs;
  if (longest <= 0) {
    return false;
  }
  int64_t &ns = members[size_t(self)].standByNs;
  AwakeCondition condition(*this, exchange, stamp, self);
  bool through = world.scheduler.standBy(ranks[size_t(self)], condition, ns);
  ns = through ? longest : std::max(ns / 2, longest / 16);
  return through;
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

/// Whether all blocks for a member have come as messages.
bool ThreadGroup::isMailed(const Exchange &exchange, int64_t stamp,
                           int32_t self) const {
  return exchange.counted ? exchange.openedEager(stamp)
                          : exchange.parts[size_t(self)].eager &&
                                mail.isComplete(stamp, self);
}

/// Takes a member's blocks out of the messages. Returns whether they fit.
bool ThreadGroup::takeMailed(Exchange &exchange, int64_t stamp, int32_t self) {
  std::string error =
      takeMail(mail, exchange.parts[size_t(self)].operation, stamp, ranks);
  if (!error.empty()) {
    world.fail(MOERT_DIVERGED, error);
    return false;
  }
  int64_t floor =
      members[size_t(self)].completed.load(std::memory_order_relaxed);
  for (int32_t sender = 0; sender < int32_t(ranks.size()); ++sender) {
    if (sender != self) {
      floor = std::min(floor, mail.message(stamp, sender, self).completed);
    }
  }
  members[size_t(self)].floor = std::max(members[size_t(self)].floor, floor);
  return true;
}

/// Does what there is to do. Returns whether the rank is through; `failed` says
/// how.
bool ThreadGroup::finishedWith(Exchange &exchange, int64_t stamp, int32_t self,
                               bool &failed) {
  if (isMailed(exchange, stamp, self)) {
    failed = !takeMailed(exchange, stamp, self);
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
  bool failed = false;
  while (!finishedWith(exchange, stamp, self, failed)) {
    timer.enter(MOERT_PHASE_WAIT);
    if (!standBy(exchange, stamp, self)) {
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
