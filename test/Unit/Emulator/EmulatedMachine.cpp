// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmulatedMachine.cpp ------------------------------------------------===//

#include "EmulatedMachine.h"

#include <thread>

namespace moert::emulator {

TestDevice::TestDevice(int ordinal)
    : ordinal(ordinal), cuda(*Machine::libraries().driver),
      nccl(*Machine::libraries().nccl) {
  cuda::Context context = nullptr;
  EXPECT_EQ(cuda.primaryContextRetain(&context, ordinal), cuda::Success);
  EXPECT_EQ(cuda.contextPush(context), cuda::Success);
  stream = makeStream();
}

TestDevice::~TestDevice() {
  for (cuda::Event event : events) {
    cuda.eventDestroy(event);
  }
  cuda.contextPop(nullptr);
  cuda.primaryContextRelease(ordinal);
}

cuda::Pointer TestDevice::allocate(size_t bytes) const {
  cuda::Pointer pointer = 0;
  EXPECT_EQ(cuda.memoryAllocate(&pointer, bytes), cuda::Success);
  return pointer;
}

cuda::Stream TestDevice::makeStream() const {
  cuda::Stream made = nullptr;
  EXPECT_EQ(cuda.streamCreate(&made, cuda::streamNonBlocking), cuda::Success);
  return made;
}

cuda::Event TestDevice::makeEvent() const {
  cuda::Event made = nullptr;
  EXPECT_EQ(cuda.eventCreate(&made, cuda::eventDisableTiming), cuda::Success);
  events.push_back(made);
  return made;
}

cuda::Result TestDevice::synchronize(cuda::Stream stream) const {
  return cuda.streamSynchronize(stream);
}

std::vector<int32_t> TestDevice::read(cuda::Pointer from, size_t count) const {
  std::vector<int32_t> values(count, -1);
  cuda.copyToHost(values.data(), from, count * sizeof(int32_t), stream);
  EXPECT_EQ(synchronize(stream), cuda::Success);
  return values;
}

void TestDevice::write(cuda::Pointer to,
                       const std::vector<int32_t> &values) const {
  cuda.copyToDevice(to, values.data(), values.size() * sizeof(int32_t), stream);
  EXPECT_EQ(synchronize(stream), cuda::Success);
}

nccl::Result settle(const TestDevice &device, nccl::Comm comm) {
  nccl::Result state = nccl::InProgress;
  while (state == nccl::InProgress) {
    EXPECT_EQ(device.nccl.commGetAsyncError(comm, &state), nccl::Success);
  }
  return state;
}

std::vector<Finding> runRanks(int ranks, uint64_t seed,
                              const RankProgram &program) {
  MachineOptions options;
  options.devices = ranks;
  options.seed = seed;
  Machine machine(options);
  machine.expectHosts(ranks);
  nccl::UniqueId id = {};
  Machine::libraries().nccl->getUniqueId(&id);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      {
        TestDevice device(rank);
        nccl::Config config;
        nccl::Comm world = nullptr;
        EXPECT_EQ(device.nccl.commInitRank(&world, ranks, id, rank, &config),
                  nccl::InProgress);
        EXPECT_EQ(settle(device, world), nccl::Success);
        program(device, world);
      }
      machine.expectHosts(-1);
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  return machine.findings();
}

std::vector<FindingKind> kindsOf(const std::vector<Finding> &findings) {
  std::vector<FindingKind> kinds;
  for (const Finding &finding : findings) {
    kinds.push_back(finding.kind);
  }
  return kinds;
}

} // namespace moert::emulator
