// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LocalJob.h - What the ranks of one process tell each other -*- C++ -*-=//
//
// NCCL compares nothing: ranks that do not fit together hang, or read what was
// not meant for them. The ranks of one process therefore publish each part here
// before they hand it to NCCL, and the second of two that do not fit says so.
// Nobody waits here. Ranks of other processes are seen by NCCL's errors and by
// the deadline only.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_NCCL_LOCALJOB_H
#define MOERT_TRANSPORTS_NCCL_LOCALJOB_H

#include "core/Transport.h"

#include <deque>
#include <list>
#include <map>
#include <optional>

namespace moert {

/// A group of a set: the set's index in the transport and the group's in it.
struct GroupId {
  int32_t set = 0;
  int32_t group = 0;

  bool operator<(const GroupId &other) const {
    return set != other.set ? set < other.set : group < other.group;
  }
  bool operator==(const GroupId &other) const {
    return set == other.set && group == other.group;
  }
};

class LocalJob {
public:
  explicit LocalJob(int64_t deadlineNs) : deadlineNs(deadlineNs) {}

  /// Of a stall; negative: never.
  const int64_t deadlineNs;
  FailureLatch failure;

  /// These are the ranks of this process.
  void expect(const std::vector<int32_t> &ranks);
  /// Publishes a rank's next part in a group, `ranks` being the group's ranks
  /// in the job, of which it is number operation.rank. Fails the job, and
  /// returns false, where the part does not fit those of others, or comes in
  /// another order of groups than theirs.
  bool publish(GroupId group, const std::vector<int32_t> &ranks,
               const Operation &operation);
  /// The rank takes part in nothing more. Fails the job where others need it.
  void leave(int32_t rank);
  /// Counts a rank's step, so that others do not take it for stalled.
  void step() { stepsTaken.fetch_add(1, std::memory_order_relaxed); }
  uint64_t steps() const { return stepsTaken.load(std::memory_order_relaxed); }
  /// The rank's last collective; empty if there was none.
  std::string lastCollective(int32_t rank);
  /// Who of this process keeps a part of the group waiting for longer than
  /// `within`, and where it was last, for messages; empty where all have come.
  std::string describeMissing(GroupId group, int64_t sequence,
                              const std::string &within);
  /// How many parts the rank has published in the group.
  int64_t published(GroupId group, int32_t rank);

private:
  /// What one rank has published.
  struct Part {
    Signature signature;
    /// Of kinds with rows, by rank of the group.
    std::vector<int64_t> rowsTo;
    std::vector<int64_t> rowsFrom;
    /// The rank's number of the part among all it has published.
    int64_t place = 0;
  };
  struct Meeting {
    GroupId group;
    int64_t sequence = 0;
    std::vector<int32_t> ranks;
    /// By rank of the group.
    std::vector<std::optional<Part>> parts;
  };
  struct RankState {
    std::string last;
    int64_t places = 0;
    bool left = false;
    std::map<GroupId, int64_t> sequences;
  };

  /// Whether all ranks of this process have come.
  bool isComplete(const Meeting &meeting) const;
  /// What a rank of the job has published there; null if nothing yet.
  static const Part *partOf(const Meeting &meeting, int32_t rank);
  Meeting &meetingOf(GroupId group, int64_t sequence,
                     const std::vector<int32_t> &ranks);
  std::string compare(const Meeting &meeting, int32_t self) const;
  std::string compareRows(const Meeting &meeting, int32_t sender,
                          int32_t receiver) const;
  std::string compareOrder(const Meeting &meeting, int32_t rank) const;
  std::string explainMissing(const Meeting &meeting, int32_t missing) const;

  std::mutex mutex;
  /// Those that not all ranks of this process have come to.
  std::list<Meeting> meetings;
  std::map<int32_t, RankState> states;
  std::atomic<uint64_t> stepsTaken{0};
};

} // namespace moert

#endif // MOERT_TRANSPORTS_NCCL_LOCALJOB_H
