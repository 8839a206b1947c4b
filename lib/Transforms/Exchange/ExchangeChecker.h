// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the exchange of a layer again in the operations that were emitted for
// it, and compares it with its plan.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_EXCHANGECHECKER_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_EXCHANGECHECKER_H

#include "PlannedExchange.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::moe {

/// Operations that belong to an exchange or to a reshard.
using ClaimedOps = llvm::DenseSet<Operation *>;

/// Checks C2 to C6 and C10 of moe-verify-communication from the operation that
/// counts a layer's rows on, and claims what takes part.
LogicalResult checkExchange(AssignSlotsOp assign, SymbolUserMap &users,
                            ClaimedOps &claimed);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_EXCHANGECHECKER_H
