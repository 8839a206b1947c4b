// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadsTransport.cpp -----------------------------------------------===//

#include "transports/threads/ThreadsTransport.h"
#include "transports/threads/StallWatch.h"

#include <algorithm>
#include <numeric>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace moert {

void ThreadsTransport::bind(const GroupSet &set) {
  Membership membership;
  const std::vector<std::unique_ptr<ThreadGroup>> *groups =
      world->bind(memberships.size(), set, rank);
  if (groups) {
    for (const std::unique_ptr<ThreadGroup> &group : *groups) {
      auto self = std::find(group->ranks.begin(), group->ranks.end(), rank);
      if (self != group->ranks.end()) {
        membership.group = group.get();
        membership.self = int32_t(self - group->ranks.begin());
      }
    }
  }
  memberships.push_back(membership);
}

Token ThreadsTransport::start(int32_t set, const Operation &operation,
                              PhaseTimer &timer) {
  ThreadGroup *group = memberships[size_t(set)].group;
  return group ? group->start(operation, timer) : nullptr;
}

bool ThreadsTransport::wait(Token token, PhaseTimer &timer) {
  StartedExchange &started = *static_cast<StartedExchange *>(token);
  return started.group->wait(started, timer);
}

void ThreadsTransport::quiesce() {
  for (const Membership &membership : memberships) {
    if (membership.group) {
      membership.group->quiesce();
    }
  }
}

void ThreadsTransport::leave() {
  if (left) {
    return;
  }
  left = true;
  for (const Membership &membership : memberships) {
    if (membership.group) {
      membership.group->leave(membership.self);
    }
  }
  world->scheduler.release(rank);
}

bool ThreadsTransport::acquireCore() {
  StallWatch watch(*world, 0);
  while (!world->scheduler.acquire(rank, watch.until())) {
    if (watch.stalled()) {
      world->fail(
          MOERT_TIMED_OUT,
          "rank " + std::to_string(rank) +
              ": waits for a core: " + listRanks(world->scheduler.holders()) +
              " made no progress within " + formatSeconds(watch.deadline()));
    }
  }
  return !world->failed();
}

moert_status ThreadsTransport::query(moert_capability capability,
                                     int64_t &value) const {
  switch (capability) {
  case MOERT_CAPABILITY_DEVICE_BUFFERS:
  case MOERT_CAPABILITY_DEVICE_OFFSETS:
  case MOERT_CAPABILITY_STREAMS:
    value = 0;
    return MOERT_OK;
  case MOERT_CAPABILITY_MAX_IN_FLIGHT:
    value = ThreadGroup::ringSize;
    return MOERT_OK;
  case MOERT_CAPABILITY_DIRECT:
  case MOERT_CAPABILITY_ORDERED_REDUCTIONS:
    value = 1;
    return MOERT_OK;
  case MOERT_CAPABILITY_REDUCIBLE_DTYPES:
    value = (1 << (MOERT_INT64 + 1)) - 1;
    return MOERT_OK;
  case MOERT_CAPABILITY_MOVEMENT:
    value = world->options.movement;
    return MOERT_OK;
  case MOERT_CAPABILITY_CORE_PERMITS:
    value = world->options.corePermits;
    return MOERT_OK;
  default:
    return MOERT_INVALID_ARGUMENT;
  }
}

std::vector<int32_t> availableCpus() {
  std::vector<int32_t> cpus;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(size_t(cpu), &set)) {
        cpus.push_back(cpu);
      }
    }
  }
#endif
  if (cpus.empty()) {
    cpus.resize(std::max(1u, std::thread::hardware_concurrency()));
    std::iota(cpus.begin(), cpus.end(), 0);
  }
  return cpus;
}

WorldOptions worldOptions(const moert_options *options, int32_t size,
                          int32_t permits) {
  constexpr int64_t defaultDeadlineNs = 60000000000;
  constexpr int64_t defaultSpinNs = 20000;
  WorldOptions result;
  result.corePermits = permits;
  result.movement = options ? options->movement : MOERT_MOVE_ANYTIME;
  int64_t deadlineNs = options ? options->deadline_ns : 0;
  result.deadlineNs = deadlineNs == 0 ? defaultDeadlineNs : deadlineNs;
  int64_t spinNs = options ? options->spin_ns : 0;
  int32_t cores = int32_t(availableCpus().size());
  // A rank that spins holds its core. That harms nobody while all who hold one
  // have one to themselves: a rank that can run and lacks one ends the
  // spinning.
  int32_t running = permits > 0 ? std::min(permits, size) : size;
  result.spinNs = spinNs != 0 ? spinNs : running > cores ? 0 : defaultSpinNs;
  return result;
}

moert_status checkOptions(const moert_options *options, int32_t size,
                          ContextOptions &result, std::string &error) {
  moert_options defaults = {};
  defaults.struct_size = sizeof(defaults);
  defaults.abi_version = MOERT_ABI_VERSION;
  return readOptions(options ? *options : defaults, size, allRanks, result,
                     error);
}

} // namespace moert
