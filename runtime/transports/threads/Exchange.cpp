// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Exchange.cpp -------------------------------------------------------===//

#include "transports/threads/Exchange.h"
#include "transports/threads/ThreadGroup.h"

namespace moert {

Exchange::Exchange(ThreadGroup &group)
    : group(group), size(uint32_t(group.ranks.size())), parts(size),
      arrived(size), ready(size), departed(new std::atomic<bool>[size]),
      claimed(new std::atomic<bool>[size]) {
  reset();
}

int32_t Exchange::claim(int32_t self) {
  if (unclaimed.load(std::memory_order_seq_cst) == 0) {
    return -1;
  }
  for (uint32_t step = 0; step < size; ++step) {
    uint32_t task = (uint32_t(self) + step) % size;
    if (!claimed[task].load(std::memory_order_relaxed) &&
        !claimed[task].exchange(true, std::memory_order_acq_rel)) {
      unclaimed.fetch_sub(1, std::memory_order_seq_cst);
      return int32_t(task);
    }
  }
  return -1;
}

void Exchange::reset() {
  arrived.assign(size, false);
  ready.assign(size, false);
  arrivedCount = 0;
  readyCount = 0;
  bytes = 0;
  first = -1;
  for (uint32_t rank = 0; rank < size; ++rank) {
    departed[rank].store(false, std::memory_order_relaxed);
    claimed[rank].store(false, std::memory_order_relaxed);
  }
  unclaimed.store(0, std::memory_order_relaxed);
  finished.store(0, std::memory_order_relaxed);
  active.store(0, std::memory_order_relaxed);
  departedCount.store(0, std::memory_order_relaxed);
}

} // namespace moert
