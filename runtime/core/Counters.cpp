// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Counters.cpp -------------------------------------------------------===//

#include "core/Counters.h"

namespace moert {

Counter &Counters::of(const Operation &operation, int32_t set) {
  Key key(operation.kind, operation.id, operation.layer, set);
  if (last && Key(last->kind, last->id, last->layer, last->set) == key) {
    return *last;
  }
  Counter *&counter = byKey[key];
  if (!counter) {
    Counter fresh = {};
    fresh.kind = operation.kind;
    fresh.id = operation.id;
    fresh.layer = operation.layer;
    fresh.set = set;
    fresh.tiers.resize(tierCount);
    counters.push_back(std::move(fresh));
    counter = &counters.back();
  }
  last = counter;
  return *counter;
}

void Counters::reset() {
  // In place: calls in flight hold on to their counters.
  for (Counter &counter : counters) {
    counter.calls = counter.waitTicks = counter.moveTicks = 0;
    counter.local = {0, 0};
    counter.tiers.assign(tierCount, {0, 0});
  }
}

} // namespace moert
