//===- KickSequence.h - Numbers to kick a search with -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_KICKSEQUENCE_H
#define MOE_LIB_PLANNING_PLACEMENT_KICKSEQUENCE_H

#include <cstdint>

namespace moe::planning {

/// Numbers that are the same on every machine (xorshift64).
class KickSequence {
public:
  int64_t below(int64_t limit) {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return static_cast<int64_t>(bits % static_cast<uint64_t>(limit));
  }

private:
  uint64_t bits = 0x9e3779b97f4a7c15;
};

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_KICKSEQUENCE_H
