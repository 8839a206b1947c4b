// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TickClock.h - A clock that costs next to nothing ---------*- C++ -*-===//
//
// Phases are switched several times in a collective that takes half a
// microsecond, so reading the system's clock (30 ns) would show. Ticks are the
// CPU's time stamp counter where it runs at a constant rate, and nanoseconds of
// the system's clock elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_CORE_TICKCLOCK_H
#define MOERT_CORE_TICKCLOCK_H

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace moert {

/// Monotonic clock in nanoseconds.
inline int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class TickClock {
public:
  TickClock()
      : constantRate(hasConstantRate()), baseTicks(ticks()), baseNs(now()) {}

  int64_t ticks() const {
#if defined(__x86_64__)
    if (constantRate) {
      return int64_t(__rdtsc());
    }
#endif
    return now();
  }
  /// The length of a tick, measured since this clock was made.
  double nsPerTick() const {
    int64_t passed = ticks() - baseTicks;
    return constantRate && passed > 0 ? double(now() - baseNs) / double(passed)
                                      : 1.0;
  }
  /// A point in time, as from now().
  double toNs(int64_t time, double nsPerTick) const {
    return double(baseNs) + double(time - baseTicks) * nsPerTick;
  }

private:
  static bool hasConstantRate() {
#if defined(__x86_64__)
    // CPUID 80000007h EDX bit 8: the counter runs at one rate in all states.
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 0x100) != 0;
#else
    return false;
#endif
  }

  bool constantRate;
  int64_t baseTicks;
  int64_t baseNs;
};

} // namespace moert

#endif // MOERT_CORE_TICKCLOCK_H
