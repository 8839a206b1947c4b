// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StallWatch.h - When waiting has become hopeless ----------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_STALLWATCH_H
#define MOERT_TRANSPORTS_THREADS_STALLWATCH_H

#include "transports/threads/World.h"

namespace moert {

/// One rank's wait. The job has stalled when no rank has entered or left a
/// collective for the length of the deadline; until then a long wait only means
/// that others have much to do.
class StallWatch {
public:
  /// `deadlineNs` 0: the job's own; negative: never.
  StallWatch(const World &world, int64_t deadlineNs)
      : world(world),
        deadlineNs(deadlineNs ? deadlineNs : world.options.deadlineNs),
        steps(world.steps()), lastProgress(now()) {}

  /// When to look again; -1: never.
  int64_t until() const {
    return deadlineNs < 0 ? -1 : now() + deadlineNs / 4 + 1;
  }
  /// Looks.
  bool stalled() {
    int64_t time = now();
    uint64_t current = world.steps();
    if (current != steps) {
      steps = current;
      lastProgress = time;
    }
    return time - lastProgress >= deadlineNs;
  }
  int64_t deadline() const { return deadlineNs; }

private:
  const World &world;
  const int64_t deadlineNs;
  uint64_t steps;
  int64_t lastProgress;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_STALLWATCH_H
