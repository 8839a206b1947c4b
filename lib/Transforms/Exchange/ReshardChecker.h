// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds what a `comm.reshard` became in the operations that were emitted for
// it, and compares it with its plan.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_RESHARDCHECKER_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_RESHARDCHECKER_H

#include "ExchangeChecker.h"

namespace mlir::moe {

/// Checks C7 of moe-verify-communication: that the value of the record is made
/// from its source by the steps of its ReshardPlan and by nothing else. Claims
/// the collectives among them.
LogicalResult checkReshard(comm::ReshardedOp record, ClaimedOps &claimed);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_RESHARDCHECKER_H
