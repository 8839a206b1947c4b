// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelChecksTest.cpp - What is found wrong in kernels --------------===//

#include "KernelThreads.h"

using namespace moert;
using namespace moert::emulator;

/// The one thing that every seed finds wrong with a kernel on 1 KiB of zeros,
/// and 256 bytes that nothing was written to. The first argument is the
/// address of the former, the second of the latter.
static Finding findOne(moert_kernel_body body, const LaunchShape &shape,
                       uint64_t seed) {
  MachineOptions options;
  options.seed = seed;
  KernelMachine machine(options);
  cuda::Pointer zeros = machine.upload(std::vector<int32_t>(256, 0));
  cuda::Pointer fresh = machine.device.allocate(256);
  machine.launch(body, shape, {zeros, fresh});
  std::vector<Finding> found = machine.findings();
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? Finding{FindingKind::NotModelled, "nothing"}
                       : found.front();
}

static void expectFinding(moert_kernel_body body, const LaunchShape &shape,
                          FindingKind kind,
                          const std::vector<std::string> &texts) {
  for (const MachineOptions &options : manySeeds()) {
    Finding found = findOne(body, shape, options.seed);
    EXPECT_EQ(found.kind, kind) << found.text;
    for (const std::string &text : texts) {
      EXPECT_NE(found.text.find(text), std::string::npos) << found.text;
    }
  }
}

/// No seed finds anything.
static void expectNothing(moert_kernel_body body, const LaunchShape &shape) {
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    cuda::Pointer zeros = machine.upload(std::vector<int32_t>(256, 0));
    machine.launch(body, shape, {zeros});
    for (const Finding &finding : machine.findings()) {
      ADD_FAILURE() << finding.text;
    }
  }
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

static void readBeyond(const Thread &thread) {
  thread.load<int32_t>(thread.argument(0) + 4 * (thread.index() + 240), 1);
}

TEST(EmulatedChecks, AnAccessBeyondAnAllocation) {
  expectFinding(asKernel<readBeyond>, {1, 17, 0}, FindingKind::OutOfBounds,
                {"kernel kernel on stream 1 of device 0: thread 16 of block 0 "
                 "at line 1 reads ",
                 "memory of no allocation"});
}

static void writeBeyondShared(const Thread &thread) {
  thread.store<int64_t>(thread.shared() + 8 * thread.index(), 1, 2);
}

TEST(EmulatedChecks, AnAccessBeyondSharedMemory) {
  expectFinding(asKernel<writeBeyondShared>, {1, 8, 60},
                FindingKind::OutOfBounds,
                {"thread 7 of block 0 at line 2 writes bytes 56 to 64 of its "
                 "block's shared memory of 60"});
}

static void readUnaligned(const Thread &thread) {
  thread.load<int64_t>(thread.argument(0) + 4, 3);
}

TEST(EmulatedChecks, AnAddressThatIsNotAligned) {
  expectFinding(asKernel<readUnaligned>, {1, 1, 0}, FindingKind::Misaligned,
                {"at line 3 reads 8 bytes at an address that is no multiple of "
                 "8"});
}

static void readFresh(const Thread &thread) {
  thread.load<int32_t>(thread.argument(1) + 4 * thread.index(), 1);
}

TEST(EmulatedChecks, BytesThatNothingWasWrittenTo) {
  expectFinding(asKernel<readFresh>, {1, 1, 0}, FindingKind::Uninitialized,
                {"reads bytes 0 to 4 of an allocation of 256, some of which "
                 "nothing was written to"});
}

TEST(EmulatedChecks, CopiesOfSuchBytesAreNotFoundButTheirReadersAre) {
  KernelMachine machine;
  cuda::Pointer fresh = machine.device.allocate(8);
  cuda::Pointer copy = machine.upload(std::vector<int32_t>{1, 2});
  machine.device.cuda.copyOnDevice(copy + 4, fresh, 4, machine.device.stream);
  machine.launch(asKernel<readFresh>, {1, 1, 0}, {0, copy});
  EXPECT_TRUE(machine.findings().empty());
  machine.launch(asKernel<readFresh>, {1, 2, 0}, {0, copy});
  EXPECT_EQ(kindsOf(machine.findings()),
            std::vector<FindingKind>{FindingKind::Uninitialized});
}

TEST(EmulatedChecks, AnErrorFailsTheDeviceAfterTheKernel) {
  KernelMachine machine;
  cuda::Pointer zeros = machine.upload(std::vector<int32_t>(4, 0));
  machine.launch(asKernel<readBeyond>, {1, 32, 0}, {zeros});
  EXPECT_EQ(machine.device.synchronize(machine.device.stream),
            cuda::IllegalAddress);
}

//===----------------------------------------------------------------------===//
// Races within a launch
//===----------------------------------------------------------------------===//

static void passOnWithoutBarrier(const Thread &thread) {
  uint64_t i = thread.index();
  thread.store(thread.shared() + 4 * i, uint32_t(i), 1);
  thread.load<uint32_t>(thread.shared() + 4 * (i ^ 32), 2);
}

TEST(EmulatedChecks, AMissingBarrierIsARace) {
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    machine.launch(asKernel<passOnWithoutBarrier>, {1, 64, 256}, {});
    bool found = false;
    for (const Finding &finding : machine.findings()) {
      found |= finding.kind == FindingKind::Race;
    }
    EXPECT_TRUE(found);
  }
}

static void shareABlock(const Thread &thread) {
  thread.store(thread.argument(0) + 4 * (thread.block() / 2), 1, 4);
}

TEST(EmulatedChecks, TwoBlocksThatWriteToOnePlace) {
  expectFinding(asKernel<shareABlock>, {2, 1, 0}, FindingKind::Race,
                {"at line 4 writes bytes 0 to 4 of an allocation of 1024, and "
                 "nothing orders it after the write of thread 0 of block ",
                 " at line 4"});
}

static void writeNeighbours(const Thread &thread) {
  uint64_t i = thread.index() + thread.threads() * thread.block();
  thread.store(thread.argument(0) + 2 * i, uint16_t(i));
  thread.store(thread.argument(0) + 512 + i, uint8_t(i));
}

TEST(EmulatedChecks, NeighboursAsNarrowAsAByteDoNotRace) {
  expectNothing(asKernel<writeNeighbours>, {2, 64, 0});
}

static void countAtomically(const Thread &thread) {
  thread.calls.atomic(thread.handle, MOERT_KERNEL_ADD, MOERT_KERNEL_U32,
                      thread.argument(0), 1, 0, 1);
}

static void countAndRead(const Thread &thread) {
  countAtomically(thread);
  if (thread.block() == 0 && thread.index() == 0) {
    thread.load<uint32_t>(thread.argument(0), 2);
  }
}

TEST(EmulatedChecks, AtomicsDoNotRaceButOthersRaceWithThem) {
  expectNothing(asKernel<countAtomically>, {3, 32, 0});
  expectFinding(asKernel<countAndRead>, {3, 32, 0}, FindingKind::Race, {});
}

/// Lane 0 tells the others something in shared memory.
template <bool ByBarrier> static void tellWarp(const Thread &thread) {
  if (thread.lane() == 0) {
    thread.store(thread.shared(), 7, 1);
  }
  if (ByBarrier) {
    thread.warpBarrier();
  } else {
    thread.ballot(true);
  }
  thread.load<int32_t>(thread.shared(), 2);
}

TEST(EmulatedChecks, BarriersOfAWarpOrderAccessesAndVotesDoNot) {
  expectNothing(asKernel<tellWarp<true>>, {2, 32, 4});
  expectFinding(asKernel<tellWarp<false>>, {1, 32, 4}, FindingKind::Race,
                {"reads bytes 0 to 4 of its block's shared memory, and nothing "
                 "orders it after the write of thread 0 of block 0 at line 1"});
}

/// Even lanes, then warps 0 and 1 of three, meet on their own.
static void meetInParts(const Thread &thread) {
  uint64_t warp = thread.index() / 32;
  if (thread.lane() % 2 == 0) {
    if (thread.lane() == 0) {
      thread.store(thread.shared() + 4 * warp, uint32_t(warp));
    }
    thread.warpBarrier(0x55555555);
    thread.load<uint32_t>(thread.shared() + 4 * warp);
  }
  if (warp < 2) {
    thread.calls.barrier(thread.handle, 3, 64, 0);
    if (thread.lane() == 1) {
      thread.load<uint32_t>(thread.shared() + 4 * (1 - warp));
    }
  }
}

TEST(EmulatedChecks, BarriersOfSomeOrderThoseThatTakePart) {
  expectNothing(asKernel<meetInParts>, {2, 96, 12});
}

//===----------------------------------------------------------------------===//
// Threads that do not meet
//===----------------------------------------------------------------------===//

static void halfAtABarrier(const Thread &thread) {
  if (thread.index() < 32) {
    thread.barrier(1);
  } else {
    thread.calls.barrier(thread.handle, 1, 0, 2);
  }
}

TEST(EmulatedChecks, ThreadsAtTwoBarriersAreADeadlock) {
  expectFinding(asKernel<halfAtABarrier>, {2, 64, 0}, FindingKind::Deadlock,
                {"no thread can go on: in block ",
                 "threads 0 to 31 wait at bar.sync 0 at line 1, threads 32 to "
                 "63 wait at bar.sync 1 at line 2"});
}

static void endBeforeABarrier(const Thread &thread) {
  if (thread.index() >= 20) {
    thread.barrier(1);
  }
}

TEST(EmulatedChecks, ABarrierDoesNotWaitForThreadsThatHaveEnded) {
  expectNothing(asKernel<endBeforeABarrier>, {2, 64, 0});
}

static void meetAtTwoPlaces(const Thread &thread) {
  thread.barrier(thread.lane() < 7 ? 1 : 2);
}

TEST(EmulatedChecks, LanesAtBarriersOfTwoPlacesDiverge) {
  expectFinding(asKernel<meetAtTwoPlaces>, {1, 32, 0}, FindingKind::Divergence,
                {"thread 7 of block 0 at line 2 meets lanes of its warp in a "
                 "bar.sync of another place: thread 6 of block 0 at line 1"});
}

static void voteWithWrongMask(const Thread &thread) {
  thread.ballot(true, thread.lane() == 5 ? ~0u : ~(1u << 5));
  thread.warpBarrier();
}

TEST(EmulatedChecks, MasksThatDifferAreADeadlock) {
  expectFinding(asKernel<voteWithWrongMask>, {1, 32, 0}, FindingKind::Deadlock,
                {"thread 5 waits at vote.sync of lanes 0xffffffff"});
}

static void takeFromEnded(const Thread &thread) {
  if (thread.lane() != 3) {
    thread.butterfly(1, 1);
  }
}

TEST(EmulatedChecks, AShuffleFromALaneThatHasEnded) {
  expectFinding(asKernel<takeFromEnded>, {1, 32, 0}, FindingKind::Divergence,
                {"thread 2 of block 0", "takes the value of lane 3 by "
                                        "shfl.sync, which takes no part"});
}

static void trapInOne(const Thread &thread) {
  if (thread.index() == 40) {
    thread.calls.trap(thread.handle, 5);
  }
}

TEST(EmulatedChecks, ATrapEndsTheLaunch) {
  expectFinding(asKernel<trapInOne>, {1, 64, 0}, FindingKind::Trap,
                {"thread 40 of block 0 at line 5 traps"});
}

//===----------------------------------------------------------------------===//
// Launches among other work
//===----------------------------------------------------------------------===//

static void writeOne(const Thread &thread) {
  uint64_t place = thread.argument(0) + 4 * thread.index();
  thread.store(place, thread.load<int32_t>(place, 1) + 1, 2);
}

TEST(EmulatedChecks, LaunchesOnTwoStreamsRaceUnlessAnEventOrdersThem) {
  for (const MachineOptions &options : manySeeds()) {
    for (bool waits : {false, true}) {
      KernelMachine machine(options);
      const cuda::Driver &cuda = machine.device.cuda;
      cuda::Pointer zeros = machine.upload(std::vector<int32_t>(8, 0));
      cuda::Stream other = machine.device.makeStream();
      machine.launch(asKernel<writeOne>, {1, 8, 0}, {zeros});
      if (waits) {
        cuda::Event event = machine.device.makeEvent();
        cuda.eventRecord(event, machine.device.stream);
        cuda.streamWaitEvent(other, event, 0);
      }
      machine.launch(asKernel<writeOne>, {1, 4, 0}, {zeros + 16}, other);
      EXPECT_EQ(machine.device.synchronize(other), cuda::Success);
      std::vector<Finding> found = machine.findings();
      EXPECT_EQ(found.empty(), waits);
      for (const Finding &finding : found) {
        EXPECT_EQ(finding.kind, FindingKind::Race);
        EXPECT_NE(finding.text.find("nothing orders the launch after the "
                                    "kernel kernel on stream "),
                  std::string::npos)
            << finding.text;
      }
    }
  }
}

TEST(EmulatedChecks, LaunchesAreCapturedToGraphs) {
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    const cuda::Driver &cuda = machine.device.cuda;
    cuda::Pointer zeros = machine.upload(std::vector<int32_t>(8, 0));
    cuda.captureBegin(machine.device.stream, cuda::captureThreadLocal);
    machine.launch(asKernel<writeOne>, {1, 8, 0}, {zeros});
    machine.launch(asKernel<writeOne>, {1, 3, 0}, {zeros});
    cuda::Graph graph = nullptr;
    cuda::GraphExec exec = nullptr;
    ASSERT_EQ(cuda.captureEnd(machine.device.stream, &graph), cuda::Success);
    ASSERT_EQ(cuda.graphInstantiate(&exec, graph, 0), cuda::Success);
    EXPECT_EQ(machine.download<int32_t>(zeros, 1)[0], 0);
    for (int turn = 1; turn <= 2; ++turn) {
      cuda.graphLaunch(exec, machine.device.stream);
    }
    EXPECT_EQ(machine.download<int32_t>(zeros, 8),
              (std::vector<int32_t>{4, 4, 4, 2, 2, 2, 2, 2}));
    EXPECT_EQ(cuda.graphExecDestroy(exec), cuda::Success);
    EXPECT_EQ(cuda.graphDestroy(graph), cuda::Success);
    EXPECT_TRUE(machine.findings().empty());
  }
}

static void readAll(const Thread &thread) {
  thread.load<int32_t>(thread.argument(0) + 4 * thread.index(), 1);
}

TEST(EmulatedChecks, BytesThatRanksSendAreAsInitializedAsTheyWere) {
  for (bool whole : {true, false}) {
    std::vector<Finding> found =
        runRanks(2, 3, [&](TestDevice &device, nccl::Comm world) {
          cuda::Pointer from = device.allocate(16), to = device.allocate(16);
          device.write(from, {1, 2, 3, 4});
          if (!whole && device.ordinal == 1) {
            // The block for rank 0.
            cuda::Pointer fresh = device.allocate(8);
            device.cuda.copyOnDevice(from, fresh, 8, device.stream);
          }
          device.nccl.groupStart();
          for (int peer = 0; peer < 2; ++peer) {
            device.nccl.send(hostView(from + 8 * size_t(peer)), 2, nccl::Int32,
                             peer, world, device.stream);
            device.nccl.receive(hostView(to + 8 * size_t(peer)), 2, nccl::Int32,
                                peer, world, device.stream);
          }
          device.nccl.groupEnd();
          static const moert_kernel_entry entry = {"read_all",
                                                   asKernel<readAll>, 1, 0, 0};
          const moert_kernel_image image = {MOERT_KERNEL_ABI, 1, &entry, 0,
                                            nullptr,          ""};
          cuda::Module module =
              Machine::current()->addImage(device.ordinal, image);
          cuda::Function function = nullptr;
          device.cuda.moduleGetFunction(&function, module, "read_all");
          uint64_t address = to;
          void *arguments[] = {&address};
          EXPECT_EQ(device.cuda.launchKernel(function, 1, 1, 1, 4, 1, 1, 0,
                                             device.stream, arguments, nullptr),
                    cuda::Success);
          EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
          device.nccl.commDestroy(world);
        });
    EXPECT_EQ(kindsOf(found),
              whole ? std::vector<FindingKind>()
                    : std::vector<FindingKind>{FindingKind::Uninitialized});
  }
}
