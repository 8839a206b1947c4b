// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function an op: each writes the loops of an op on buffers, for which
// `whyNotLoops` found no reason against it.

#ifndef MOE_CONVERSION_MOETOLOOPS_LOWERINGS_H
#define MOE_CONVERSION_MOETOLOOPS_LOWERINGS_H

#include "moe/Conversion/MoEToLoops/LoopEmitter.h"

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {

/// Why an op on buffers cannot become loops; none where it can.
std::optional<std::string> whyNotLoops(BufferFormOpInterface op);

// Scores.cpp
void lowerToLoops(ScoreOp op, LoopEmitter &e);
// Selection.cpp
void lowerToLoops(SelectOp op, LoopEmitter &e);
// Weights.cpp
void lowerToLoops(WeighOp op, LoopEmitter &e);
// Capacity.cpp
void lowerToLoops(LimitCapacityOp op, LoopEmitter &e);
void lowerToLoops(CountChoicesOp op, LoopEmitter &e);
// Layout.cpp
void lowerToLoops(AssignSlotsOp op, LoopEmitter &e);
void lowerToLoops(CountOffsetsOp op, LoopEmitter &e);
void lowerToLoops(SlotPositionsOp op, LoopEmitter &e);
// Rows.cpp
void lowerToLoops(SpreadRowsOp op, LoopEmitter &e);
void lowerToLoops(PermuteRowsOp op, LoopEmitter &e);
void lowerToLoops(CombineRowsOp op, LoopEmitter &e);
void lowerToLoops(GroupedOuterProductOp op, LoopEmitter &e);

} // namespace mlir::moe

#endif // MOE_CONVERSION_MOETOLOOPS_LOWERINGS_H
