// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Context.h - One rank of a job ----------------------------*- C++ -*-===//

#ifndef MOERT_CORE_CONTEXT_H
#define MOERT_CORE_CONTEXT_H

#include "core/Counters.h"
#include "core/Descriptor.h"
#include "core/Trace.h"
#include "core/Transport.h"

#include <memory>
#include <vector>

namespace moert {

/// A collective between start and wait.
struct InFlight {
  moert_pending pending = 0;
  Operation operation;
  Token token = nullptr;
  Counter *counter = nullptr;
  /// What start took.
  int64_t moveTicks = 0;
  /// What the operation's offsets point to if the caller's are on a device.
  OffsetStorage offsets;
};

/// The part of moert_options that a context keeps.
struct ContextOptions {
  std::vector<std::string> tierNames = {"threads"};
  /// The host's, [size * size], read while contexts are made; null: everything
  /// is tier 0.
  const int32_t *tierTable = nullptr;
  int64_t traceEvents = 0;
  moert_allocator allocator = {};
  /// The host has passed the allocator in.
  bool hostAllocates = false;
};

} // namespace moert

/// One rank's member of a group set.
struct moert_comm {
  moert_context *context = nullptr;
  /// Of the transport: 0 is the set of all ranks.
  int32_t transportSet = 0;
  /// -1 where the rank is in no group of the set.
  int32_t rank = -1;
  /// Ranks of the job, in group order; empty where the rank is in no group.
  std::vector<int32_t> ranks;
  int64_t started = 0;
  std::vector<moert::InFlight> inFlight;

  int32_t set() const { return transportSet - 1; }
  int32_t size() const { return int32_t(ranks.size()); }
};

/// Not thread-safe: belongs to its rank's thread. Knows the sequence of calls,
/// counters and phases; the transport knows the other ranks.
struct moert_context {
public:
  moert_context(int32_t rank, int32_t size,
                const moert::ContextOptions &options,
                std::unique_ptr<moert::Transport> transport);
  ~moert_context();

  const int32_t rank;
  const int32_t size;

  moert_status status() const;
  /// "rank 3: <text>", as the job's failure.
  moert_status fail(moert_status status, const std::string &text);

  /// Appends a checked set and its communicator.
  void bind(const moert::GroupSet &set);
  /// Null if there is no such set.
  moert_comm *comm(int32_t set);
  int32_t setCount() const { return int32_t(comms.size()) - 1; }

  moert_status start(moert_comm &comm, const moert_collective &collective,
                     moert_pending &pending);
  moert_status wait(moert_comm &comm, moert_pending pending);
  moert_status run(moert_comm &comm, const moert_collective &collective);
  moert_status synchronize(moert_stream stream);

  void setPhase(moert_phase phase);
  void resetCounters();
  moert_status acquireCore();
  /// Ends the job, saying which collective was this rank's last.
  void abort(moert_status status, const std::string &reason);

  /// The layer of compiled code, for messages and counters.
  int32_t layer = -1;
  moert::PhaseTimer timer;
  moert::Counters counters;
  moert::Trace trace;
  const moert::Tiers tiers;
  const moert_allocator allocator;
  const std::unique_ptr<moert::Transport> transport;

private:
  bool begin(moert_comm &comm, const moert_collective &collective,
             moert::InFlight &call);
  bool finish(moert::InFlight &call);
  void countBytes(const moert_comm &comm, const moert::Operation &operation,
                  moert::Counter &counter) const;

  std::vector<std::unique_ptr<moert_comm>> comms;
};

namespace moert {

/// A pending names its set and its place in the set's sequence, so that it can
/// be waited for without its communicator.
constexpr int pendingSetShift = 44;
inline int32_t transportSetOf(moert_pending pending) {
  return int32_t(pending >> pendingSetShift);
}

/// Checks options and makes what a context keeps of them; of the table of tiers
/// only the row of `rank`, or all for allRanks: a job whose ranks join one by
/// one would otherwise look at size cubed. On failure returns a status and says
/// why.
moert_status readOptions(const moert_options &options, int32_t size,
                         int32_t rank, ContextOptions &result,
                         std::string &error);
constexpr int32_t allRanks = -1;
/// Checks a group set and copies it. On failure returns a status and says why.
moert_status readGroupSet(const moert_group_set &set, int32_t size,
                          GroupSet &result, std::string &error);

} // namespace moert

#endif // MOERT_CORE_CONTEXT_H
