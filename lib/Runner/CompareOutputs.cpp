// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/CompareOutputs.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatAdapters.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace moe::runner;
using llvm::formatv;

static uint32_t bitsOf(float value) { return llvm::bit_cast<uint32_t>(value); }

/// Differences in one array of [tokens, choices].
static std::optional<Difference> compareRouting(const RoutingArray &expected,
                                                const RoutingArray &result) {
  Difference difference;
  difference.total = expected.experts.size();
  for (size_t i = 0; i < expected.experts.size(); ++i) {
    bool isExpert = expected.experts[i] != result.experts[i];
    if (!isExpert && bitsOf(expected.weights[i]) == bitsOf(result.weights[i])) {
      continue;
    }
    if (difference.count++) {
      continue;
    }
    difference.where =
        isExpert ? Difference::Where::Expert : Difference::Where::Weight;
    difference.token = i / expected.choices;
    difference.column = i % expected.choices;
    difference.expert = result.experts[i];
    difference.expectedBits =
        isExpert ? expected.experts[i] : bitsOf(expected.weights[i]);
    difference.bits = isExpert ? result.experts[i] : bitsOf(result.weights[i]);
    difference.expected = isExpert ? expected.experts[i] : expected.weights[i];
    difference.value = isExpert ? result.experts[i] : result.weights[i];
  }
  return difference.count ? std::optional(difference) : std::nullopt;
}

namespace {
/// An expert and how much of what went to it is wrong.
struct Suspect {
  int64_t expert = -1;
  size_t layer = 0;
  double share = -1;
};
} // namespace

/// The expert of `token` in a layer that has the largest part of differing
/// tokens; the first of equals.
static Suspect findSuspect(const RoutingArray &routing, size_t layer,
                           const llvm::BitVector &differs, int64_t token) {
  std::map<int32_t, std::pair<int64_t, int64_t>> badOfAll;
  for (size_t i = 0; i < routing.experts.size(); ++i) {
    auto &[bad, all] = badOfAll[routing.experts[i]];
    bad += differs[i / routing.choices];
    ++all;
  }
  Suspect worst{-1, layer};
  for (int64_t choice = 0; choice < routing.choices; ++choice) {
    int32_t expert = routing.experts[token * routing.choices + choice];
    auto [bad, all] = badOfAll[expert];
    double share = static_cast<double>(bad) / static_cast<double>(all);
    if (expert >= 0 && share > worst.share) {
      worst.expert = expert;
      worst.share = share;
    }
  }
  return worst;
}

/// Finds the expert to blame, where rows are those of tokens.
static void blame(const std::vector<RoutingArray> &routings,
                  const llvm::BitVector &differs, Difference &difference) {
  Suspect worst;
  for (auto [layer, routing] : llvm::enumerate(routings)) {
    if (routing.tokens != static_cast<int64_t>(differs.size())) {
      continue;
    }
    Suspect found = findSuspect(routing, layer, differs, difference.token);
    if (found.share > worst.share) {
      worst = found;
    }
  }
  difference.expert = worst.expert;
  difference.layer = worst.layer;
}

/// The elements of one output of which `areAlike(row, column)` is false, and
/// their rows.
static Difference
compareOutput(const TokenArray &left, const TokenArray &right,
              llvm::function_ref<bool(int64_t, int64_t)> areAlike,
              llvm::BitVector &differs) {
  Difference difference;
  difference.width = bitWidth(left.type);
  difference.total = left.rows * left.columns;
  for (int64_t row = 0; row < left.rows; ++row) {
    for (int64_t column = 0; column < left.columns; ++column) {
      if (areAlike(row, column)) {
        continue;
      }
      differs.set(row);
      if (difference.count++) {
        continue;
      }
      difference.token = row;
      difference.column = column;
      difference.expectedBits = left.bits(row, column);
      difference.bits = right.bits(row, column);
      difference.expected = left.value(row, column);
      difference.value = right.value(row, column);
    }
  }
  return difference;
}

/// Whether two outputs are alike at [row, column].
using Alike = std::function<bool(int64_t, int64_t)>;

/// The first output with elements that are not; `compare` makes the criterion
/// for a pair of them.
static std::optional<Difference> compareOutputs(
    const ProgramResult &expected, const ProgramResult &result,
    llvm::function_ref<Alike(const TokenArray &, const TokenArray &)> compare) {
  for (auto [index, left] : llvm::enumerate(expected.outputs)) {
    const TokenArray &right = result.outputs[index];
    if (left.bytes == right.bytes) {
      continue;
    }
    llvm::BitVector differs(left.rows);
    Difference difference =
        compareOutput(left, right, compare(left, right), differs);
    if (difference.count > 0) {
      difference.output = index;
      blame(result.routings, differs, difference);
      return difference;
    }
  }
  return std::nullopt;
}

std::optional<Difference>
moe::runner::compareResults(const ProgramResult &expected,
                            const ProgramResult &result) {
  for (auto [layer, left] : llvm::enumerate(expected.routings)) {
    if (auto difference = compareRouting(left, result.routings[layer])) {
      difference->layer = layer;
      return difference;
    }
  }
  return compareOutputs(
      expected, result,
      [](const TokenArray &left, const TokenArray &right) -> Alike {
        return [&left, &right](int64_t row, int64_t column) {
          return left.bits(row, column) == right.bits(row, column);
        };
      });
}

/// How far an element may be off in a row whose largest magnitude is `scale`.
static float toleranceAt(float scale, ElementType type) {
  constexpr float ofF32 = 1e-5f;
  // Of 8 bits, the first of which is not stored.
  constexpr int lastPlace = -7;
  if (type == ElementType::F32 || !(scale > 0)) {
    return ofF32 * scale;
  }
  return 2 * std::ldexp(1.0f, std::ilogb(scale) + lastPlace);
}

static std::vector<float> tolerancesOf(const TokenArray &array) {
  std::vector<float> tolerances;
  for (int64_t row = 0; row < array.rows; ++row) {
    float scale = 0;
    for (int64_t column = 0; column < array.columns; ++column) {
      scale = std::max(scale, std::fabs(array.value(row, column)));
    }
    tolerances.push_back(toleranceAt(scale, array.type));
  }
  return tolerances;
}

std::optional<Difference>
moe::runner::compareGivenRouting(const ProgramResult &expected,
                                 const ProgramResult &result) {
  return compareOutputs(
      expected, result,
      [](const TokenArray &left, const TokenArray &right) -> Alike {
        return [&left, &right,
                tolerances = tolerancesOf(left)](int64_t row, int64_t column) {
          return std::fabs(left.value(row, column) -
                           right.value(row, column)) <= tolerances[row];
        };
      });
}

std::string moe::runner::toString(const Difference &difference,
                                  llvm::StringRef slot) {
  if (difference.where == Difference::Where::Expert) {
    return formatv("routing differs at token {0}, choice {1}: expected expert "
                   "{2}, but got expert {3} in {4}; {5} of {6} choices differ",
                   difference.token, difference.column,
                   static_cast<int32_t>(difference.expectedBits),
                   static_cast<int32_t>(difference.bits), slot,
                   difference.count, difference.total);
  }
  bool isOutput = difference.where == Difference::Where::Output;
  std::string which = difference.output
                          ? formatv("output {0}", difference.output).str()
                          : "output";
  std::string place =
      isOutput ? formatv("{0} differs at [{1}, {2}]", which, difference.token,
                         difference.column)
                     .str()
               : formatv("routing weight differs at token {0}, choice {1}",
                         difference.token, difference.column)
                     .str();
  std::string culprit =
      difference.expert < 0
          ? "the token has no expert"
          : formatv("expert {0} in {1}", difference.expert, slot).str();
  unsigned digits = difference.width / 4 + 2;
  return formatv("{0}: expected {1} ({2}), but got {3} ({4}); {5}; {6} of {7} "
                 "{8} differ",
                 place, llvm::format_hex(difference.expectedBits, digits, true),
                 difference.expected,
                 llvm::format_hex(difference.bits, digits, true),
                 difference.value, culprit, difference.count, difference.total,
                 isOutput ? "values" : "choices");
}
