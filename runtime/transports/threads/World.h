// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- World.h - What the ranks of one process share ------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_WORLD_H
#define MOERT_TRANSPORTS_THREADS_WORLD_H

#include "core/Transport.h"
#include "transports/threads/CoreScheduler.h"
#include "transports/threads/ThreadGroup.h"

#include <deque>
#include <memory>

namespace moert {

/// The options that all ranks share; see moert_options.
struct WorldOptions {
  moert_movement movement = MOERT_MOVE_ANYTIME;
  int32_t corePermits = 0;
  /// Negative: never.
  int64_t deadlineNs = 0;
  int64_t spinNs = 0;
  /// See CoreScheduler.
  std::vector<int32_t> cpus;
};

/// What a rank does, for the messages of other ranks.
class alignas(cacheLine) RankActivity {
public:
  void enter(const Operation &operation) {
    last.store(pack(operation), std::memory_order_relaxed);
    step();
  }
  /// The rank entered or left a collective.
  void step() { steps.store(stepCount() + 1, std::memory_order_relaxed); }
  uint64_t stepCount() const { return steps.load(std::memory_order_relaxed); }
  void setWaiting(bool value) {
    waiting.store(value, std::memory_order_relaxed);
  }
  bool isWaiting() const { return waiting.load(std::memory_order_relaxed); }
  /// The last collective, for example "all_gather #11 (layer 4)"; empty if
  /// there was none.
  std::string lastCollective() const;

private:
  static uint64_t pack(const Operation &operation) {
    return uint64_t(operation.kind + 1) << 56 |
           uint64_t(uint32_t(operation.layer + 1) & 0xffffff) << 32 |
           uint32_t(operation.id);
  }
  std::atomic<uint64_t> last{0};
  std::atomic<uint64_t> steps{0};
  std::atomic<bool> waiting{false};
};

class World {
public:
  World(int32_t size, const WorldOptions &options);

  const int32_t size;
  const WorldOptions options;
  FailureLatch failure;
  CoreScheduler scheduler;
  std::vector<RankActivity> activity;

  bool failed() const { return failure.get() != nullptr; }
  void fail(moert_status status, std::string text);
  /// A rank's own code failed: says what it did last and who waits for it.
  void failRank(int32_t rank, const std::string &what);

  /// The groups of set `index`; made by the first rank that binds it. Null if
  /// another rank bound something else there (the job has failed then).
  const std::vector<std::unique_ptr<ThreadGroup>> *
  bind(size_t index, const GroupSet &set, int32_t rank);

  /// Grows whenever some rank enters or leaves a collective.
  uint64_t steps() const;

private:
  struct BoundSet {
    GroupSet set;
    int32_t boundBy;
    std::vector<std::unique_ptr<ThreadGroup>> groups;
  };
  std::mutex mutex;
  std::deque<BoundSet> sets;
};

/// For example "rank 3" or "ranks 3, 5, 6 and 4 more".
std::string listRanks(const std::vector<int32_t> &ranks);
/// For example "2 s" or "0.15 s".
std::string formatSeconds(int64_t ns);

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_WORLD_H
