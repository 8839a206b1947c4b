// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PhaseTimer.h - Where a rank's time goes ------------------*- C++ -*-===//

#ifndef MOERT_CORE_PHASETIMER_H
#define MOERT_CORE_PHASETIMER_H

#include "moert/moert.h"

#include <array>
#include <chrono>

namespace moert {

/// Monotonic clock in nanoseconds.
inline int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Splits the wall clock of one rank into phases.
class PhaseTimer {
public:
  PhaseTimer() : since(now()) {}

  /// Returns the phase that was left.
  moert_phase enter(moert_phase phase) {
    int64_t time = now();
    spent[current] += time - since;
    since = time;
    moert_phase left = current;
    current = phase;
    return left;
  }

  moert_phase phase() const { return current; }
  /// When the current phase was entered.
  int64_t enteredAt() const { return since; }
  /// Without what has passed since the current phase was entered.
  int64_t closedNs(moert_phase phase) const { return spent[phase]; }
  int64_t ns(moert_phase phase) const {
    return spent[phase] + (phase == current ? now() - since : 0);
  }
  void reset() {
    spent.fill(0);
    since = now();
  }

private:
  std::array<int64_t, MOERT_PHASE_COUNT> spent = {};
  moert_phase current = MOERT_PHASE_OTHER;
  int64_t since;
};

} // namespace moert

#endif // MOERT_CORE_PHASETIMER_H
