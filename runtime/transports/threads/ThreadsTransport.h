// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadsTransport.h - Ranks are threads of one process ----*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_THREADSTRANSPORT_H
#define MOERT_TRANSPORTS_THREADS_THREADSTRANSPORT_H

#include "core/Context.h"
#include "transports/threads/World.h"

namespace moert {

class ThreadsTransport : public Transport {
public:
  ThreadsTransport(std::shared_ptr<World> world, int32_t rank)
      : world(std::move(world)), rank(rank) {}

  const char *name() const override { return "threads"; }
  const Failure *failure() const override { return world->failure.get(); }
  void fail(moert_status status, const std::string &text) override {
    world->fail(status, text);
  }
  void bind(const GroupSet &set) override;
  Token start(int32_t set, const Operation &operation,
              PhaseTimer &timer) override;
  bool wait(Token token, PhaseTimer &timer) override;
  void quiesce() override;
  void leave() override;
  std::string lastCollective() const override {
    return world->activity[size_t(rank)].lastCollective();
  }
  bool acquireCore() override;
  void releaseCore() override { world->scheduler.release(rank); }
  moert_status query(moert_capability capability,
                     int64_t &value) const override;

private:
  struct Membership {
    /// Null where the rank is in no group of the set.
    ThreadGroup *group = nullptr;
    int32_t self = -1;
  };

  const std::shared_ptr<World> world;
  const int32_t rank;
  std::vector<Membership> memberships;
  bool left = false;
};

/// The CPUs that the process may use.
std::vector<int32_t> availableCpus();

/// The world's part of checked options. `permits`: 0 is no limit.
WorldOptions worldOptions(const moert_options *options, int32_t size,
                          int32_t permits);

/// Checks options (null: the defaults) for a job of `size` ranks.
moert_status checkOptions(const moert_options *options, int32_t size,
                          ContextOptions &result, std::string &error);

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_THREADSTRANSPORT_H
