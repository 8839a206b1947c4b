// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmulatedMachine.h - Programs on emulated devices ---------*- C++ -*-===//

#ifndef MOE_UNIT_EMULATOR_EMULATEDMACHINE_H
#define MOE_UNIT_EMULATOR_EMULATEDMACHINE_H

#include "emulator/Machine.h"

#include <gtest/gtest.h>

#include <functional>

namespace moert::emulator {

/// One device as a host thread uses it: its context is current.
class TestDevice {
public:
  explicit TestDevice(int ordinal);
  ~TestDevice();

  cuda::Pointer allocate(size_t bytes) const;
  cuda::Stream makeStream() const;
  /// It goes with the device.
  cuda::Event makeEvent() const;
  /// Everything that is queued on the stream is done before it returns.
  cuda::Result synchronize(cuda::Stream stream) const;
  std::vector<int32_t> read(cuda::Pointer from, size_t count) const;
  void write(cuda::Pointer to, const std::vector<int32_t> &values) const;
  /// New memory with these values in it, which are there when it returns.
  template <typename T>
  cuda::Pointer upload(const std::vector<T> &values) const {
    cuda::Pointer pointer = allocate(values.size() * sizeof(T));
    cuda.copyToDevice(pointer, values.data(), values.size() * sizeof(T),
                      stream);
    EXPECT_EQ(synchronize(stream), cuda::Success);
    return pointer;
  }
  template <typename T>
  std::vector<T> download(cuda::Pointer pointer, size_t count) const {
    std::vector<T> values(count);
    cuda.copyToHost(values.data(), pointer, count * sizeof(T), stream);
    EXPECT_EQ(synchronize(stream), cuda::Success);
    return values;
  }

  const int ordinal;
  const cuda::Driver &cuda;
  const nccl::Library &nccl;
  cuda::Stream stream = nullptr;

private:
  mutable std::vector<cuda::Event> events;
};

/// What one rank does with its device and a communicator of all ranks.
using RankProgram = std::function<void(TestDevice &, nccl::Comm world)>;

/// Runs the program on `ranks` threads of one machine. Returns what the machine
/// found.
std::vector<Finding> runRanks(int ranks, uint64_t seed,
                              const RankProgram &program);

/// The kinds of findings, in order.
std::vector<FindingKind> kindsOf(const std::vector<Finding> &findings);

/// Waits until a communicator is ready, or says why not.
nccl::Result settle(const TestDevice &device, nccl::Comm comm);

inline void *hostView(cuda::Pointer pointer) {
  // The driver's addresses are integers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<void *>(uintptr_t(pointer));
}

} // namespace moert::emulator

#endif // MOE_UNIT_EMULATOR_EMULATEDMACHINE_H
