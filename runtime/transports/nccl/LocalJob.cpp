// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LocalJob.cpp -------------------------------------------------------===//

#include "transports/nccl/LocalJob.h"
#include "core/Agreement.h"

#include <algorithm>

namespace moert {

using Lock = std::lock_guard<std::mutex>;

void LocalJob::expect(const std::vector<int32_t> &ranks) {
  Lock lock(mutex);
  for (int32_t rank : ranks) {
    states[rank];
  }
}

bool LocalJob::isComplete(const Meeting &meeting) const {
  for (size_t p = 0; p < meeting.ranks.size(); ++p) {
    if (!meeting.parts[p] && states.count(meeting.ranks[p]) != 0) {
      return false;
    }
  }
  return true;
}

LocalJob::Meeting &LocalJob::meetingOf(GroupId group, int64_t sequence,
                                       const std::vector<int32_t> &ranks) {
  for (Meeting &meeting : meetings) {
    if (meeting.sequence == sequence && meeting.group == group) {
      return meeting;
    }
  }
  meetings.push_back(
      {group, sequence, ranks, std::vector<std::optional<Part>>(ranks.size())});
  return meetings.back();
}

const LocalJob::Part *LocalJob::partOf(const Meeting &meeting, int32_t rank) {
  auto found = std::find(meeting.ranks.begin(), meeting.ranks.end(), rank);
  size_t index = size_t(found - meeting.ranks.begin());
  return index < meeting.ranks.size() && meeting.parts[index]
             ? &*meeting.parts[index]
             : nullptr;
}

std::string LocalJob::compareRows(const Meeting &meeting, int32_t sender,
                                  int32_t receiver) const {
  const Part &from = *meeting.parts[size_t(sender)];
  const Part &to = *meeting.parts[size_t(receiver)];
  int64_t sent = from.rowsTo[size_t(receiver)];
  int64_t expected = to.rowsFrom[size_t(sender)];
  return sent == expected
             ? std::string()
             : explainRows(meeting.ranks[size_t(receiver)], to.signature,
                           meeting.ranks[size_t(sender)], sent, expected);
}

std::string LocalJob::compare(const Meeting &meeting, int32_t self) const {
  const Part &own = *meeting.parts[size_t(self)];
  for (int32_t peer = 0; peer < int32_t(meeting.parts.size()); ++peer) {
    if (!meeting.parts[size_t(peer)]) {
      continue;
    }
    const Part &other = *meeting.parts[size_t(peer)];
    if (own.signature != other.signature) {
      int32_t first = std::min(self, peer);
      int32_t second = std::max(self, peer);
      return explainDifference(meeting.ranks[size_t(first)],
                               meeting.parts[size_t(first)]->signature,
                               meeting.ranks[size_t(second)],
                               meeting.parts[size_t(second)]->signature);
    }
    if (own.signature.isRagged()) {
      std::string error = compareRows(meeting, self, peer);
      error = error.empty() ? compareRows(meeting, peer, self) : error;
      if (!error.empty()) {
        return error;
      }
    }
  }
  return {};
}

static bool contains(const std::vector<int32_t> &ranks, int32_t rank) {
  return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
}

/// Two ranks that share two groups must come to both in one order: each works
/// on one collective after the other, so that they would wait for each other.
/// Of the four times that two ranks come to two meetings in opposite orders,
/// the third is enough to tell.
std::string LocalJob::compareOrder(const Meeting &meeting, int32_t rank) const {
  for (const Meeting &other : meetings) {
    if (&other == &meeting) {
      continue;
    }
    for (int32_t member : meeting.ranks) {
      const Part *theirs = partOf(meeting, member);
      if (member == rank || !theirs || !contains(other.ranks, rank) ||
          !contains(other.ranks, member)) {
        continue;
      }
      const Part *ownOther = partOf(other, rank);
      const Part *theirOther = partOf(other, member);
      bool ownLacks =
          !ownOther && theirOther && theirOther->place < theirs->place;
      bool theyLack = ownOther && !theirOther;
      if (!ownLacks && !theyLack) {
        continue;
      }
      int32_t first = ownLacks ? rank : member;
      const Part &named = ownLacks ? *theirOther : *ownOther;
      return messagePrefix(first, theirs->signature) + "comes before " +
             describe(named.signature) + " here, but after it on rank " +
             std::to_string(ownLacks ? member : rank);
    }
  }
  return {};
}

/// For example "rank 2 has left after barrier #1 (layer 2)".
std::string LocalJob::explainMissing(const Meeting &meeting,
                                     int32_t missing) const {
  auto waiting = std::find_if(
      meeting.parts.begin(), meeting.parts.end(),
      [](const std::optional<Part> &part) { return part.has_value(); });
  size_t waiter = size_t(waiting - meeting.parts.begin());
  const RankState &state = states.at(missing);
  return messagePrefix(meeting.ranks[waiter], (*waiting)->signature) + "rank " +
         std::to_string(missing) + " has left" +
         (state.last.empty() ? "" : " after " + state.last);
}

bool LocalJob::publish(GroupId group, const std::vector<int32_t> &ranks,
                       const Operation &operation) {
  step();
  Lock lock(mutex);
  int32_t rank = ranks[size_t(operation.rank)];
  RankState &state = states[rank];
  Part part;
  part.signature = operation;
  part.place = ++state.places;
  for (int32_t p = 0; operation.isRagged() && p < operation.size; ++p) {
    part.rowsTo.push_back(operation.rowsTo(p));
    part.rowsFrom.push_back(operation.rowsFrom(p));
  }
  Meeting &meeting = meetingOf(group, ++state.sequences[group], ranks);
  meeting.parts[size_t(operation.rank)] = std::move(part);
  state.last = describe(operation);
  std::string error = compare(meeting, operation.rank);
  if (error.empty()) {
    error = compareOrder(meeting, rank);
  }
  if (!error.empty()) {
    failure.set(MOERT_DIVERGED, error);
  }
  for (size_t p = 0; error.empty() && p < ranks.size(); ++p) {
    auto peer = states.find(ranks[p]);
    if (!meeting.parts[p] && peer != states.end() && peer->second.left) {
      error = explainMissing(meeting, ranks[p]);
      failure.set(MOERT_RANK_EXITED, error);
    }
  }
  if (error.empty() && isComplete(meeting)) {
    meetings.remove_if(
        [&](const Meeting &candidate) { return &candidate == &meeting; });
  }
  return error.empty();
}

void LocalJob::leave(int32_t rank) {
  step();
  Lock lock(mutex);
  states[rank].left = true;
  for (const Meeting &meeting : meetings) {
    for (size_t p = 0; p < meeting.ranks.size(); ++p) {
      if (meeting.ranks[p] == rank && !meeting.parts[p]) {
        failure.set(MOERT_RANK_EXITED, explainMissing(meeting, rank));
      }
    }
  }
}

std::string LocalJob::lastCollective(int32_t rank) {
  Lock lock(mutex);
  return states[rank].last;
}

int64_t LocalJob::published(GroupId group, int32_t rank) {
  Lock lock(mutex);
  return states[rank].sequences[group];
}

static std::string explainAbsence(int32_t missing, const std::string &last,
                                  const std::string &within) {
  std::string rank = "rank " + std::to_string(missing);
  return rank + " has not arrived within " + within +
         (last.empty() ? "" : " (" + rank + " was last in " + last + ")");
}

std::string LocalJob::describeMissing(GroupId group, int64_t sequence,
                                      const std::string &within) {
  Lock lock(mutex);
  for (const Meeting &meeting : meetings) {
    if (meeting.sequence != sequence || !(meeting.group == group)) {
      continue;
    }
    for (size_t p = 0; p < meeting.ranks.size(); ++p) {
      auto state = states.find(meeting.ranks[p]);
      if (!meeting.parts[p] && state != states.end()) {
        return explainAbsence(meeting.ranks[p], state->second.last, within);
      }
    }
  }
  return {};
}

} // namespace moert
