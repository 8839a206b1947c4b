// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each operation is as calls of the runtime. A lowering puts the calls
// where the builder stands and replaces the operation's results; the caller
// erases it.

#ifndef MOE_LIB_CONVERSION_COMMTORUNTIME_LOWERINGS_H
#define MOE_LIB_CONVERSION_COMMTORUNTIME_LOWERINGS_H

#include "moe/Conversion/CommToRuntime/RuntimeCalls.h"

namespace mlir::moe {

// Shares.cpp
LogicalResult lowerToRuntime(comm::RankOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::LocalOffsetOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::LocalExtentOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::ShardOffsetsOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);

// Bounds.cpp
LogicalResult lowerToRuntime(comm::HostExtentOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::CheckBoundOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::FaultWordsOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);

// Collectives.cpp. They fail on buffers with gaps and on what the runtime
// cannot reduce.
LogicalResult lowerToRuntime(comm::BarrierOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::AllReduceOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::ReduceScatterOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::StartOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(comm::WaitOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
/// A collective without a reduction.
LogicalResult lowerToRuntime(comm::CollectiveOpInterface op,
                             ImplicitLocOpBuilder &b, RuntimeCalls &calls);

// Handles.cpp
LogicalResult lowerToRuntime(UseWeightOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(UsePlacementOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);
LogicalResult lowerToRuntime(PlacementTableOp op, ImplicitLocOpBuilder &b,
                             RuntimeCalls &calls);

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_COMMTORUNTIME_LOWERINGS_H
