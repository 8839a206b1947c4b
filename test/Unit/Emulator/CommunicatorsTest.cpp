// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CommunicatorsTest.cpp - NCCL between emulated devices --------------===//

#include "EmulatedMachine.h"

using namespace moert;
using namespace moert::emulator;

/// Waits as the transport does: asks, and looks for errors.
static nccl::Result await(TestDevice &device, nccl::Comm comm) {
  nccl::Result state = nccl::Success;
  while (state == nccl::Success &&
         device.cuda.streamQuery(device.stream) == cuda::NotReady) {
    device.nccl.commGetAsyncError(comm, &state);
  }
  return state;
}

TEST(EmulatedNccl, SendsAndReceivesOfAGroupMeet) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    std::vector<Finding> found =
        runRanks(3, seed, [](TestDevice &device, nccl::Comm world) {
          int rank = device.ordinal;
          cuda::Pointer source = device.allocate(12);
          cuda::Pointer destination = device.allocate(12);
          device.write(source, {rank * 10, rank * 10 + 1, rank * 10 + 2});
          device.nccl.groupStart();
          for (int peer = 0; peer < 3; ++peer) {
            device.nccl.send(hostView(source + 4 * size_t(peer)), 1,
                             nccl::Int32, peer, world, device.stream);
            device.nccl.receive(hostView(destination + 4 * size_t(peer)), 1,
                                nccl::Int32, peer, world, device.stream);
          }
          EXPECT_EQ(device.nccl.groupEnd(), nccl::Success);
          EXPECT_EQ(device.read(destination, 3),
                    (std::vector<int32_t>{rank, 10 + rank, 20 + rank}));
          EXPECT_EQ(device.nccl.commDestroy(world), nccl::Success);
        });
    EXPECT_TRUE(found.empty()) << found.front().text;
  }
}

TEST(EmulatedNccl, SplitsOrderTheirRanksByKey) {
  std::vector<Finding> found =
      runRanks(4, 1, [](TestDevice &device, nccl::Comm world) {
        int rank = device.ordinal;
        nccl::Config config;
        nccl::Comm half = nullptr;
        // Rank 3 is in no group; the others come in reverse order.
        int color = rank == 3 ? nccl::noColor : 0;
        EXPECT_EQ(
            device.nccl.commSplit(world, color, 10 - rank, &half, &config),
            nccl::InProgress);
        EXPECT_EQ(settle(device, world), nccl::Success);
        if (rank == 3) {
          EXPECT_EQ(half, nullptr);
          return;
        }
        EXPECT_EQ(settle(device, half), nccl::Success);
        cuda::Pointer all = device.allocate(16);
        device.write(all, {rank});
        device.nccl.allGather(hostView(all), hostView(all + 4), 1, nccl::Int32,
                              half, device.stream);
        EXPECT_EQ(device.read(all, 4), (std::vector<int32_t>{rank, 2, 1, 0}));
      });
  EXPECT_TRUE(found.empty()) << found.front().text;
}

TEST(EmulatedNccl, CountsThatDifferNameBothCalls) {
  std::vector<Finding> found =
      runRanks(2, 3, [](TestDevice &device, nccl::Comm world) {
        cuda::Pointer memory = device.allocate(64);
        device.nccl.allGather(hostView(memory), hostView(memory + 16), 1,
                              nccl::Int32, world, device.stream);
        EXPECT_EQ(await(device, world), nccl::Success);
        if (device.ordinal == 0) {
          device.nccl.send(hostView(memory), 3, nccl::Int32, 1, world,
                           device.stream);
        } else {
          device.nccl.receive(hostView(memory), 4, nccl::Int32, 0, world,
                              device.stream);
        }
        EXPECT_EQ(await(device, world), nccl::InternalError);
        EXPECT_NE(std::string(device.nccl.getLastError(world)), "");
        EXPECT_EQ(device.nccl.commAbort(world), nccl::Success);
        EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
      });
  ASSERT_EQ(kindsOf(found), std::vector<FindingKind>{FindingKind::Mismatch});
  EXPECT_EQ(found[0].text,
            "communicator \"world\": rank 0: ncclSend (call 2: 3 elements of "
            "type 2 to rank 1) does not fit rank 1: ncclRecv (call 2: 4 "
            "elements of type 2 from rank 0)");
}

TEST(EmulatedNccl, TwoCommunicatorsInOppositeOrdersAreFound) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<Finding> found =
        runRanks(2, seed, [](TestDevice &device, nccl::Comm world) {
          nccl::Config config;
          nccl::Comm other = nullptr;
          device.nccl.commSplit(world, 0, device.ordinal, &other, &config);
          EXPECT_EQ(settle(device, world), nccl::Success);
          EXPECT_EQ(settle(device, other), nccl::Success);
          cuda::Pointer memory = device.allocate(8);
          bool swaps = device.ordinal == 1;
          for (nccl::Comm comm :
               {swaps ? other : world, swaps ? world : other}) {
            device.nccl.allReduce(hostView(memory), hostView(memory), 2,
                                  nccl::Int32, nccl::Sum, comm, device.stream);
          }
          EXPECT_EQ(await(device, world), nccl::InternalError);
        });
    ASSERT_EQ(kindsOf(found), std::vector<FindingKind>{FindingKind::Cycle});
    EXPECT_EQ(
        found[0].text,
        "each waits for the next, and the last for the first: rank 0 of "
        "\"world\" is at ncclAllReduce (call 1: 2 elements of type 2, "
        "reduction 0) on stream 1 of device 0; rank 1 of \"split 1 of world, "
        "color 0\" is at ncclAllReduce (call 1: 2 elements of type 2, "
        "reduction 0) on stream 1 of device 1");
  }
}

TEST(EmulatedNccl, OneStreamOfSeveralThatIsNotOrderedIsARace) {
  std::vector<Finding> found =
      runRanks(2, 5, [](TestDevice &device, nccl::Comm world) {
        cuda::Pointer memory = device.allocate(8);
        cuda::Stream other = device.makeStream();
        device.cuda.fillBytes(memory, 1, 4, device.stream);
        // Nothing makes the other stream wait for the fill.
        device.nccl.allGather(hostView(memory), hostView(memory), 1,
                              nccl::Int32, world, other);
        EXPECT_EQ(device.synchronize(other), cuda::Success);
        EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
      });
  EXPECT_FALSE(found.empty());
  for (const Finding &finding : found) {
    EXPECT_EQ(finding.kind, FindingKind::Race) << finding.text;
  }
}
