// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The groups of tokens that share a capacity, as lowerings of it see them.

#ifndef MOE_CONVERSION_MOETOLOOPS_CAPACITYGROUPS_H
#define MOE_CONVERSION_MOETOLOOPS_CAPACITYGROUPS_H

#include "moe/Conversion/MoEToLoops/LoopEmitter.h"

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {

/// The tokens of this rank, and all of them; indices.
struct TokenRange {
  Value first;
  Value local;
  Value global;
};

/// A group that has tokens here: [begin, end) of the local tokens, `size`
/// tokens on all ranks.
struct TokenGroup {
  Value number;
  Value begin;
  Value end;
  Value size;
};

/// The tokens of an op, which without ranks are all of them.
TokenRange tokensOf(LoopEmitter &e, LimitCapacityOp op);

/// Calls `body` once, in a loop over the groups that have tokens in `range`.
void eachGroup(LoopEmitter &e, CapacityGroupAttr group, TokenRange range,
               function_ref<void(TokenGroup)> body);

/// How many assignments of a group of `size` tokens an expert takes, an i32:
/// round(factor · size / experts) in f64, up to a multiple, at least the
/// minimum.
Value capacityOf(LoopEmitter &e, CapacityAttr capacity, Value size,
                 int64_t experts);

/// Writes the second result from the first: weights divided by the sum over
/// what survived; 0 where nothing did.
void renormalizeSurvivors(LimitCapacityOp op, LoopEmitter &e);

} // namespace mlir::moe

#endif // MOE_CONVERSION_MOETOLOOPS_CAPACITYGROUPS_H
