// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- JoinThreads.cpp - Meeting through a bootstrap table ----------------===//

#include "transports/Join.h"
#include "transports/threads/ThreadsTransport.h"

#include <unistd.h>

namespace moert {

namespace {

/// What ranks tell each other when they meet.
struct Hello {
  int64_t process;
  /// Of rank 0: where its world is.
  std::shared_ptr<World> *world;
  /// 0: this rank's own arguments are fine.
  moert_status status;
  int32_t movement;
  int32_t corePermits;
  int32_t tierCount;
  int64_t deadlineNs;
  int64_t spinNs;

  bool sameOptions(const Hello &other) const {
    return movement == other.movement && corePermits == other.corePermits &&
           tierCount == other.tierCount && deadlineNs == other.deadlineNs &&
           spinNs == other.spinNs;
  }
};

} // namespace

/// Why the ranks cannot form a job; the same answer on all of them.
static moert_status compareHellos(const std::vector<Hello> &hellos,
                                  std::string &error) {
  for (size_t r = 0; r < hellos.size(); ++r) {
    std::string rank = "rank " + std::to_string(r);
    if (hellos[r].status != MOERT_OK) {
      error = rank + " could not join: " + moert_status_name(hellos[r].status);
      return hellos[r].status;
    }
    if (hellos[r].process != hellos[0].process) {
      error = "transport threads: expected all ranks in one process, but " +
              rank + " is in another one than rank 0";
      return MOERT_UNSUPPORTED;
    }
    if (!hellos[r].sameOptions(hellos[0])) {
      error = rank + " passes other options than rank 0";
      return MOERT_DIVERGED;
    }
  }
  return MOERT_OK;
}

static moert_status meet(const moert_options *options,
                         const moert_bootstrap &bootstrap, moert_status status,
                         std::shared_ptr<World> &world, std::string &error) {
  int32_t permits = status == MOERT_OK && options ? options->core_permits : 0;
  WorldOptions wanted = worldOptions(status == MOERT_OK ? options : nullptr,
                                     bootstrap.size, permits);
  Hello self = {};
  self.process = getpid();
  self.status = status;
  self.movement = wanted.movement;
  self.corePermits = wanted.corePermits;
  self.tierCount = status == MOERT_OK && options && options->tiers
                       ? options->tiers->count
                       : 0;
  self.deadlineNs = wanted.deadlineNs;
  self.spinNs = wanted.spinNs;
  if (bootstrap.rank == 0) {
    world = std::make_shared<World>(bootstrap.size, wanted);
    self.world = &world;
  }
  std::vector<Hello> hellos(size_t(bootstrap.size), self);
  if (bootstrap.size > 1) {
    if (bootstrap.all_gather(bootstrap.state, &self, sizeof(self),
                             hellos.data()) != 0) {
      error = "the bootstrap table's all_gather failed";
      return MOERT_BOOTSTRAP_FAILED;
    }
    if (status == MOERT_OK) {
      status = compareHellos(hellos, error);
    }
    if (status == MOERT_OK && bootstrap.rank != 0) {
      world = *hellos[0].world;
    }
    // Rank 0's variable must live until all have copied it.
    if (bootstrap.barrier(bootstrap.state) != 0) {
      error = "the bootstrap table's barrier failed";
      return MOERT_BOOTSTRAP_FAILED;
    }
  }
  return status;
}

moert_status joinThreads(const Joining &joining,
                         std::unique_ptr<Transport> &transport,
                         std::string &error) {
  std::shared_ptr<World> world;
  moert_status status =
      meet(joining.options, joining.table, joining.status, world, error);
  if (status == MOERT_OK) {
    transport = std::make_unique<ThreadsTransport>(std::move(world),
                                                   joining.table.rank);
  }
  return status;
}

} // namespace moert
