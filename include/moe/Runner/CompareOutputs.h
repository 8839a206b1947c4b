// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where two results of one program differ, and which expert is to blame.
#ifndef MOE_RUNNER_COMPAREOUTPUTS_H
#define MOE_RUNNER_COMPAREOUTPUTS_H

#include "moe/Runner/TokenArray.h"

#include <optional>

namespace moe::runner {

/// What a program computed for all tokens.
struct ProgramResult {
  /// In the order of the function's own results.
  std::vector<TokenArray> outputs;
  /// One a layer of experts.
  std::vector<RoutingArray> routings;
};

/// The first element that differs, in row-major order.
struct Difference {
  enum class Where { Output, Expert, Weight };
  Where where = Where::Output;
  /// Which of the outputs, unless a routing differs.
  size_t output = 0;
  /// The layer of the routing that differs, or of the expert.
  size_t layer = 0;
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
  /// of a differing routing, the one that was chosen. -1: the token has none,
  /// or its row is no token's.
  int64_t expert = -1;
  /// Elements that differ, and elements in all.
  int64_t count = 0;
  int64_t total = 0;
};

/// Compares bit for bit, routings first, layer by layer: nothing else can be
/// right without them.
std::optional<Difference> compareResults(const ProgramResult &expected,
                                         const ProgramResult &result);

/// Compares outputs of two code targets for one routing. Elements may be apart
/// by a share of the largest magnitude in their token's row: 1e-5 of it in f32,
/// two units in the last place of it in bf16. NaN is within no tolerance.
std::optional<Difference> compareGivenRouting(const ProgramResult &expected,
                                              const ProgramResult &result);

/// "output differs at [3, 17]: expected 0x3F80 (1), but got 0x3F81 (1.00781);
/// expert 5 in slot 1 of rank 2; 12 of 4096 values differ". `slot` is where
/// the expert is ("slot 1 of rank 2", "slot 1 of rank 2 in layer 3").
std::string toString(const Difference &difference, llvm::StringRef slot);

} // namespace moe::runner

#endif // MOE_RUNNER_COMPAREOUTPUTS_H
