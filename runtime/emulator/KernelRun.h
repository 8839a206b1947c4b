// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelRun.h - A launch while it runs ---------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_KERNELRUN_H
#define MOERT_EMULATOR_KERNELRUN_H

#include "emulator/KernelMemory.h"
#include "emulator/WarpSchedule.h"

namespace moert::emulator {

/// The functions that the bodies of kernels are handed.
const moert_kernel_calls &kernelCalls();

/// Runs the threads of a launch, as many blocks at a time as are resident.
class KernelRun {
public:
  KernelRun(Machine &machine, cuda::StreamObject &stream, const Launch &launch);

  /// To the end, or to a deadlock or trap. Returns what the device fails with
  /// after it.
  cuda::Result run();

  //===--------------------------------------------------------------------===//
  // For the calls of a thread, on its fiber
  //===--------------------------------------------------------------------===//

  /// Another thread may run.
  void mayLeave(KernelThread &thread) {
    if (schedule.isDue()) {
      leave(thread);
    }
  }
  /// Returns once another thread has woken this one.
  void wait(KernelThread &thread, const WaitingAt &waiting);
  /// Lanes that wait go on.
  void wake(Warp &warp, uint32_t lanes);
  /// Ends the launch. Does not return.
  void trap(KernelThread &thread, uint32_t site);

  const Launch &launch;
  KernelMemory memory;

private:
  void leave(KernelThread &thread);
  static void enter(void *argument);
  void finish(KernelThread &thread);
  /// Begins the next block of the launch in a place for one.
  void begin(Block &block);
  void beginThreads(Block &block);
  void clearShared(Block &block);
  void reportDeadlock();

  Machine &machine;
  WarpSchedule schedule;
  Fiber main;
  /// Places for resident blocks.
  std::vector<std::unique_ptr<Block>> resident;
  /// Blocks that have not begun, the next one last.
  std::vector<uint32_t> pending;
  /// The block whose last thread has ended.
  Block *ended = nullptr;
  bool trapped = false;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_KERNELRUN_H
