// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GroupFailures.cpp - What a group says when a rank is missing -------===//

#include "transports/threads/ThreadGroup.h"
#include "transports/threads/World.h"

#include <numeric>

namespace moert {

/// Fails the job if a member that has left is needed in an exchange in which
/// the witness takes part.
void ThreadGroup::failIfAbsent(const Exchange &exchange, int64_t stamp,
                               int32_t witness) {
  for (size_t m = 0; m < ranks.size(); ++m) {
    if (!members[m].gone.load(std::memory_order_seq_cst) ||
        exchange.parts[m].isPublished(stamp)) {
      continue;
    }
    std::string last = world.activity[size_t(ranks[m])].lastCollective();
    world.fail(
        MOERT_RANK_EXITED,
        messagePrefix(ranks[size_t(witness)],
                      exchange.parts[size_t(witness)].operation) +
            "rank " + std::to_string(ranks[m]) + " has left" +
            (last.empty() ? " without any collective" : " after " + last));
    return;
  }
}

void ThreadGroup::leave(int32_t self) {
  Member &member = members[size_t(self)];
  member.gone.store(true, std::memory_order_seq_cst);
  goneCount.fetch_add(1, std::memory_order_seq_cst);
  if (world.failed()) {
    return;
  }
  for (const StartedExchange &started : member.started) {
    if (started.stamp != 0) {
      int32_t rank = ranks[size_t(self)];
      world.fail(
          MOERT_RANK_EXITED,
          messagePrefix(rank,
                        at(started.stamp - 1).parts[size_t(self)].operation) +
              "rank " + std::to_string(rank) +
              " has left without waiting for what it started");
      return;
    }
  }
  // Others can have come no further than the exchange that lacks this member.
  int64_t stamp = member.next + 1;
  const Exchange &exchange = at(member.next);
  for (size_t m = 0; m < ranks.size(); ++m) {
    if (exchange.parts[m].isPublished(stamp)) {
      failIfAbsent(exchange, stamp, int32_t(m));
      return;
    }
  }
}

/// For example " (rank 1 was last in barrier #2)".
static std::string lastOf(const World &world, int32_t rank) {
  std::string last = world.activity[size_t(rank)].lastCollective();
  return " (rank " + std::to_string(rank) +
         (last.empty() ? " has called no collective yet)"
                       : " was last in " + last + ")");
}

/// Those of the ranks that do not wait for others.
static std::vector<int32_t> busyOf(const World &world,
                                   const std::vector<int32_t> &ranks) {
  std::vector<int32_t> busy;
  for (int32_t rank : ranks) {
    if (!world.activity[size_t(rank)].isWaiting()) {
      busy.push_back(rank);
    }
  }
  return busy;
}

/// The ranks that have not arrived may only wait in turn for others, in other
/// groups: says who does not wait.
static std::string explainAbsence(const World &world,
                                  const std::vector<int32_t> &absent) {
  std::vector<int32_t> busy = busyOf(world, absent);
  if (!busy.empty()) {
    return lastOf(world, busy[0]);
  }
  std::vector<int32_t> all(size_t(world.size));
  std::iota(all.begin(), all.end(), 0);
  busy = busyOf(world, all);
  std::string text = lastOf(world, absent[0]) + "; ";
  if (busy.empty()) {
    return text + "all ranks wait for each other";
  }
  return text + listRanks(busy) + (busy.size() == 1 ? " keeps" : " keep") +
         " the others waiting" + lastOf(world, busy[0]);
}

std::string ThreadGroup::explainStall(const Exchange &exchange, int64_t stamp,
                                      int32_t self, int64_t deadlineNs) const {
  std::string text = messagePrefix(ranks[size_t(self)],
                                   exchange.parts[size_t(self)].operation);
  std::string time = formatSeconds(deadlineNs);
  std::vector<int32_t> absent;
  for (size_t m = 0; m < ranks.size(); ++m) {
    if (!exchange.parts[m].isPublished(stamp)) {
      absent.push_back(ranks[m]);
    }
  }
  if (absent.empty()) {
    std::vector<int32_t> busy = busyOf(world, ranks);
    return text + (busy.empty() ? "not all ranks" : listRanks(busy)) +
           " started it but did not wait for it within " + time;
  }
  return text + listRanks(absent) + (absent.size() == 1 ? " has" : " have") +
         " not arrived within " + time + explainAbsence(world, absent);
}

} // namespace moert
