//===- TokenSplit.h - Which rank holds which tokens -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// T tokens over n ranks: contiguous ranges in rank order, the first T mod n
// ranks hold one more. Rank r holds floor(T / n) + [r < T mod n] tokens and
// starts at r * floor(T / n) + min(r, T mod n).
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_TOKENSPLIT_H
#define MOE_PLANNING_TOKENSPLIT_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace moe::planning {

/// The global tokens [begin, end).
struct TokenRange {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  bool operator==(const TokenRange &other) const {
    return begin == other.begin && end == other.end;
  }
};

/// The part `index` of `tokens` tokens split into `parts` parts.
inline TokenRange tokenRange(int64_t tokens, int64_t parts, int64_t index) {
  int64_t size = tokens / parts, longer = tokens % parts;
  int64_t begin = index * size + std::min(index, longer);
  return {begin, begin + size + (index < longer ? 1 : 0)};
}

/// All parts, in order.
inline std::vector<TokenRange> splitTokens(int64_t tokens, int64_t parts) {
  std::vector<TokenRange> ranges;
  ranges.reserve(parts);
  for (int64_t index = 0; index < parts; ++index) {
    ranges.push_back(tokenRange(tokens, parts, index));
  }
  return ranges;
}

} // namespace moe::planning

#endif // MOE_PLANNING_TOKENSPLIT_H
