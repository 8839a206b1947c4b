// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Harness.cpp --------------------------------------------------------===//

#include "Harness.h"
#include "moert/threads.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace moert::conformance {

Rank::Rank(moert_context *context, RankMemory &memory)
    : context(context), memory(memory), rank(moert_context_rank(context)),
      size(moert_context_size(context)) {}

moert_comm *Rank::comm(int32_t set) const {
  moert_comm *comm = nullptr;
  EXPECT_EQ(moert_context_comm(context, set, &comm), MOERT_OK);
  return comm;
}

moert_status Rank::run(const moert_collective &call, int32_t set) const {
  moert_collective queued = call;
  queued.stream = memory.stream();
  moert_status status = moert_comm_run(comm(set), &queued);
  return status == MOERT_OK
             ? moert_context_synchronize(context, memory.stream())
             : status;
}

moert_pending Rank::start(const moert_collective &call, int32_t set) const {
  moert_collective queued = call;
  queued.stream = memory.stream();
  moert_pending pending = -1;
  moert_comm_start(comm(set), &queued, &pending);
  return pending;
}

moert_status Rank::wait(moert_pending pending, int32_t set) const {
  moert_status status = moert_comm_wait(comm(set), pending);
  return status == MOERT_OK
             ? moert_context_synchronize(context, memory.stream())
             : status;
}

int64_t Rank::query(moert_capability capability) const {
  int64_t value = 0;
  EXPECT_EQ(moert_context_query(context, capability, &value), MOERT_OK);
  return value;
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

FlatSets::FlatSets(const Job &job)
    : offsets(job.sets.size(), {0}), ranks(job.sets.size()),
      sets(job.sets.size()) {
  for (size_t s = 0; s < sets.size(); ++s) {
    for (const std::vector<int32_t> &group : job.sets[s]) {
      ranks[s].insert(ranks[s].end(), group.begin(), group.end());
      offsets[s].push_back(int32_t(ranks[s].size()));
    }
    sets[s].struct_size = sizeof(moert_group_set);
    sets[s].count = int32_t(job.sets[s].size());
    sets[s].name = "axis";
    sets[s].offsets = offsets[s].data();
    sets[s].ranks = ranks[s].data();
  }
}

namespace {

/// Threads work on what the C++ library allocates, at once.
class HostMemory : public RankMemory {
public:
  void *allocate(size_t bytes) override { return std::malloc(bytes); }
  void free(void *pointer) override { std::free(pointer); }
  void write(void *to, const void *from, size_t bytes) override {
    copy(to, from, bytes);
  }
  void read(void *to, const void *from, size_t bytes) override {
    copy(to, from, bytes);
  }
  void finish() override {}
  moert_stream stream() const override { return nullptr; }

private:
  static void copy(void *to, const void *from, size_t bytes) {
    if (bytes > 0) {
      std::memcpy(to, from, bytes);
    }
  }
};

} // namespace

static moert_status callBody(moert_context *context, void *user) {
  HostMemory memory;
  Rank rank(context, memory);
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

  FlatSets flat(job);
  moert_threads_options threads = {};
  threads.struct_size = sizeof(threads);
  threads.ranks = job.ranks;
  threads.options = &options;
  threads.sets = flat.sets.data();
  threads.set_count = int32_t(flat.sets.size());

  moert_message message = {};
  message.struct_size = sizeof(message);
  auto begin = std::chrono::steady_clock::now();
  moert_status status = moert_threads_run(&threads, callBody,
                                          const_cast<Body *>(&body), &message);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  return {status, message.text, time.count()};
}

std::vector<TransportUnderTest> threadsUnderTest() {
  return {{"threads", MOERT_MOVE_ANYTIME, runThreads},
          {"threads_late", MOERT_MOVE_LATE, runThreads},
          {"threads_early", MOERT_MOVE_EARLY, runThreads}};
}

std::vector<TransportUnderTest> transportsUnderTest() {
  std::vector<TransportUnderTest> transports = threadsUnderTest();
  transports.push_back(
      {"nccl_emulated_1", MOERT_MOVE_ANYTIME, runEmulated, 6, 1});
  transports.push_back(
      {"nccl_emulated_2", MOERT_MOVE_ANYTIME, runEmulated, 6, 2});
  transports.push_back(
      {"nccl_emulated_3", MOERT_MOVE_ANYTIME, runEmulated, 6, 3});
  std::string reason;
  if (int32_t devices = countDevices(reason)) {
    transports.push_back({"nccl", MOERT_MOVE_ANYTIME, runNccl, devices});
  }
  return transports;
}

std::vector<int32_t> TransportTest::rankCounts() const {
  if (!onDevices()) {
    return {1, 2, 3, 4, 5, 6, 7, 8, 33};
  }
  std::vector<int32_t> counts;
  for (int32_t ranks = 1; ranks <= std::min(5, GetParam().devices); ++ranks) {
    counts.push_back(ranks);
  }
  return counts;
}

std::string
transportName(const testing::TestParamInfo<TransportUnderTest> &info) {
  return info.param.name;
}

} // namespace moert::conformance
