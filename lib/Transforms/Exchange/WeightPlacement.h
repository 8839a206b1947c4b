// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows and the matrices that they meet must be placed alike: a rank hosts the
// experts of one placement.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_WEIGHTPLACEMENT_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_WEIGHTPLACEMENT_H

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/IR/SymbolTable.h"

namespace mlir::moe {

/// Checks C10 of moe-verify-communication: what reads weights at the offsets of
/// slots `bySlot`, to which `assign` has sent rows.
LogicalResult checkWeightPlacements(AssignSlotsOp assign, Value bySlot,
                                    SymbolUserMap &users);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_WEIGHTPLACEMENT_H
