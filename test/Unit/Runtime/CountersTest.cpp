// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CountersTest.cpp - Bytes, messages, phases, trace ------------------===//

#include "moert/compiled.h"
#include "moert/threads.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

using Body = std::function<void(moert_context *)>;
using Clock = std::chrono::steady_clock;

/// Four ranks as two nodes of two.
class CountersTest : public testing::Test {
protected:
  void run(Body body, int64_t traceEvents = 0) {
    for (int32_t from = 0; from < 4; ++from) {
      for (int32_t to = 0; to < 4; ++to) {
        tierOf.push_back(from / 2 == to / 2 ? 0 : 1);
      }
    }
    moert_tiers tiers = {sizeof(tiers), 2, names, tierOf.data()};
    moert_options options = {};
    options.struct_size = sizeof(options);
    options.abi_version = MOERT_ABI_VERSION;
    options.tiers = &tiers;
    options.trace_events = traceEvents;
    moert_threads_options threads = {};
    threads.struct_size = sizeof(threads);
    threads.ranks = 4;
    threads.options = &options;
    moert_message message = {};
    message.struct_size = sizeof(message);
    EXPECT_EQ(moert_threads_run(&threads, call, &body, &message), MOERT_OK)
        << message.text;
  }

  static moert_status call(moert_context *context, void *user) {
    (*static_cast<Body *>(user))(context);
    return MOERT_OK;
  }

  const char *const names[2] = {"nvlink", "ib"};
  std::vector<int32_t> tierOf;
};

} // namespace

static moert_traffic traffic(const moert_context *context, moert_kind kind,
                             int32_t tier) {
  moert_traffic result = {-1, -1};
  EXPECT_EQ(moert_context_traffic(context, kind, tier, &result), MOERT_OK);
  return result;
}

TEST_F(CountersTest, AllToAllVByTier) {
  run([](moert_context *context) {
    // Rank r sends r + p rows of 10 bytes to rank p.
    int32_t rank = moert_context_rank(context);
    int32_t sent[5] = {0}, received[5] = {0};
    for (int32_t p = 0; p < 4; ++p) {
      sent[p + 1] = sent[p] + rank + p;
      received[p + 1] = received[p] + p + rank;
    }
    std::vector<char> source(size_t(sent[4]) * 10),
        destination(size_t(received[4]) * 10);
    moert_frame frame = {sizeof(frame), 0, context, nullptr};
    moert_frame_all_to_all_v(&frame, MOERT_WORLD, 1, source.data(), sent,
                             destination.data(), received, 10);
    int32_t neighbour = rank ^ 1;
    moert_traffic local = traffic(context, -1, MOERT_TIER_LOCAL);
    EXPECT_EQ(local.bytes, 10 * 2 * rank);
    EXPECT_EQ(local.messages, rank == 0 ? 0 : 1);
    moert_traffic near = traffic(context, MOERT_ALL_TO_ALL_V, 0);
    EXPECT_EQ(near.bytes, 10 * (rank + neighbour));
    EXPECT_EQ(near.messages, 1);
    moert_traffic far = traffic(context, MOERT_ALL_TO_ALL_V, 1);
    int32_t others = rank < 2 ? 2 + 3 : 0 + 1;
    EXPECT_EQ(far.bytes, 10 * (2 * rank + others));
    EXPECT_EQ(far.messages, 2);
    EXPECT_EQ(traffic(context, MOERT_ALL_GATHER, 1).bytes, 0);
  });
}

TEST_F(CountersTest, OneCounterPerCollectiveAndLayer) {
  run([](moert_context *context) {
    moert_frame frame = {sizeof(frame), 0, context, nullptr};
    int64_t value = 1;
    int64_t all[4];
    for (int32_t layer = 0; layer < 2; ++layer) {
      moert_frame_layer(&frame, layer);
      for (int32_t turn = 0; turn < 3; ++turn) {
        moert_frame_all_gather(&frame, MOERT_WORLD, 8, &value, all, 8);
      }
      moert_frame_barrier(&frame, MOERT_WORLD, 9);
    }
    ASSERT_EQ(moert_context_counter_count(context), 4);
    moert_counter counter = {};
    counter.struct_size = sizeof(counter);
    ASSERT_EQ(moert_context_counter(context, 2, &counter), MOERT_OK);
    EXPECT_EQ(counter.kind, MOERT_ALL_GATHER);
    EXPECT_EQ(counter.id, 8);
    EXPECT_EQ(counter.layer, 1);
    EXPECT_EQ(counter.set, MOERT_WORLD);
    EXPECT_EQ(counter.calls, 3);
    EXPECT_EQ(counter.tier_count, 2);
    EXPECT_EQ(counter.tiers[0].bytes, 3 * 8);
    EXPECT_EQ(counter.tiers[1].bytes, 3 * 2 * 8);
    EXPECT_EQ(counter.tiers[1].messages, 3 * 2);
    EXPECT_EQ(counter.local.bytes, 3 * 8);
    EXPECT_EQ(moert_context_counter(context, 4, &counter),
              MOERT_INVALID_ARGUMENT);
    moert_context_reset_counters(context);
    EXPECT_EQ(traffic(context, -1, 0).bytes, 0);
  });
}

TEST_F(CountersTest, ReductionsCountBothHalves) {
  run([](moert_context *context) {
    moert_frame frame = {sizeof(frame), 0, context, nullptr};
    float values[8] = {};
    float result[8];
    // Each rank reduces 2 elements: it sends 2 to each peer, and 2 results.
    moert_frame_all_reduce(&frame, MOERT_WORLD, 1, values, result, 8, MOERT_F32,
                           MOERT_SUM);
    EXPECT_EQ(traffic(context, MOERT_ALL_REDUCE, 0).bytes, 16);
    EXPECT_EQ(traffic(context, MOERT_ALL_REDUCE, 1).bytes, 32);
    moert_frame_reduce_scatter(&frame, MOERT_WORLD, 2, values, result, 2,
                               MOERT_F32, MOERT_SUM);
    EXPECT_EQ(traffic(context, MOERT_REDUCE_SCATTER, 1).bytes, 16);
  });
}

TEST_F(CountersTest, TierNames) {
  run([](moert_context *context) {
    EXPECT_EQ(moert_context_tier_count(context), 2);
    EXPECT_STREQ(moert_context_tier_name(context, 1), "ib");
    EXPECT_STREQ(moert_context_tier_name(context, MOERT_TIER_LOCAL), "local");
    EXPECT_EQ(moert_context_tier_name(context, 2), nullptr);
  });
}

TEST_F(CountersTest, PhasesSplitTheWallClock) {
  run([](moert_context *context) {
    moert_frame frame = {sizeof(frame), 0, context, nullptr};
    moert_context_reset_counters(context);
    Clock::time_point begin = Clock::now();
    moert_frame_phase(&frame, MOERT_PHASE_EXPERTS);
    if (moert_context_rank(context) == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    moert_frame_barrier(&frame, MOERT_WORLD, 1);
    moert_frame_phase(&frame, MOERT_PHASE_OTHER);
    int64_t sum = 0, experts = 0;
    for (moert_phase phase = 0; phase < MOERT_PHASE_COUNT; ++phase) {
      int64_t ns = -1;
      EXPECT_EQ(moert_context_phase_ns(context, phase, &ns), MOERT_OK);
      EXPECT_GE(ns, 0);
      sum += ns;
      experts = phase == MOERT_PHASE_EXPERTS ? ns : experts;
    }
    double elapsed =
        std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    // The phases are read before the end: only the length of a tick, which is
    // measured, can make them longer.
    EXPECT_LE(double(sum), elapsed * 1.05 + 1e6);
    if (moert_context_rank(context) == 0) {
      EXPECT_GE(experts, 49000000);
    }
    EXPECT_EQ(moert_context_set_phase(context, 77), MOERT_INVALID_ARGUMENT);
  });
}

static int32_t append(void *state, const char *text, int64_t bytes) {
  static_cast<std::string *>(state)->append(text, size_t(bytes));
  return 0;
}

TEST_F(CountersTest, TraceNamesCollectivesAndPhases) {
  run(
      [](moert_context *context) {
        moert_frame frame = {sizeof(frame), 0, context, nullptr};
        moert_frame_layer(&frame, 3);
        moert_frame_phase(&frame, MOERT_PHASE_ROUTER);
        moert_frame_barrier(&frame, MOERT_WORLD, 5);
        moert_frame_phase(&frame, MOERT_PHASE_OTHER);
        std::string text;
        EXPECT_EQ(moert_context_write_trace(context, append, &text), MOERT_OK);
        EXPECT_EQ(text.substr(0, 2), "[\n");
        EXPECT_NE(text.find("{\"name\": \"barrier #5\", \"cat\": "
                            "\"collective\", \"ph\": \"X\", \"ts\": "),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find("\"args\": {\"layer\": 3}}"), std::string::npos);
        EXPECT_NE(text.find("\"name\": \"router\""), std::string::npos);
      },
      100);
}
