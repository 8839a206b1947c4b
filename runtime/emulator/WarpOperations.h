// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpOperations.h - What the lanes of a warp do together --*- C++ -*-===//

#ifndef MOERT_EMULATOR_WARPOPERATIONS_H
#define MOERT_EMULATOR_WARPOPERATIONS_H

#include "emulator/KernelThread.h"

namespace moert::emulator {

/// Each lane's operands and results; WarpCall::mode is the mode.
struct ShuffleOperands {
  uint32_t value;
  uint32_t lane;
  uint32_t clamp;
  uint32_t site;
  uint32_t result = 0;
  bool inRange = false;
};

/// WarpCall::mode is the mode.
struct VoteOperands {
  bool predicate;
  uint32_t result = 0;
};

/// WarpCall::mode is modeOfReduce.
struct ReduceOperands {
  uint32_t value;
  uint32_t result = 0;
};
constexpr uint32_t modeOfReduce(uint32_t op, uint32_t type) {
  return op << 8 | type;
}

/// `count` loads of `matrices` matrices; WarpCall::mode tells both, and whether
/// they are transposed.
struct LoadMatrixOperands {
  uint32_t matrices;
  bool transposed;
  uint32_t count;
  const uint64_t *addresses;
  uint32_t *results;
  uint32_t site;
};

/// `count` products of m16n8k16; WarpCall::mode tells how many.
struct MultiplyOperands {
  const uint32_t *a;
  const uint32_t *b;
  const float *c;
  float *d;
  uint32_t count;
};

/// Does a call for the lanes, each of which waits with its operands.
void perform(Warp &warp, const WarpCall &call, uint32_t lanes);

/// The matrix instructions, in MatrixOperations.cpp.
void loadMatrices(Warp &warp, uint32_t lanes);
void multiply(Warp &warp, uint32_t lanes);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_WARPOPERATIONS_H
