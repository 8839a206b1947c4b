// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelsTest.cpp - Launches, barriers and warp collectives ----------===//
//
// What each instruction does is taken from the PTX ISA.
//
//===----------------------------------------------------------------------===//

#include "KernelThreads.h"

using namespace moert;
using namespace moert::emulator;

/// The sum of `threads` numbers, a block each: in shared memory by halves.
static void sumByBarriers(const Thread &thread) {
  uint64_t i = thread.index(), count = thread.threads();
  uint64_t row = thread.argument(0) + 4 * thread.block() * count;
  uint64_t mine = thread.shared() + 4 * i;
  thread.store(mine, thread.load<int32_t>(row + 4 * i));
  for (uint64_t half = count / 2; half > 0; half /= 2) {
    thread.barrier();
    if (i < half) {
      auto other = thread.load<int32_t>(mine + 4 * half);
      thread.store(mine, thread.load<int32_t>(mine) + other);
    }
  }
  if (i == 0) {
    thread.store(thread.argument(1) + 4 * thread.block(),
                 thread.load<int32_t>(mine));
  }
}

/// The same over 32 numbers by shuffles.
static void sumByShuffles(const Thread &thread) {
  uint64_t offset = 4 * (thread.block() * 32 + thread.lane());
  auto value = thread.load<uint32_t>(thread.argument(0) + offset);
  for (uint32_t distance = 16; distance > 0; distance /= 2) {
    value += thread.butterfly(value, distance);
  }
  thread.store(thread.argument(1) + offset, value);
}

static std::vector<int32_t> countTo(int32_t count) {
  std::vector<int32_t> values;
  for (int32_t i = 0; i < count; ++i) {
    values.push_back(i * i - 7 * i);
  }
  return values;
}

TEST(EmulatedKernels, BlocksReduceInSharedMemory) {
  std::vector<int32_t> values = countTo(20 * 128), expected;
  for (size_t block = 0; block < 20; ++block) {
    int32_t sum = 0;
    for (size_t i = 0; i < 128; ++i) {
      sum += values[block * 128 + i];
    }
    expected.push_back(sum);
  }
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    cuda::Pointer from = machine.upload(values);
    cuda::Pointer to = machine.device.allocate(20 * 4);
    machine.launch(asKernel<sumByBarriers>, {20, 128, 512}, {from, to});
    EXPECT_EQ(machine.download<int32_t>(to, 20), expected);
    for (const Finding &finding : machine.findings()) {
      ADD_FAILURE() << finding.text;
    }
  }
}

TEST(EmulatedKernels, WarpsReduceByShuffles) {
  std::vector<int32_t> values = countTo(9 * 32);
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    cuda::Pointer from = machine.upload(values);
    cuda::Pointer to = machine.device.allocate(9 * 32 * 4);
    machine.launch(asKernel<sumByShuffles>, {9, 32, 0}, {from, to});
    std::vector<int32_t> result = machine.download<int32_t>(to, 9 * 32);
    for (size_t i = 0; i < result.size(); ++i) {
      int32_t sum = 0;
      for (size_t lane = 0; lane < 32; ++lane) {
        sum += values[i / 32 * 32 + lane];
      }
      EXPECT_EQ(result[i], sum);
    }
    EXPECT_TRUE(machine.findings().empty());
  }
}
