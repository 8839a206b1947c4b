// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where two results of one layer differ, and which expert is to blame.
#ifndef MOE_RUNNER_COMPAREOUTPUTS_H
#define MOE_RUNNER_COMPAREOUTPUTS_H

#include "moe/Runner/TokenArray.h"

#include <optional>

namespace moe::runner {

/// What a program computed for all tokens.
struct LayerResult {
  TokenArray output;
  RoutingArray routing;
};

/// The first element that differs, in row-major order.
struct Difference {
  enum class Where { Output, Expert, Weight };
  Where where = Where::Output;
  int64_t token = 0;
  /// Of the output, or the choice.
  int64_t column = 0;
  uint32_t expectedBits = 0;
  uint32_t bits = 0;
  float expected = 0;
  float value = 0;
  /// Bits of an element: 16 or 32.
  unsigned width = 32;
  /// The expert that most of whose tokens differ, among those of this token;
  /// of a differing routing, the one that was chosen. -1: the token has none.
  int64_t expert = -1;
  /// Elements that differ, and elements in all.
  int64_t count = 0;
  int64_t total = 0;
};

/// Compares bit for bit, routing first: nothing else can be right without it.
std::optional<Difference> compareResults(const LayerResult &expected,
                                         const LayerResult &result);

/// "output differs at [3, 17]: expected 0x3F80 (1), but got 0x3F81 (1.00781);
/// expert 5 in slot 1 of rank 2; 12 of 4096 values differ". `slot` is where
/// the expert is ("slot 1 of rank 2").
std::string toString(const Difference &difference, llvm::StringRef slot);

} // namespace moe::runner

#endif // MOE_RUNNER_COMPAREOUTPUTS_H
