// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelThreads.cpp --------------------------------------------------===//

#include "KernelThreads.h"

namespace moert::emulator {

static const char *const lines[] = {"line 0", "line 1", "line 2", "line 3",
                                    "line 4", "line 5", "line 6", "line 7"};

KernelMachine::KernelMachine(const MachineOptions &options)
    : machine(options), device(0) {}

void KernelMachine::launch(moert_kernel_body body, const LaunchShape &shape,
                           const std::vector<uint64_t> &arguments,
                           cuda::Stream stream) {
  moert_kernel_entry entry = {"kernel", body, uint32_t(arguments.size()), 0, 0};
  // Images and entries live as long as a launch may run.
  static std::vector<std::unique_ptr<moert_kernel_entry>> entries;
  entries.push_back(std::make_unique<moert_kernel_entry>(entry));
  moert_kernel_image image = {MOERT_KERNEL_ABI, 1,     entries.back().get(),
                              std::size(lines), lines, ""};
  cuda::Module module = machine.addImage(0, image);
  cuda::Function function = nullptr;
  ASSERT_EQ(device.cuda.moduleGetFunction(&function, module, "kernel"),
            cuda::Success);
  ASSERT_EQ(device.cuda.functionSetAttribute(
                function, cuda::maxDynamicSharedBytes, int(shape.sharedBytes)),
            cuda::Success);
  std::vector<uint64_t> values = arguments;
  std::vector<void *> pointers;
  for (uint64_t &value : values) {
    pointers.push_back(&value);
  }
  EXPECT_EQ(device.cuda.launchKernel(function, shape.blocks, 1, 1,
                                     shape.threads, 1, 1, shape.sharedBytes,
                                     stream ? stream : device.stream,
                                     pointers.data(), nullptr),
            cuda::Success);
}

std::vector<Finding> KernelMachine::findings() {
  device.synchronize(device.stream);
  return machine.findings();
}

std::vector<MachineOptions> manySeeds() {
  std::vector<MachineOptions> all;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    all.emplace_back();
    all.back().seed = seed;
  }
  return all;
}

} // namespace moert::emulator
