// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ModulesTest.cpp - Loading images and finding kernels in them -------===//

#include "EmulatedMachine.h"

#include <fstream>
#include <iterator>

using namespace moert;
using namespace moert::emulator;

static const moert_kernel_entry entries[] = {
    {"first",
     [](const moert_kernel_calls *, moert_kernel_thread *, const uint64_t *) {},
     0, 0, 0},
    {"second",
     [](const moert_kernel_calls *, moert_kernel_thread *, const uint64_t *) {},
     0, 128, 1024}};

static moert_kernel_image imageOf(uint32_t abi) {
  return {abi, 2, entries, 0, nullptr, ""};
}

TEST(EmulatedModules, KernelsAreFoundByName) {
  Machine machine({});
  TestDevice device(0);
  cuda::Module module = machine.addImage(0, imageOf(MOERT_KERNEL_ABI));
  cuda::Function first = nullptr, again = nullptr, second = nullptr;
  EXPECT_EQ(device.cuda.moduleGetFunction(&first, module, "first"),
            cuda::Success);
  EXPECT_EQ(device.cuda.moduleGetFunction(&again, module, "first"),
            cuda::Success);
  EXPECT_EQ(first, again);
  EXPECT_EQ(device.cuda.moduleGetFunction(&second, module, "second"),
            cuda::Success);
  EXPECT_NE(first, second);
  EXPECT_EQ(device.cuda.moduleGetFunction(&second, module, "third"),
            cuda::NotFound);
  EXPECT_EQ(device.cuda.moduleUnload(module), cuda::Success);
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_EQ(device.cuda.moduleGetFunction(&second, module, "first"),
            cuda::InvalidHandle);
  EXPECT_EQ(kindsOf(machine.findings()),
            std::vector<FindingKind>{FindingKind::Handle});
}

TEST(EmulatedModules, WhatIsNoImageIsRefused) {
  Machine machine({});
  TestDevice device(0);
  cuda::Module module = nullptr;
  EXPECT_EQ(device.cuda.moduleLoadData(&module, ".version 8.0"),
            cuda::InvalidImage);
  EXPECT_EQ(machine.addImage(0, imageOf(MOERT_KERNEL_ABI + 1)), nullptr);
  std::vector<Finding> found = machine.findings();
  ASSERT_EQ(kindsOf(found),
            (std::vector<FindingKind>{FindingKind::Image, FindingKind::Image}));
  EXPECT_EQ(found[0].text,
            "cuModuleLoadData: no ELF shared object for a 64-bit machine");
  EXPECT_EQ(found[1].text,
            "a kernel image of version 2, but expected version 1");
}

TEST(EmulatedModules, SharedMemoryIsThatOfTheCapability) {
  MachineOptions options;
  options.capabilityMajor = 8;
  Machine machine(options);
  TestDevice device(0);
  int most = 0, blocks = -1;
  EXPECT_EQ(
      device.cuda.deviceGetAttribute(&most, cuda::maxSharedBytesPerBlock, 0),
      cuda::Success);
  EXPECT_EQ(most, 163 << 10);
  cuda::Module module = machine.addImage(0, imageOf(MOERT_KERNEL_ABI));
  cuda::Function second = nullptr;
  device.cuda.moduleGetFunction(&second, module, "second");
  // The kernel has 1 KiB of its own.
  EXPECT_EQ(device.cuda.functionSetAttribute(
                second, cuda::maxDynamicSharedBytes, 162 << 10),
            cuda::Success);
  EXPECT_EQ(device.cuda.functionSetAttribute(
                second, cuda::maxDynamicSharedBytes, 163 << 10),
            cuda::InvalidValue);
  EXPECT_EQ(device.cuda.occupancyMaxActiveBlocks(&blocks, second, 128, 0),
            cuda::Success);
  EXPECT_EQ(blocks, 2);
  device.cuda.occupancyMaxActiveBlocks(&blocks, second, 128, 100 << 10);
  EXPECT_EQ(blocks, 1);
  device.cuda.occupancyMaxActiveBlocks(&blocks, second, 128, 163 << 10);
  EXPECT_EQ(blocks, 0);
}

/// Adds 5 to 32 numbers by the kernel of an image. Returns the last of them.
static int32_t addFive(TestDevice &device, cuda::Module module) {
  cuda::Function function = nullptr;
  EXPECT_EQ(device.cuda.moduleGetFunction(&function, module, "add_to_all"),
            cuda::Success);
  cuda::Pointer numbers = device.allocate(32 * 4);
  device.write(numbers, std::vector<int32_t>(32, 3));
  uint64_t address = numbers, addend = 5;
  void *arguments[] = {&address, &addend};
  // The kernel is for blocks of 16.
  EXPECT_EQ(device.cuda.launchKernel(function, 1, 1, 1, 32, 1, 1, 0,
                                     device.stream, arguments, nullptr),
            cuda::InvalidValue);
  EXPECT_EQ(device.cuda.launchKernel(function, 2, 1, 1, 16, 1, 1, 0,
                                     device.stream, arguments, nullptr),
            cuda::Success);
  return device.read(numbers, 32).back();
}

TEST(EmulatedModules, ASharedObjectIsLoadedFromItsBytes) {
  std::ifstream file(EMULATOR_TEST_IMAGE, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  Machine machine({});
  TestDevice device(0);
  for (int turn = 0; turn < 3; ++turn) {
    cuda::Module first = nullptr, second = nullptr;
    std::vector<char> copy = bytes;
    ASSERT_EQ(device.cuda.moduleLoadData(&first, copy.data()), cuda::Success);
    ASSERT_EQ(device.cuda.moduleLoadData(&second, copy.data()), cuda::Success);
    // The caller's bytes may go.
    copy.assign(copy.size(), 0);
    EXPECT_EQ(device.cuda.moduleUnload(first), cuda::Success);
    EXPECT_EQ(addFive(device, second), 8);
    EXPECT_EQ(device.cuda.moduleUnload(second), cuda::Success);
  }
  EXPECT_TRUE(machine.findings().empty());
}
