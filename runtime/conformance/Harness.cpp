// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Harness.cpp --------------------------------------------------------===//

#include "Harness.h"
#include "moert/threads.h"

#include <chrono>

namespace moert::conformance {

Rank::Rank(moert_context *context)
    : context(context), rank(moert_context_rank(context)),
      size(moert_context_size(context)) {}

moert_comm *Rank::comm(int32_t set) const {
  moert_comm *comm = nullptr;
  EXPECT_EQ(moert_context_comm(context, set, &comm), MOERT_OK);
  return comm;
}

moert_status Rank::run(const moert_collective &call, int32_t set) const {
  return moert_comm_run(comm(set), &call);
}

moert_pending Rank::start(const moert_collective &call, int32_t set) const {
  moert_pending pending = -1;
  moert_comm_start(comm(set), &call, &pending);
  return pending;
}

moert_status Rank::wait(moert_pending pending, int32_t set) const {
  return moert_comm_wait(comm(set), pending);
}

moert_status Rank::status() const {
  return moert_context_status(context, nullptr);
}

moert_collective makeCall(moert_kind kind, int32_t id, int32_t layer) {
  moert_collective call = {};
  call.struct_size = sizeof(call);
  call.kind = kind;
  call.id = id;
  call.layer = layer;
  return call;
}

std::vector<int32_t> prefixSums(const std::vector<int32_t> &counts) {
  std::vector<int32_t> sums = {0};
  for (int32_t count : counts) {
    sums.push_back(sums.back() + count);
  }
  return sums;
}

/// A set in the ABI's form; refers to its own members.
namespace {
struct FlatSet {
  std::vector<int32_t> offsets = {0};
  std::vector<int32_t> ranks;
};
} // namespace

static moert_status callBody(moert_context *context, void *user) {
  Rank rank(context);
  (*static_cast<const Body *>(user))(rank);
  return MOERT_OK;
}

static Outcome runThreads(const TransportUnderTest &transport, const Job &job,
                          const Body &body) {
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.movement = transport.movement;
  options.deadline_ns = job.deadlineNs;
  options.core_permits = job.corePermits;

  std::vector<FlatSet> flat(job.sets.size());
  std::vector<moert_group_set> sets(job.sets.size());
  for (size_t s = 0; s < sets.size(); ++s) {
    for (const std::vector<int32_t> &group : job.sets[s]) {
      flat[s].ranks.insert(flat[s].ranks.end(), group.begin(), group.end());
      flat[s].offsets.push_back(int32_t(flat[s].ranks.size()));
    }
    sets[s].struct_size = sizeof(moert_group_set);
    sets[s].count = int32_t(job.sets[s].size());
    sets[s].name = "axis";
    sets[s].offsets = flat[s].offsets.data();
    sets[s].ranks = flat[s].ranks.data();
  }

  moert_threads_options threads = {};
  threads.struct_size = sizeof(threads);
  threads.ranks = job.ranks;
  threads.options = &options;
  threads.sets = sets.data();
  threads.set_count = int32_t(sets.size());

  moert_message message = {};
  message.struct_size = sizeof(message);
  auto begin = std::chrono::steady_clock::now();
  moert_status status = moert_threads_run(&threads, callBody,
                                          const_cast<Body *>(&body), &message);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  return {status, message.text, time.count()};
}

std::vector<TransportUnderTest> transportsUnderTest() {
  return {{"threads", MOERT_MOVE_ANYTIME, runThreads},
          {"threads_late", MOERT_MOVE_LATE, runThreads},
          {"threads_early", MOERT_MOVE_EARLY, runThreads}};
}

std::string
transportName(const testing::TestParamInfo<TransportUnderTest> &info) {
  return info.param.name;
}

} // namespace moert::conformance
