// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryTest.cpp - Copies, streams, events and wrong accesses --------===//

#include "EmulatedMachine.h"

using namespace moert;
using namespace moert::emulator;

static MachineOptions twoDevices(uint64_t seed = 0) {
  MachineOptions options;
  options.devices = 2;
  options.seed = seed;
  return options;
}

TEST(EmulatedMemory, CopiesHappenOnlyWhenTheHostWaits) {
  Machine machine(twoDevices());
  TestDevice device(0);
  cuda::Pointer memory = device.allocate(8);
  int32_t source[] = {3, 4}, result[] = {-1, -1};
  device.cuda.copyToDevice(memory, source, 8, device.stream);
  device.cuda.copyToHost(result, memory, 8, device.stream);
  source[0] = 5;
  EXPECT_EQ(result[0], -1);
  EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
  EXPECT_EQ(result[0], 5);
  EXPECT_EQ(result[1], 4);
}

/// Fills on one stream, copies on another. Returns what is found, and whether
/// the copy came late.
static std::vector<Finding> runTwoStreams(uint64_t seed, bool waits,
                                          int32_t &result) {
  Machine machine(twoDevices(seed));
  TestDevice device(1);
  cuda::Pointer first = device.allocate(4), second = device.allocate(4);
  cuda::Stream other = device.makeStream();
  cuda::Event event = device.makeEvent();
  device.cuda.fillBytes(first, 1, 4, device.stream);
  device.cuda.eventRecord(event, device.stream);
  if (waits) {
    device.cuda.streamWaitEvent(other, event, 0);
  }
  device.cuda.copyOnDevice(second, first, 4, other);
  device.cuda.copyToHost(&result, second, 4, other);
  EXPECT_EQ(device.synchronize(other), cuda::Success);
  EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
  return machine.findings();
}

TEST(EmulatedMemory, AMissingWaitIsARaceWhateverTheOrder) {
  bool right = false, wrong = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    int32_t result = 0;
    EXPECT_TRUE(runTwoStreams(seed, true, result).empty());
    EXPECT_EQ(result, 0x01010101);
    std::vector<Finding> found = runTwoStreams(seed, false, result);
    EXPECT_EQ(kindsOf(found), std::vector<FindingKind>{FindingKind::Race});
    (result == 0x01010101 ? right : wrong) = true;
  }
  // Luck helps in some orders; the finding does not depend on it.
  EXPECT_TRUE(right && wrong);
}

TEST(EmulatedMemory, ARaceNamesBothSides) {
  int32_t result = 0;
  std::string texts;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const Finding &finding : runTwoStreams(seed, false, result)) {
      texts += finding.text + "\n";
    }
  }
  EXPECT_NE(texts.find("copy on the device on stream 2 of device 1 reads bytes "
                       "0 to 4 of an allocation of 4, and nothing orders it "
                       "after the fill on stream 1 of device 1"),
            std::string::npos)
      << texts;
}

TEST(EmulatedMemory, AHostThatWaitedOrdersStreams) {
  Machine machine(twoDevices());
  TestDevice device(0);
  cuda::Pointer memory = device.allocate(4);
  device.cuda.fillBytes(memory, 1, 4, device.stream);
  EXPECT_EQ(device.synchronize(device.stream), cuda::Success);
  cuda::Stream other = device.makeStream();
  device.cuda.fillBytes(memory, 2, 4, other);
  EXPECT_EQ(device.synchronize(other), cuda::Success);
  EXPECT_TRUE(machine.findings().empty());
}

TEST(EmulatedMemory, WrongAccessesAreNamed) {
  struct Case {
    FindingKind kind;
    std::string text;
    std::function<cuda::Pointer(TestDevice &)> place;
  };
  static int32_t hostVariable = 0;
  std::vector<Case> cases = {
      {FindingKind::WrongMemory, "writes memory of the host",
       [](TestDevice &) {
         return cuda::Pointer(reinterpret_cast<uintptr_t>(&hostVariable));
       }},
      {FindingKind::WrongMemory, "writes memory of device 1",
       [](TestDevice &) {
         TestDevice other(1);
         return other.allocate(8);
       }},
      {FindingKind::UseAfterFree, "writes memory that was freed",
       [](TestDevice &device) {
         cuda::Pointer memory = device.allocate(8);
         EXPECT_EQ(device.cuda.memoryFree(memory), cuda::Success);
         device.allocate(8);
         return memory;
       }},
      {FindingKind::OutOfBounds, "writes bytes 4 to 12 of an allocation of 8",
       [](TestDevice &device) { return device.allocate(8) + 4; }}};
  for (const Case &mistake : cases) {
    Machine machine(twoDevices());
    TestDevice device(0);
    device.cuda.fillBytes(mistake.place(device), 0, 8, device.stream);
    EXPECT_EQ(device.synchronize(device.stream), cuda::IllegalAddress);
    std::vector<Finding> found = machine.findings();
    ASSERT_EQ(kindsOf(found), std::vector<FindingKind>{mistake.kind});
    EXPECT_EQ(found[0].text, "fill on stream 1 of device 0 " + mistake.text);
  }
}

TEST(EmulatedMemory, FreeingBeforeTheWorkIsDoneIsFound) {
  Machine machine(twoDevices());
  TestDevice device(0);
  cuda::Pointer memory = device.allocate(8);
  device.cuda.fillBytes(memory, 0, 8, device.stream);
  device.cuda.memoryFree(memory);
  device.synchronize(device.stream);
  EXPECT_EQ(kindsOf(machine.findings()),
            std::vector<FindingKind>{FindingKind::UseAfterFree});
}

TEST(EmulatedMemoryDeathTest, TheHostCannotTouchDeviceMemory) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Machine machine(twoDevices());
        TestDevice device(0);
        *static_cast<volatile char *>(hostView(device.allocate(8))) = 1;
      },
      "");
}

TEST(EmulatedMemory, FreshMemoryHoldsGarbage) {
  Machine machine(twoDevices(7));
  TestDevice device(0);
  std::vector<int32_t> values = device.read(device.allocate(4000), 1000);
  int zeros = 0;
  for (int32_t value : values) {
    zeros += value == 0 ? 1 : 0;
  }
  EXPECT_LT(zeros, 10);
}

TEST(EmulatedMemory, WhatNeverHappensIsADeadlockAndNoHang) {
  Machine machine(twoDevices());
  TestDevice device(0);
  nccl::UniqueId id;
  nccl::Config config;
  nccl::Comm comm = nullptr;
  device.nccl.getUniqueId(&id);
  device.nccl.commInitRank(&comm, 2, id, 0, &config);
  std::vector<Finding> found;
  std::vector<cuda::Stream> streams;
  {
    TestDevice other(1);
    nccl::Comm theirs = nullptr;
    device.nccl.commInitRank(&theirs, 2, id, 1, &config);
  }
  cuda::Pointer memory = device.allocate(8);
  device.nccl.send(hostView(memory), 2, nccl::Int32, 1, comm, device.stream);
  EXPECT_EQ(device.synchronize(device.stream), cuda::LaunchFailed);
  found = machine.findings();
  ASSERT_EQ(kindsOf(found), std::vector<FindingKind>{FindingKind::Deadlock});
  EXPECT_EQ(found[0].text,
            "all host threads wait, and nothing can run: stream 1 of device 0 "
            "is at ncclSend (call 1: 2 elements of type 2 to rank 1)");
}
