// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PhaseTimer.h - Where a rank's time goes ------------------*- C++ -*-===//

#ifndef MOERT_CORE_PHASETIMER_H
#define MOERT_CORE_PHASETIMER_H

#include "core/TickClock.h"
#include "moert/moert.h"

#include <array>

namespace moert {

/// Splits the wall clock of one rank into phases. Times are ticks of its clock
/// unless they are called ns.
class PhaseTimer {
public:
  PhaseTimer() : since(clock.ticks()) {}

  /// Returns the phase that was left.
  moert_phase enter(moert_phase phase) {
    int64_t time = clock.ticks();
    spent[current] += time - since;
    since = time;
    moert_phase left = current;
    current = phase;
    return left;
  }

  /// When the current phase was entered.
  int64_t enteredAt() const { return since; }
  /// Without what has passed since the current phase was entered.
  int64_t closed(moert_phase phase) const { return spent[phase]; }
  int64_t ns(moert_phase phase) const {
    int64_t open = phase == current ? clock.ticks() - since : 0;
    return int64_t(double(spent[phase] + open) * clock.nsPerTick());
  }
  void reset() {
    spent.fill(0);
    since = clock.ticks();
  }

  const TickClock clock;

private:
  std::array<int64_t, MOERT_PHASE_COUNT> spent = {};
  moert_phase current = MOERT_PHASE_OTHER;
  int64_t since;
};

} // namespace moert

#endif // MOERT_CORE_PHASETIMER_H
