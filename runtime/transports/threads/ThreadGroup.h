// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadGroup.h - The ranks that meet in collectives -------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_THREADGROUP_H
#define MOERT_TRANSPORTS_THREADS_THREADGROUP_H

#include "core/PhaseTimer.h"
#include "transports/threads/CoreScheduler.h"
#include "transports/threads/Exchange.h"

#include <string>

namespace moert {

class World;
class ThreadGroup;

/// A started operation of one member.
struct StartedExchange {
  ThreadGroup *group;
  int32_t self;
  /// 0: not in use.
  int64_t stamp = 0;
};

/// One group of a set: its ranks, and its exchanges in a ring.
class ThreadGroup {
public:
  /// Exchanges that a member may have in flight.
  static constexpr int64_t ringSize = 64;

  ThreadGroup(World &world, std::string name, std::vector<int32_t> ranks);

  /// Publishes the member's part in its next exchange. Null if the job has
  /// failed.
  StartedExchange *start(const Operation &part, PhaseTimer &timer);
  /// Returns whether the exchange completed.
  bool wait(StartedExchange &started, PhaseTimer &timer);
  /// The member takes part in no more exchanges.
  void leave(int32_t self);
  /// Once the job has failed: returns when nobody moves data any more.
  void quiesce();

  World &world;
  const std::string name;
  /// Ranks of the job.
  const std::vector<int32_t> ranks;

private:
  /// What a member knows; written by its own thread only.
  struct alignas(cacheLine) Member {
    /// The sequence number of its next exchange.
    int64_t next = 0;
    /// A lower bound of what all members have completed.
    int64_t floor = 0;
    /// Bit s % 64 is set if exchange s was waited for, though an earlier one
    /// was not.
    uint64_t waited = 0;
    /// How long it stands by before it sleeps.
    int64_t standByNs = 0;
    std::vector<StartedExchange> started;
    /// All exchanges below this one are completed. Read by other members.
    alignas(cacheLine) std::atomic<int64_t> completed{0};
    std::atomic<bool> gone{false};
  };

  class RingCondition;
  class ExchangeCondition;
  class AwakeCondition;

  Exchange &at(int64_t sequence) { return *ring[size_t(sequence % ringSize)]; }
  int64_t slowest() const;
  bool allCompleted(Member &member, int64_t sequence) const;
  bool reserve(int32_t self, PhaseTimer &timer);
  bool publish(Exchange &exchange, const Operation &operation, int64_t stamp);
  bool arrive(Exchange &exchange, int64_t stamp, bool eager);
  bool open(Exchange &exchange, int64_t stamp, bool eager);
  bool partsAgree(const Exchange &exchange);
  void moveAll(Exchange &exchange, int64_t stamp);
  bool moveSome(Exchange &exchange, int64_t stamp, int32_t self);
  int32_t claim(Exchange &exchange, int64_t stamp, int32_t self);
  bool complete(Exchange &exchange, int64_t stamp, int32_t self,
                PhaseTimer &timer);
  bool isMailed(const Exchange &exchange, int64_t stamp, int32_t self) const;
  bool takeMailed(Exchange &exchange, int64_t stamp, int32_t self);
  bool finishedWith(Exchange &exchange, int64_t stamp, int32_t self,
                    bool &failed);
  bool standBy(Exchange &exchange, int64_t stamp, int32_t self);
  void sleep(Exchange &exchange, int64_t stamp, int32_t self);
  void depart(int64_t stamp, int32_t self);

  // GroupFailures.cpp
  std::string explainStall(const Exchange &exchange, int64_t stamp,
                           int32_t self, int64_t deadlineNs) const;
  void failIfAbsent(const Exchange &exchange, int64_t stamp, int32_t witness);

  std::vector<std::unique_ptr<Exchange>> ring;
  EagerMail mail;
  std::unique_ptr<Member[]> members;
  std::atomic<int32_t> goneCount{0};
  /// Members that wait for the ring.
  std::atomic<int32_t> ringWaiters{0};
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_THREADGROUP_H
