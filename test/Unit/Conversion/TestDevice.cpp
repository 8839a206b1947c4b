// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <array>

using namespace mlir::moe::test;
namespace cuda = moert::cuda;
namespace emulator = moert::emulator;

static void check(cuda::Result result) { EXPECT_EQ(result, cuda::Success); }

TestDevice &TestDevice::get() {
  // It stays: at the end of a program what a thread has of the driver goes
  // first, and a machine would still ask for it.
  static auto &device = *new TestDevice;
  return device;
}

TestDevice::TestDevice() : driver(*emulator::Machine::libraries().driver) {
  cuda::Context context = nullptr;
  check(driver.primaryContextRetain(&context, 0));
  check(driver.contextPush(context));
  check(driver.streamCreate(&stream, cuda::streamNonBlocking));
  std::array<uint64_t, 3> none = {};
  words = upload(none.data(), sizeof(none));
}

LoadedKernels TestDevice::load(const std::string &image) {
  LoadedKernels kernels;
  check(driver.moduleLoadData(&kernels.module, image.data()));
  return kernels;
}

void TestDevice::launch(const LoadedKernels &kernels, const std::string &name,
                        int64_t blocks, int64_t threads, int64_t sharedBytes,
                        std::vector<uint64_t> arguments) {
  cuda::Function function = nullptr;
  check(driver.moduleGetFunction(&function, kernels.module, name.c_str()));
  check(driver.functionSetAttribute(function, cuda::maxDynamicSharedBytes,
                                    static_cast<int>(sharedBytes)));
  if (blocks == -1) {
    int perMultiprocessor = 0, multiprocessors = 0;
    check(driver.occupancyMaxActiveBlocks(
        &perMultiprocessor, function, static_cast<int>(threads), sharedBytes));
    check(driver.deviceGetAttribute(&multiprocessors, cuda::multiprocessorCount,
                                    0));
    blocks = int64_t(perMultiprocessor) * multiprocessors;
  }
  if (blocks == 0) {
    return;
  }
  std::vector<void *> pointers;
  for (uint64_t &argument : arguments) {
    pointers.push_back(&argument);
  }
  check(driver.launchKernel(function, blocks, 1, 1, threads, 1, 1, sharedBytes,
                            stream, pointers.data(), nullptr));
  synchronize();
}

uint64_t TestDevice::upload(const void *data, size_t bytes) {
  cuda::Pointer pointer = 0;
  check(driver.memoryAllocate(&pointer, std::max<size_t>(bytes, 1)));
  check(driver.copyToDevice(pointer, data, bytes, stream));
  synchronize();
  return pointer;
}

void TestDevice::download(void *data, uint64_t pointer, size_t bytes) {
  check(driver.copyToHost(data, pointer, bytes, stream));
  synchronize();
  check(driver.memoryFree(pointer));
}

void TestDevice::synchronize() {
  check(driver.streamSynchronize(stream));
  std::vector<emulator::Finding> findings = machine.findings();
  for (; seenFindings < findings.size(); ++seenFindings) {
    ADD_FAILURE() << findings[seenFindings].text;
  }
}
