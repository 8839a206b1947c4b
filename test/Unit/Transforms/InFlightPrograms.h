// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs with collectives in flight, and what they mean.

#ifndef MOE_TEST_UNIT_TRANSFORMS_INFLIGHTPROGRAMS_H
#define MOE_TEST_UNIT_TRANSFORMS_INFLIGHTPROGRAMS_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <functional>
#include <ostream>
#include <vector>

namespace mlir::moe::test {

inline constexpr int64_t ranks = 3, rows = 9, columns = 5;

/// One rank's rows, row-major.
using Rows = std::vector<float>;
/// Those of all ranks.
using World = std::vector<Rows>;

/// What a program gets, on all ranks, and what it returns.
struct Inputs {
  World x, y;
  int64_t turns;
};
struct Outputs {
  World first, second;
};

/// A program as text, and what it means.
struct InFlightProgram {
  const char *name;
  /// From %x, %y and %z (rows), %s and %r (offsets of three rows a rank), %n
  /// (turns), %once (whether that is 1) and constants to %first and %second.
  /// `ROWS`, `OFFSETS`, `START d, t = x -> y` and `WAIT w = t, x -> d` stand
  /// for what is long.
  const char *text;
  std::function<Outputs(const Inputs &)> meaning;
};

inline void PrintTo(const InFlightProgram &program, std::ostream *os) {
  *os << program.name;
}

llvm::ArrayRef<InFlightProgram> getInFlightPrograms();

/// Rows of one value on every rank.
World fill(float value);

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_TRANSFORMS_INFLIGHTPROGRAMS_H
