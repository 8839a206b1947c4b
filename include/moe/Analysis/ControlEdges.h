// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where control goes on after an operation, what it carries along, and what
// decides about it: the same for branches between blocks and for operations
// with regions, of any dialect.

#ifndef MOE_ANALYSIS_CONTROLEDGES_H
#define MOE_ANALYSIS_CONTROLEDGES_H

#include "mlir/IR/Dominance.h"
#include "mlir/IR/Operation.h"

namespace mlir::moe {

/// A way from one operation to where control goes on: into a region, out of
/// one, or to another block. `operands[i]` becomes `inputs[i]` there.
struct ControlEdge {
  /// The operation that branches, for diagnostics.
  Operation *branch;
  OperandRange operands;
  ValueRange inputs;
  /// The first operation behind the edge.
  Operation *target;
};

/// The ways on from a branch, a terminator of a region, or an operation whose
/// regions are branches and loops. None: control goes on to the next operation,
/// or leaves the function.
SmallVector<ControlEdge> getControlEdges(Operation *op);

/// The operands that no way carries on: conditions, bounds, selectors. Nothing
/// for an operation without ways on.
SmallVector<Value> getDecidingOperands(Operation *op);

/// All values that decide whether, and how often, the regions of an operation
/// run: its own and those of the terminators inside.
SmallVector<Value> getDecidingValues(Operation *op);

/// Something that decides whether an operation runs.
struct Decision {
  Operation *branch;
  Value value;
};

/// What decides whether `op` runs, and how often, within its function.
SmallVector<Decision> getDecisions(Operation *op, PostDominanceInfo &dominance);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_CONTROLEDGES_H
