// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Counters.h - Calls, bytes and time per collective --------*- C++ -*-===//

#ifndef MOERT_CORE_COUNTERS_H
#define MOERT_CORE_COUNTERS_H

#include "core/Operation.h"

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace moert {

/// Which link a rank uses to each other.
struct Tiers {
  std::vector<std::string> names = {"threads"};
  /// [size], the rank's row of the host's table; empty: everything is tier 0.
  std::vector<int32_t> row;

  int32_t to(int32_t rank) const { return row.empty() ? 0 : row[size_t(rank)]; }
};

struct Counter {
  moert_kind kind;
  int32_t id;
  int32_t layer;
  int32_t set;
  int64_t calls = 0;
  /// Of the context's clock.
  int64_t waitTicks = 0;
  int64_t moveTicks = 0;
  moert_traffic local = {0, 0};
  std::vector<moert_traffic> tiers;
};

class Counters {
public:
  explicit Counters(size_t tierCount) : tierCount(tierCount) {}

  /// The counter of an operation on a set; made on first use. Stays valid.
  Counter &of(const Operation &operation, int32_t set);
  const std::deque<Counter> &all() const { return counters; }
  void reset();

private:
  using Key = std::tuple<moert_kind, int32_t, int32_t, int32_t>;
  size_t tierCount;
  std::deque<Counter> counters;
  std::map<Key, Counter *> byKey;
  Counter *last = nullptr;
};

} // namespace moert

#endif // MOERT_CORE_COUNTERS_H
