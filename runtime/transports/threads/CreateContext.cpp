// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CreateContext.cpp - Joining a job through a bootstrap table --------===//

#include "transports/threads/ThreadsTransport.h"

#include <cstring>
#include <new>
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

static moert_status create(const moert_options *options,
                           const moert_bootstrap *bootstrap,
                           moert_context **context, std::string &error) {
  moert_bootstrap alone = {};
  alone.struct_size = sizeof(alone);
  alone.size = 1;
  const moert_bootstrap &table = bootstrap ? *bootstrap : alone;
  error = checkSize("moert_bootstrap", &table);
  if (!error.empty()) {
    return MOERT_VERSION_MISMATCH;
  }
  if (!context || table.size < 1 || table.rank < 0 ||
      table.rank >= table.size ||
      (table.size > 1 && (!table.all_gather || !table.barrier))) {
    error = "bootstrap: rank " + std::to_string(table.rank) + " of " +
            std::to_string(table.size) + " is not a rank of a job";
    return MOERT_INVALID_ARGUMENT;
  }
  ContextOptions kept;
  moert_status status = checkOptions(options, table.size, kept, error);
  std::shared_ptr<World> world;
  status = meet(options, table, status, world, error);
  if (status == MOERT_OK) {
    *context = new moert_context(
        table.rank, table.size, std::move(kept),
        std::make_unique<ThreadsTransport>(std::move(world), table.rank));
  }
  return status;
}

} // namespace moert

moert_status moert_context_create(const moert_options *options,
                                  const moert_bootstrap *bootstrap,
                                  moert_context **context,
                                  moert_message *message) {
  try {
    std::string error;
    moert_status status = moert::create(options, bootstrap, context, error);
    return moert::report(message, status, error);
  } catch (const std::bad_alloc &) {
    return moert::report(message, MOERT_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return moert::report(message, MOERT_INTERNAL, "internal error");
  }
}
