// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Clock.h - What has happened before what ------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_CLOCK_H
#define MOERT_EMULATOR_CLOCK_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace moert::emulator {

/// A vector clock: of each actor (a stream) the last of its steps that has
/// happened before.
class Clock {
public:
  uint64_t of(size_t actor) const {
    return actor < steps.size() ? steps[actor] : 0;
  }
  /// The actor takes its next step.
  void advance(size_t actor) {
    if (actor >= steps.size()) {
      steps.resize(actor + 1);
    }
    ++steps[actor];
  }
  /// What has happened before `other` has happened before this, too.
  void join(const Clock &other) {
    if (steps.size() < other.steps.size()) {
      steps.resize(other.steps.size());
    }
    for (size_t actor = 0; actor < other.steps.size(); ++actor) {
      steps[actor] = std::max(steps[actor], other.steps[actor]);
    }
  }

private:
  std::vector<uint64_t> steps;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_CLOCK_H
