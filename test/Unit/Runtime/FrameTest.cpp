// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FrameTest.cpp - The calls of compiled code -------------------------===//

#include "core/Context.h"
#include "moert/compiled.h"
#include "moert/threads.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace {

using Body = std::function<void(moert_frame &)>;

struct Outcome {
  moert_status status;
  std::string text;
};

} // namespace

static moert_status callBody(moert_context *context, void *user) {
  moert_frame frame = {sizeof(frame), 0, context, nullptr, nullptr, nullptr};
  (*static_cast<Body *>(user))(frame);
  return MOERT_OK;
}

/// Two ranks in set 0 as {0, 1}, in set 1 alone.
static Outcome runTwo(Body body) {
  const int32_t offsets[] = {0, 2};
  const int32_t alone[] = {0, 1, 2};
  const int32_t ranks[] = {0, 1};
  moert_group_set sets[2] = {{sizeof(moert_group_set), 1, "ep", offsets, ranks},
                             {sizeof(moert_group_set), 2, "dp", alone, ranks}};
  moert_threads_options options = {};
  options.struct_size = sizeof(options);
  options.ranks = 2;
  options.sets = sets;
  options.set_count = 2;
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_status status = moert_threads_run(&options, callBody, &body, &message);
  return {status, message.text};
}

static void expectOk(Body body) {
  Outcome outcome = runTwo(std::move(body));
  EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
}

TEST(FrameTest, LayoutThatGeneratedCodeReliesOn) {
  EXPECT_EQ(offsetof(moert_frame, context), 8u);
  EXPECT_EQ(offsetof(moert_frame, handles), 16u);
  EXPECT_EQ(offsetof(moert_frame, stream), 24u);
  EXPECT_EQ(offsetof(moert_frame, kernels), 32u);
}

TEST(FrameTest, RankIsTheIndexInTheGroup) {
  expectOk([](moert_frame &frame) {
    int32_t rank = moert_context_rank(frame.context);
    EXPECT_EQ(moert_frame_rank(&frame, 0), rank);
    EXPECT_EQ(moert_frame_rank(&frame, MOERT_WORLD), rank);
    EXPECT_EQ(moert_frame_rank(&frame, 1), 0);
  });
}

TEST(FrameTest, EveryCollective) {
  expectOk([](moert_frame &frame) {
    int32_t rank = moert_frame_rank(&frame, 0);
    int32_t mine[2] = {10 * rank, 10 * rank + 1};
    int32_t got[2] = {-1, -1};
    const int32_t ones[] = {0, 1, 2};
    moert_frame_all_to_all_v(&frame, 0, 1, mine, ones, got, ones, 4);
    EXPECT_EQ(got[0], rank);
    EXPECT_EQ(got[1], 10 + rank);

    moert_frame_all_to_all(&frame, 0, 2, mine, got, 4);
    EXPECT_EQ(got[1], 10 + rank);

    moert_frame_all_gather(&frame, 0, 3, &mine[1], got, 4);
    EXPECT_EQ(got[0], 1);
    EXPECT_EQ(got[1], 11);

    const int32_t ragged[] = {0, 0, 2};
    moert_frame_all_gather_v(&frame, 0, 4, mine, got, ragged, 4);
    EXPECT_EQ(got[0], 10);
    EXPECT_EQ(got[1], 11);

    moert_frame_reduce_scatter(&frame, 0, 5, mine, got, 1, MOERT_INT32,
                               MOERT_SUM);
    EXPECT_EQ(got[0], rank == 0 ? 10 : 12);
    moert_frame_all_reduce(&frame, 0, 6, mine, got, 2, MOERT_INT32, MOERT_MAX);
    EXPECT_EQ(got[0], 10);
    EXPECT_EQ(got[1], 11);
    moert_frame_barrier(&frame, 0, 7);
  });
}

TEST(FrameTest, StartAndWait) {
  expectOk([](moert_frame &frame) {
    int32_t rank = moert_frame_rank(&frame, 0);
    int32_t mine[2] = {10 * rank, 10 * rank + 1};
    int32_t a[2], b[2], c[2], d[2];
    const int32_t ones[] = {0, 1, 2};
    int64_t first = moert_frame_start(&frame, 0, 1, mine, ones, a, ones, 4,
                                      MOERT_ALL_TO_ALL_V);
    int64_t second = moert_frame_start(&frame, 0, 2, mine, nullptr, b, nullptr,
                                       4, MOERT_ALL_GATHER);
    int64_t third = moert_frame_start(&frame, 0, 3, mine, nullptr, c, ones, 4,
                                      MOERT_ALL_GATHER_V);
    int64_t fourth = moert_frame_start_reduction(
        &frame, 0, 4, mine, d, 2, MOERT_INT32, MOERT_SUM, MOERT_ALL_REDUCE);
    moert_frame_wait(&frame, first);
    moert_frame_wait(&frame, second);
    moert_frame_wait(&frame, third);
    moert_frame_wait(&frame, fourth);
    EXPECT_EQ(a[1], 10 + rank);
    EXPECT_EQ(b[1], 10);
    EXPECT_EQ(c[1], 10);
    EXPECT_EQ(d[1], 12);
  });
}

TEST(FrameTest, HostExtentWithinTheBound) {
  expectOk([](moert_frame &frame) {
    EXPECT_EQ(moert_frame_host_extent(&frame, 1, 128, 128), 128);
    EXPECT_EQ(moert_frame_host_extent(&frame, 1, 0, 128), 0);
  });
}

TEST(FrameTest, HostExtentBeyondTheBoundNamesLayerAndRank) {
  Outcome outcome = runTwo([](moert_frame &frame) {
    moert_frame_layer(&frame, 3);
    if (moert_frame_rank(&frame, 0) == 1) {
      EXPECT_EQ(moert_frame_host_extent(&frame, 5, 129, 128), 0);
    }
    // Counts that come after read as zero: the code runs to its end.
    int32_t mine[2] = {7, 7}, got[2] = {9, 9};
    moert_frame_all_to_all(&frame, 0, 6, mine, got, 4);
    moert_frame_wait(&frame, 0);
    EXPECT_EQ(got[0], 0);
    EXPECT_EQ(got[1], 0);
  });
  EXPECT_EQ(outcome.status, MOERT_BOUND_EXCEEDED);
  EXPECT_EQ(outcome.text, "rank 1: host_extent #5 (layer 3): expected at most "
                          "128 rows, but got 129");
}

TEST(FrameTest, AnUnknownGroup) {
  Outcome outcome = runTwo([](moert_frame &frame) {
    if (moert_frame_rank(&frame, 0) == 0) {
      moert_frame_barrier(&frame, 2, 1);
    }
  });
  EXPECT_EQ(outcome.status, MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(outcome.text, "rank 0: expected a group set below 2, but got 2");
}

TEST(FrameTest, AFrameWithoutKernelsIsStillOne) {
  expectOk([](moert_frame &frame) {
    moert_frame older = frame;
    older.struct_size = offsetof(moert_frame, kernels);
    moert_frame_barrier(&older, 0, 1);
  });
}

TEST(FrameTest, ThreadsHaveNoDevice) {
  const std::vector<std::pair<std::string, Body>> calls = {
      {"kernels",
       [](moert_frame &frame) {
         moert_frame_launch(&frame, 0, 1, 32, 0, nullptr, 0);
       }},
      {"memory of a device",
       [](moert_frame &frame) {
         EXPECT_EQ(moert_frame_allocate(&frame, 64), nullptr);
       }},
      {"memory of a device",
       [](moert_frame &frame) {
         moert_frame_copy(&frame, nullptr, nullptr, 64);
       }},
      {"memory of a device",
       [](moert_frame &frame) {
         const int32_t offsets[] = {0, 7};
         EXPECT_EQ(moert_frame_device_extent(&frame, 1, offsets, 2, 8), 0);
       }},
      {"memory of a device", [](moert_frame &frame) {
         EXPECT_EQ(moert_frame_fault_words(&frame), nullptr);
       }}};
  for (const auto &[what, call] : calls) {
    Outcome outcome = runTwo([&call](moert_frame &frame) {
      if (moert_context_rank(frame.context) == 1) {
        call(frame);
      }
    });
    EXPECT_EQ(outcome.status, MOERT_UNSUPPORTED);
    EXPECT_EQ(outcome.text, "rank 1: transport threads has no " + what);
  }
}

TEST(FrameTest, EveryFunctionIsInTheJitsTable) {
  std::vector<const void *> addresses;
#define MOERT_ADDRESS(name)                                                    \
  addresses.push_back(reinterpret_cast<const void *>(&(name)));
  MOERT_FRAME_FUNCTIONS(MOERT_ADDRESS)
#undef MOERT_ADDRESS
  EXPECT_EQ(addresses.size(), 20u);
}

namespace {

/// Keeps the streams of the calls; otherwise a job of one rank in which nothing
/// has to be moved.
class StreamRecorder : public moert::Transport {
public:
  explicit StreamRecorder(std::vector<moert_stream> &streams)
      : streams(streams) {}

  const char *name() const override { return "recorder"; }
  const moert::Failure *failure() const override { return nullptr; }
  void fail(moert_status, const std::string &text) override {
    ADD_FAILURE() << text;
  }
  void bind(const moert::GroupSet &) override {}
  moert::Token start(int32_t, const moert::Operation &operation,
                     moert::PhaseTimer &) override {
    streams.push_back(operation.stream);
    return this;
  }
  bool wait(moert::Token, moert::PhaseTimer &) override { return true; }
  void quiesce() override {}
  void leave() override {}
  std::string lastCollective() const override { return {}; }
  bool acquireCore() override { return true; }
  void releaseCore() override {}
  moert_status query(moert_capability, int64_t &) const override {
    return MOERT_UNSUPPORTED;
  }

private:
  std::vector<moert_stream> &streams;
};

} // namespace

TEST(FrameTest, EveryCollectiveIsOnTheFramesStream) {
  std::vector<moert_stream> streams;
  moert_context context(0, 1, {}, std::make_unique<StreamRecorder>(streams));
  int stream = 0;
  moert_frame frame = {sizeof(frame), 0, &context, nullptr, &stream, nullptr};
  const int32_t one[] = {0, 1};
  int32_t from = 1, to = 2;
  moert_frame_all_to_all_v(&frame, MOERT_WORLD, 1, &from, one, &to, one, 4);
  moert_frame_all_to_all(&frame, MOERT_WORLD, 2, &from, &to, 4);
  moert_frame_all_gather(&frame, MOERT_WORLD, 3, &from, &to, 4);
  moert_frame_all_gather_v(&frame, MOERT_WORLD, 4, &from, &to, one, 4);
  moert_frame_reduce_scatter(&frame, MOERT_WORLD, 5, &from, &to, 1, MOERT_INT32,
                             MOERT_SUM);
  moert_frame_all_reduce(&frame, MOERT_WORLD, 6, &from, &to, 1, MOERT_INT32,
                         MOERT_SUM);
  moert_frame_barrier(&frame, MOERT_WORLD, 7);
  moert_frame_wait(&frame, moert_frame_start(&frame, MOERT_WORLD, 8, &from, one,
                                             &to, one, 4, MOERT_ALL_TO_ALL_V));
  moert_frame_wait(&frame, moert_frame_start_reduction(
                               &frame, MOERT_WORLD, 9, &from, &to, 1,
                               MOERT_INT32, MOERT_SUM, MOERT_ALL_REDUCE));
  EXPECT_EQ(streams, std::vector<moert_stream>(9, &stream));
}
