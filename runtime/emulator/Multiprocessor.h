// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Multiprocessor.h - What runs at once on a device ---------*- C++ -*-===//

#ifndef MOERT_EMULATOR_MULTIPROCESSOR_H
#define MOERT_EMULATOR_MULTIPROCESSOR_H

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace moert::emulator {

struct MachineOptions;

/// The shape of a launch.
struct Grid {
  uint32_t blocks[3];
  uint32_t threads[3];
};

/// One of a device's multiprocessors. It has the shared memory of its compute
/// capability, and room for fewer threads and blocks than any real one: a
/// kernel must bear that, and each thread costs the emulation.
struct Multiprocessor {
  explicit Multiprocessor(const MachineOptions &options);

  static constexpr int maxThreads = 1024;
  static constexpr int maxBlocks = 2;

  /// Of blocks of `threads` threads with `sharedBytes` of shared memory each,
  /// how many are resident at once; 0 if not even one fits.
  int residentBlocks(int threads, size_t sharedBytes) const {
    if (threads > maxThreads || sharedBytes > sharedBytesPerBlock) {
      return 0;
    }
    // The system takes 1 KiB of each block.
    size_t byMemory = (sharedBytesPerBlock + 1024) / (sharedBytes + 1024);
    return int(std::min<size_t>(
        {size_t(maxBlocks), size_t(maxThreads / threads), byMemory}));
  }

  /// The most that one block can have, once its kernel was given leave.
  size_t sharedBytesPerBlock;
};

/// What a kernel can have without cuFuncSetAttribute.
constexpr size_t sharedBytesWithoutLeave = size_t(48) << 10;

} // namespace moert::emulator

#endif // MOERT_EMULATOR_MULTIPROCESSOR_H
