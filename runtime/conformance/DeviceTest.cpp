// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceTest.cpp - What compiled code asks of a rank's device --------===//

#include "Harness.h"
#include "emulator/Machine.h"
#include "moert/compiled.h"

using namespace moert;
using namespace moert::conformance;

static const TransportUnderTest emulated = {"nccl", MOERT_MOVE_ANYTIME,
                                            runEmulated, 6, 5};

static cuda::Stream queueOf(const Rank &rank) {
  return cuda::Stream(rank.memory.stream());
}

static moert_frame frameOf(const Rank &rank) {
  moert_frame frame = {};
  frame.struct_size = sizeof(frame);
  frame.context = rank.context;
  frame.stream = rank.memory.stream();
  return frame;
}

TEST(DeviceTest, MemoryComesBackBySizeAndStream) {
  Outcome outcome = runEmulated(emulated, {1}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    void *first = moert_frame_allocate(&frame, 384);
    void *second = moert_frame_allocate(&frame, 384);
    EXPECT_NE(first, second);
    moert_frame_deallocate(&frame, first, 384);
    EXPECT_NE(moert_frame_allocate(&frame, 640), first);
    moert_frame other = frame;
    ASSERT_EQ(moert_stream_create(rank.context, &other.stream), MOERT_OK);
    void *beside = moert_frame_allocate(&other, 384);
    EXPECT_NE(beside, first);
    EXPECT_EQ(moert_frame_allocate(&frame, 384), first);
    moert_frame_deallocate(&frame, nullptr, 384);
    moert_stream_destroy(rank.context, other.stream);
  });
  EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
}

TEST(DeviceTest, AFullDeviceGivesBackWhatIsIdle) {
  Outcome outcome = runEmulated(emulated, {1}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    // Of 64 MiB.
    constexpr int64_t half = int64_t(40) << 20;
    void *first = moert_frame_allocate(&frame, half);
    moert_frame_deallocate(&frame, first, half);
    EXPECT_NE(moert_frame_allocate(&frame, half + 1), nullptr);
    EXPECT_EQ(moert_frame_allocate(&frame, half), nullptr);
  });
  EXPECT_EQ(outcome.status, MOERT_OUT_OF_MEMORY);
  EXPECT_EQ(outcome.text, "rank 0: the device has no 41943040 bytes left");
}

TEST(DeviceTest, CodeOfADeviceHasItsOffsetsThere) {
  Outcome outcome = runEmulated(emulated, {2}, [](Rank &rank) {
    Buffer<int32_t> source(rank, {10 + rank.rank, 20 + rank.rank});
    Buffer<int32_t> offsets(rank, {0, 1, 2});
    Buffer<int32_t> result(rank, {-1, -1});
    Buffer<int32_t> copy(rank, {-1, -1});
    moert_frame frame = frameOf(rank);
    moert_frame_all_to_all_v(&frame, MOERT_WORLD, 1, source.data(),
                             offsets.data(), result.data(), offsets.data(), 4);
    moert_frame_copy(&frame, copy.data(), result.data(), 8);
    EXPECT_EQ(copy.read(), (std::vector<int32_t>{10 * (rank.rank + 1),
                                                 10 * (rank.rank + 1) + 1}));
    EXPECT_EQ(moert_frame_device_extent(&frame, 2, offsets.data(), 3, 2), 2);
  });
  EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
}

TEST(DeviceTest, AnExtentBeyondItsBound) {
  Outcome outcome = runEmulated(emulated, {2}, [](Rank &rank) {
    Buffer<int32_t> offsets(rank, {0, 40, 129});
    moert_frame frame = frameOf(rank);
    moert_frame_layer(&frame, 3);
    if (rank.rank == 1) {
      EXPECT_EQ(moert_frame_device_extent(&frame, 5, offsets.data(), 3, 128),
                0);
    }
  });
  EXPECT_EQ(outcome.status, MOERT_BOUND_EXCEEDED);
  EXPECT_EQ(outcome.text, "rank 1: host_extent #5 (layer 3): expected at most "
                          "128 rows, but got 129");
}

TEST(DeviceTest, WhatAKernelReportsShowsWhereTheHostWaits) {
  Outcome outcome = runEmulated(emulated, {2}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    moert_frame_layer(&frame, 2);
    uint64_t *quiet = moert_frame_fault_words(&frame);
    moert_frame_layer(&frame, 3);
    uint64_t *words = moert_frame_fault_words(&frame);
    EXPECT_NE(quiet, words);
    EXPECT_EQ(moert_frame_fault_words(&frame), words);
    EXPECT_EQ(moert_context_synchronize(rank.context, frame.stream), MOERT_OK);
    // In place of a kernel.
    const uint64_t reported[MOERT_FAULT_WORDS] = {5 + 1, 129, 128};
    if (rank.rank == 1) {
      rank.memory.write(words, reported, sizeof(reported));
      EXPECT_EQ(moert_context_synchronize(rank.context, frame.stream),
                MOERT_BOUND_EXCEEDED);
    }
  });
  EXPECT_EQ(outcome.status, MOERT_BOUND_EXCEEDED);
  EXPECT_EQ(outcome.text, "rank 1: host_extent #5 (layer 3): expected at most "
                          "128 rows, but got 129");
}

/// What happens between a rank's captureBegin and captureEnd; the graph is
/// thrown away.
static void capture(const Rank &rank, const std::function<void()> &body) {
  const cuda::Driver &cuda = *emulator::Machine::libraries().driver;
  cuda::Graph graph = nullptr;
  rank.memory.finish();
  cuda.captureBegin(queueOf(rank), cuda::captureThreadLocal);
  body();
  EXPECT_EQ(cuda.captureEnd(queueOf(rank), &graph), cuda::Success);
  cuda.graphDestroy(graph);
}

TEST(DeviceTest, AWarmPoolCanBeCaptured) {
  Outcome outcome = runEmulated(emulated, {1}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    void *cold = moert_frame_allocate(&frame, 96);
    moert_frame_deallocate(&frame, cold, 96);
    capture(rank, [&] {
      void *warm = moert_frame_allocate(&frame, 96);
      EXPECT_EQ(warm, cold);
      moert_frame_copy(&frame, warm, cold, 0);
      moert_frame_deallocate(&frame, warm, 96);
    });
  });
  EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
}

TEST(DeviceTest, AColdPoolCannotBeCaptured) {
  Outcome outcome = runEmulated(emulated, {1}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    capture(rank,
            [&] { EXPECT_EQ(moert_frame_allocate(&frame, 96), nullptr); });
  });
  EXPECT_EQ(outcome.status, MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(outcome.text,
            "rank 0: 96 bytes that a graph needs are not there yet: expected "
            "the function to run once before it is captured");
}

TEST(DeviceTest, AFunctionWithoutKernels) {
  Outcome outcome = runEmulated(emulated, {1}, [](Rank &rank) {
    moert_frame frame = frameOf(rank);
    moert_frame_launch(&frame, 3, 1, 32, 0, nullptr, 0);
  });
  EXPECT_EQ(outcome.status, MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(outcome.text,
            "rank 0: kernel 3: the frame of the function has no kernels");
}
