// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One emulated device for all tests of a program. Whatever it finds wrong with
// a kernel fails the test that launched it.

#ifndef MOE_TEST_UNIT_CONVERSION_TESTDEVICE_H
#define MOE_TEST_UNIT_CONVERSION_TESTDEVICE_H

#include "emulator/Machine.h"

#include <string>
#include <vector>

namespace mlir::moe::test {

struct LoadedKernels {
  moert::cuda::Module module = nullptr;
};

class TestDevice {
public:
  static TestDevice &get();

  LoadedKernels load(const std::string &image);
  /// `blocks` blocks, or for -1 as many as are resident.
  void launch(const LoadedKernels &kernels, const std::string &name,
              int64_t blocks, int64_t threads, int64_t sharedBytes,
              std::vector<uint64_t> arguments);
  /// A copy of the host's bytes on the device.
  uint64_t upload(const void *data, size_t bytes);
  /// Waits, and frees the device's copy.
  void download(void *data, uint64_t pointer, size_t bytes);
  /// Three words, as moert_frame_fault_words has them.
  uint64_t faultWords() const { return words; }

private:
  TestDevice();
  void synchronize();

  moert::emulator::Machine machine{moert::emulator::MachineOptions()};
  const moert::cuda::Driver &driver;
  moert::cuda::Stream stream = nullptr;
  uint64_t words = 0;
  size_t seenFindings = 0;
};

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_CONVERSION_TESTDEVICE_H
