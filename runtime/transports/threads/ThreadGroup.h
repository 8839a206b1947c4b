// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadGroup.h - The ranks that meet in collectives -------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_THREADGROUP_H
#define MOERT_TRANSPORTS_THREADS_THREADGROUP_H

#include "transports/threads/Exchange.h"

#include <algorithm>
#include <deque>
#include <memory>

namespace moert {

class World;

/// One group of a set: its ranks, and its exchanges in flight in the order of
/// their sequence.
class ThreadGroup {
public:
  ThreadGroup(World &world, std::string name, std::vector<int32_t> ranks);

  /// The member's part in its next exchange. Returns null if the job has
  /// failed.
  Exchange *start(const Operation &part);
  /// Returns whether the exchange completed.
  bool wait(Exchange &exchange, int32_t self, PhaseTimer &timer);
  /// Helps to move data and sleeps, in turns, until the exchange is done or the
  /// job has failed. Returns whether it is done.
  bool complete(Exchange &exchange, int32_t self, PhaseTimer &timer);
  /// The member takes part in no more exchanges.
  void leave(int32_t self);
  /// Once the job has failed: returns when nobody moves data of this member.
  void quiesce();
  /// The index of a rank of the job in this group.
  int32_t memberOf(int32_t rank) const {
    return int32_t(std::find(ranks.begin(), ranks.end(), rank) - ranks.begin());
  }

  World &world;
  const std::string name;
  /// Ranks of the job.
  const std::vector<int32_t> ranks;

private:
  Exchange &nextFor(int32_t self);
  bool publish(Exchange &exchange, const Operation &part);
  bool allow(Exchange &exchange, int32_t self);
  void open(Exchange &exchange);
  void moveAll(Exchange &exchange);
  bool moveSome(Exchange &exchange, int32_t self);
  void sleep(Exchange &exchange, int32_t self);
  bool spin(Exchange &exchange) const;
  void depart(Exchange &exchange, int32_t self);
  std::string explainStall(Exchange &exchange, int32_t self,
                           int64_t deadlineNs);
  void failAbsent(Exchange &exchange, int32_t absent);

  mutable ShortMutex mutex;
  std::deque<std::unique_ptr<Exchange>> inFlight;
  std::vector<std::unique_ptr<Exchange>> spare;
  /// The sequence number of inFlight.front().
  int64_t base = 0;
  /// Per member: the sequence number of its next exchange.
  std::vector<int64_t> next;
  std::vector<bool> gone;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_THREADGROUP_H
