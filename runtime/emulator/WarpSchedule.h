// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpSchedule.h - Which thread runs next ------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_WARPSCHEDULE_H
#define MOERT_EMULATOR_WARPSCHEDULE_H

#include "emulator/KernelThread.h"

namespace moert::emulator {

/// Picks threads of all resident blocks. A seed fixes the order: how long a
/// warp goes on, which comes next, from which lane and in which direction its
/// lanes go, and after how many of its accesses a thread is left for another.
class WarpSchedule {
public:
  explicit WarpSchedule(uint64_t seed);

  /// Lanes that waited, or were not there, can run.
  void wake(Warp &warp, uint32_t lanes);
  /// The lane waits, or has ended.
  void stop(Warp &warp, uint32_t stopped);
  /// A thread that can run; null if there is none.
  KernelThread *next();
  /// Counts an access. Returns whether another thread should run first; the
  /// next one then is of any warp.
  bool isDue() {
    if (--untilSwitch != 0) {
      return false;
    }
    leaveWarp();
    return true;
  }
  uint64_t draw();

private:
  void leaveWarp();

  uint64_t state;
  /// On average; differs from launch to launch.
  uint32_t accessesBetween;
  uint32_t untilSwitch = 1;
  std::vector<Warp *> runnable;
  Warp *current = nullptr;
  uint32_t lane = 0;
  bool descends = false;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_WARPSCHEDULE_H
