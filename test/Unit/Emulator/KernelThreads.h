// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelThreads.h - Kernels that are written by hand -------*- C++ -*-===//

#ifndef MOE_UNIT_EMULATOR_KERNELTHREADS_H
#define MOE_UNIT_EMULATOR_KERNELTHREADS_H

#include "EmulatedMachine.h"

#include <cstring>

namespace moert::emulator {

/// One thread of a kernel: its calls under shorter names. Each takes the line
/// that findings name; "line 3" for 3.
class Thread {
public:
  Thread(const moert_kernel_calls *calls, moert_kernel_thread *thread,
         const uint64_t *arguments)
      : calls(*calls), handle(thread), arguments(arguments) {}

  uint64_t index() const { return special(MOERT_KERNEL_TID_X); }
  uint64_t block() const { return special(MOERT_KERNEL_CTAID_X); }
  uint64_t blocks() const { return special(MOERT_KERNEL_NCTAID_X); }
  uint64_t threads() const { return special(MOERT_KERNEL_NTID_X); }
  uint64_t lane() const { return special(MOERT_KERNEL_LANEID); }
  uint64_t shared() const {
    return calls.special(handle, MOERT_KERNEL_DYNAMIC_SHARED);
  }
  uint64_t argument(size_t i) const { return arguments[i]; }

  template <typename T> T load(uint64_t address, uint32_t line = 0) const {
    T value;
    std::memcpy(
        &value,
        calls.access(handle, address, sizeof(T), MOERT_KERNEL_READ, line),
        sizeof(T));
    return value;
  }
  template <typename T>
  void store(uint64_t address, T value, uint32_t line = 0) const {
    std::memcpy(
        calls.access(handle, address, sizeof(T), MOERT_KERNEL_WRITE, line),
        &value, sizeof(T));
  }
  void barrier(uint32_t line = 0) const { calls.barrier(handle, 0, 0, line); }
  void warpBarrier(uint32_t mask = ~0u, uint32_t line = 0) const {
    calls.warp_barrier(handle, mask, line);
  }
  /// __shfl_xor_sync and the like, over whole warps.
  uint32_t butterfly(uint32_t value, uint32_t distance,
                     uint32_t mask = ~0u) const {
    return calls.shuffle(handle, MOERT_KERNEL_SHUFFLE_BUTTERFLY, mask, value,
                         distance, 31, nullptr, 0);
  }
  uint32_t ballot(bool predicate, uint32_t mask = ~0u) const {
    return calls.vote(handle, MOERT_KERNEL_VOTE_BALLOT, mask, predicate, 0);
  }
  void copyAsync(uint64_t to, uint64_t from, uint32_t bytes,
                 uint32_t line = 0) const {
    calls.copy_async(handle, to, from, bytes, bytes, line);
  }
  void commit() const { calls.copy_commit(handle, 0); }
  void wait(uint32_t pending) const { calls.copy_wait(handle, pending, 0); }

  const moert_kernel_calls &calls;
  moert_kernel_thread *const handle;

private:
  uint64_t special(uint32_t which) const {
    return calls.special(handle, which);
  }
  const uint64_t *const arguments;
};

/// A body for a kernel's table.
template <void (*Body)(const Thread &)>
void asKernel(const moert_kernel_calls *calls, moert_kernel_thread *thread,
              const uint64_t *arguments) {
  Body(Thread(calls, thread, arguments));
}

/// What a launch is given.
struct LaunchShape {
  unsigned blocks = 1;
  unsigned threads = 32;
  unsigned sharedBytes = 0;
};

/// A machine with one device, and kernels on it.
class KernelMachine {
public:
  explicit KernelMachine(const MachineOptions &options = {});

  /// Queues a kernel, which is named `kernel`, on the device's stream, or on
  /// another.
  void launch(moert_kernel_body body, const LaunchShape &shape,
              const std::vector<uint64_t> &arguments,
              cuda::Stream stream = nullptr);
  template <typename T> cuda::Pointer upload(const std::vector<T> &values) {
    return device.upload(values);
  }
  template <typename T>
  std::vector<T> download(cuda::Pointer pointer, size_t count) {
    return device.download<T>(pointer, count);
  }
  /// Waits, and returns what is found.
  std::vector<Finding> findings();

  Machine machine;
  TestDevice device;
};

/// 20 of them.
std::vector<MachineOptions> manySeeds();

} // namespace moert::emulator

#endif // MOE_UNIT_EMULATOR_KERNELTHREADS_H
