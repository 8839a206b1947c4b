// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelThread.h - Threads, warps and blocks of a launch ---*- C++ -*-===//

#ifndef MOERT_EMULATOR_KERNELTHREAD_H
#define MOERT_EMULATOR_KERNELTHREAD_H

#include "emulator/Fiber.h"
#include "emulator/KernelImage.h"
#include "emulator/ShadowMemory.h"

#include <memory>
#include <vector>

/// What kernels know of a thread: nothing.
struct moert_kernel_thread {};

namespace moert::emulator {

class KernelRun;
struct Block;
struct KernelThread;

constexpr uint32_t warpSize = 32;

/// What the lanes of a mask do together.
struct WarpCall {
  enum class Kind { Barrier, Shuffle, Vote, Reduce, LoadMatrix, Multiply };
  Kind kind;
  /// What else must be the same in all lanes: the mode, the operation, the
  /// number of matrices.
  uint32_t mode;
  uint32_t mask;
  /// Of .aligned instructions, which lanes must reach at one place; else none.
  uint32_t place;

  bool operator==(const WarpCall &other) const {
    return kind == other.kind && mode == other.mode && mask == other.mask &&
           place == other.place;
  }
};

/// Lanes that wait for the others of their mask.
struct Meeting {
  WarpCall call;
  uint32_t arrived;
};

struct Warp {
  Block *block = nullptr;
  /// The threads of its lanes, back to back.
  KernelThread *lanes = nullptr;
  /// Lanes that have not ended, and those of them that do not wait.
  uint32_t live = 0;
  uint32_t runnable = 0;
  /// How often all its live lanes have met in a barrier, its own or the
  /// block's.
  uint32_t syncs = 0;
  std::vector<Meeting> meetings;
  /// In the scheduler's list of warps that can run.
  size_t place = 0;
};

/// Threads at one of a block's barriers.
struct BlockBarrier {
  uint32_t arrived = 0;
  /// How many threads it waits for; 0 for all that have not ended.
  uint32_t expected = 0;
};

/// A cp.async that is under way.
struct AsyncCopy {
  uint64_t shared;
  uint64_t global;
  uint32_t bytes;
  uint32_t sourceBytes;
  uint32_t site;
  /// The number of its group within the thread.
  uint64_t group;
};

/// What a thread waits at, for messages.
struct WaitingAt {
  static constexpr uint32_t noBarrier = ~0u;
  /// For example "bar.sync 0"; null if it does not wait.
  const char *what = nullptr;
  uint32_t barrier = noBarrier;
  uint32_t mask = 0;
  uint32_t site = MOERT_KERNEL_NO_SITE;
};

struct KernelThread : moert_kernel_thread {
  KernelRun *run = nullptr;
  Block *block = nullptr;
  Warp *warp = nullptr;
  Fiber *fiber = nullptr;
  /// Within the launch, and within its block.
  uint32_t number = 0;
  uint32_t index = 0;
  uint32_t lane = 0;
  uint32_t position[3] = {};
  /// Its step: what it did at an earlier one, others may know to have happened.
  uint32_t time = 1;
  /// Of each thread of the block, up to which step this one knows what it did,
  /// where it has that from neither all of the block nor all of the warp; empty
  /// for nothing.
  std::vector<uint32_t> known;
  std::vector<AsyncCopy> copies;
  uint64_t groups = 0;
  WaitingAt waiting;
  /// Of the call that it waits in.
  void *operands = nullptr;
};

struct Block {
  uint32_t position[3] = {};
  /// The number of its first thread, within the launch.
  uint32_t first = 0;
  std::vector<KernelThread> threads;
  std::vector<Warp> warps;
  uint32_t live = 0;
  BlockBarrier barriers[16];
  /// How often all its live threads have met.
  uint32_t syncs = 0;
  /// Of each thread, up to which step all others know what it did; and the same
  /// of those of its warp.
  std::vector<uint32_t> knownToBlock;
  std::vector<uint32_t> knownToWarp;
  /// Its shared memory, in elements that are aligned to 16 bytes.
  struct alignas(16) SharedWords {
    uint64_t words[2];
  };
  std::vector<SharedWords> shared;
  size_t sharedBytes = 0;
  std::unique_ptr<ShadowMemory> sharedShadow;
};

/// Whether what `user` did at a step of its time has happened before what the
/// thread does now.
inline bool hasSeen(const KernelThread &thread, uint32_t user, uint32_t time) {
  const Block &block = *thread.block;
  uint32_t index = user - block.first;
  if (index >= block.threads.size()) {
    return false;
  }
  if (index == thread.index || time <= block.knownToBlock[index]) {
    return true;
  }
  return (index / warpSize == thread.index / warpSize &&
          time <= block.knownToWarp[index]) ||
         (!thread.known.empty() && time <= thread.known[index]);
}

} // namespace moert::emulator

#endif // MOERT_EMULATOR_KERNELTHREAD_H
