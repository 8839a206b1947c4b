// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NcclTest.cpp - What only ranks on devices do -----------------------===//

#include "Harness.h"
#include "emulator/Machine.h"

using namespace moert;
using namespace moert::conformance;

static const TransportUnderTest emulated = {"nccl", MOERT_MOVE_ANYTIME,
                                            runEmulated, 6, 11};

static cuda::Stream queueOf(const Rank &rank) {
  return cuda::Stream(rank.memory.stream());
}

TEST(NcclTest, WithoutADriverOneLineSaysSo) {
  std::string reason;
  if (countDevices(reason) > 0) {
    GTEST_SKIP() << "this machine has a CUDA device";
  }
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.transport = "nccl";
  moert_context *context = nullptr;
  moert_message message = {};
  message.struct_size = sizeof(message);
  EXPECT_EQ(moert_context_create(&options, nullptr, &context, &message),
            MOERT_UNSUPPORTED);
  EXPECT_EQ(std::string(message.text).rfind("no ", 0), 0u) << message.text;
}

TEST(NcclTest, ALayerOfCollectivesIsCapturedAndReplayed) {
  const cuda::Driver &cuda = *emulator::Machine::libraries().driver;
  Outcome outcome = runEmulated(emulated, {3}, [&](Rank &rank) {
    Buffer<int32_t> source(rank, {0, 0, 0});
    Buffer<int32_t> middle(rank, {-1, -1, -1});
    Buffer<int32_t> result(rank, {-1, -1, -1});
    rank.memory.finish();
    ASSERT_EQ(cuda.captureBegin(queueOf(rank), cuda::captureThreadLocal),
              cuda::Success);
    moert_collective there = makeCall(MOERT_ALL_TO_ALL, 1);
    there.src = source.data();
    there.dst = middle.data();
    there.count = sizeof(int32_t);
    moert_collective back = makeCall(MOERT_ALL_TO_ALL, 2);
    back.src = middle.data();
    back.dst = result.data();
    back.count = sizeof(int32_t);
    for (moert_collective *call : {&there, &back}) {
      call->stream = rank.memory.stream();
      moert_pending pending = 0;
      ASSERT_EQ(moert_comm_start(rank.comm(), call, &pending), MOERT_OK);
      ASSERT_EQ(moert_comm_wait(rank.comm(), pending), MOERT_OK);
    }
    cuda::Graph graph = nullptr;
    cuda::GraphExec exec = nullptr;
    ASSERT_EQ(cuda.captureEnd(queueOf(rank), &graph), cuda::Success);
    ASSERT_EQ(cuda.graphInstantiate(&exec, graph, 0), cuda::Success);
    for (int32_t turn = 1; turn <= 3; ++turn) {
      std::vector<int32_t> values = {turn, 10 * rank.rank + turn, 7};
      rank.memory.write(source.data(), values.data(), 12);
      ASSERT_EQ(cuda.graphLaunch(exec, queueOf(rank)), cuda::Success);
      EXPECT_EQ(result.read(), values);
    }
    cuda.graphExecDestroy(exec);
    cuda.graphDestroy(graph);
  });
  EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
}

TEST(NcclTest, OffsetsOnTheDeviceCannotBeCaptured) {
  const cuda::Driver &cuda = *emulator::Machine::libraries().driver;
  Outcome outcome = runEmulated(emulated, {1}, [&](Rank &rank) {
    Buffer<int32_t> offsets(rank, {0, 0});
    cuda.captureBegin(queueOf(rank), cuda::captureThreadLocal);
    moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 4, 2);
    call.src_offsets = call.dst_offsets = offsets.data();
    call.flags = MOERT_OFFSETS_ON_DEVICE;
    EXPECT_EQ(rank.start(call), 0);
    cuda::Graph graph = nullptr;
    EXPECT_EQ(cuda.captureEnd(queueOf(rank), &graph), cuda::Success);
    cuda.graphDestroy(graph);
  });
  EXPECT_EQ(outcome.text,
            "rank 0: all_to_all_v #4 (layer 2): offsets on the device need a "
            "host that waits, which a graph cannot hold");
}

TEST(NcclTest, OneOrderOfGroupsOnAllRanks) {
  Job job = {2};
  job.sets = {{{0, 1}}};
  Outcome outcome = runEmulated(emulated, job, [](Rank &rank) {
    moert_pending pending[2];
    for (int32_t i = 0; i < 2; ++i) {
      // Set 0 and then the world on rank 0, and the other way round on rank 1.
      int32_t set = i == rank.rank ? 0 : MOERT_WORLD;
      pending[i] = rank.start(makeCall(MOERT_BARRIER, set + 2), set);
    }
    for (int32_t i = 0; i < 2; ++i) {
      rank.wait(pending[i], i == rank.rank ? 0 : MOERT_WORLD);
    }
  });
  EXPECT_EQ(outcome.status, MOERT_DIVERGED);
  // Which of the two is the third to come is left to the system.
  const std::string texts[] = {
      "rank 0: barrier #2: comes before barrier #1 here, but after it on rank "
      "1",
      "rank 1: barrier #1: comes before barrier #2 here, but after it on rank "
      "0"};
  EXPECT_TRUE(outcome.text == texts[0] || outcome.text == texts[1])
      << outcome.text;
}

TEST(NcclTest, AMissingWaitIsARace) {
  // Reads the destination on the caller's stream before it waits.
  std::vector<emulator::Finding> found;
  const cuda::Driver &cuda = *emulator::Machine::libraries().driver;
  runEmulated(emulated, {2}, [&](Rank &rank) {
    Buffer<int32_t> source(rank, {1, 2}), destination(rank, {3, 4}),
        copy(rank, {5, 6});
    moert_collective call = makeCall(MOERT_ALL_TO_ALL, 1);
    call.src = source.data();
    call.dst = destination.data();
    call.count = sizeof(int32_t);
    moert_pending pending = rank.start(call);
    auto addressOf = [](const void *pointer) {
      return cuda::Pointer(reinterpret_cast<uintptr_t>(pointer));
    };
    cuda.copyOnDevice(addressOf(copy.data()), addressOf(destination.data()), 8,
                      queueOf(rank));
    rank.wait(pending);
    if (rank.rank == 0) {
      found = emulator::Machine::current()->findings();
    }
    // Ends the job, as a program with findings must not pass.
    moert_context_abort(rank.context, MOERT_ABORTED, "a race on purpose");
  });
  ASSERT_FALSE(found.empty());
  for (const emulator::Finding &finding : found) {
    EXPECT_EQ(finding.kind, emulator::FindingKind::Race) << finding.text;
  }
}
