// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites one operation after the other into calls of the runtime.

#include "Lowerings.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

static LogicalResult lower(Operation *op, RuntimeCalls &calls) {
  // Their lowerings are loops over elements.
  if (calls.getMemory() == BufferMemory::Device &&
      isa<comm::CheckBoundOp, comm::ShardOffsetsOp>(op)) {
    return op->emitOpError("works on elements, which are in a device's memory");
  }
  ImplicitLocOpBuilder b(op->getLoc(), op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<comm::RankOp, comm::LocalExtentOp, comm::LocalOffsetOp,
            comm::ShardOffsetsOp, comm::HostExtentOp, comm::CheckBoundOp,
            comm::FaultWordsOp, comm::BarrierOp, comm::AllReduceOp,
            comm::ReduceScatterOp, comm::StartOp, comm::WaitOp,
            comm::CollectiveOpInterface, UseWeightOp, UsePlacementOp,
            PlacementTableOp>(
          [&](auto ours) { return lowerToRuntime(ours, b, calls); })
      .Case<PhaseOp>([&](auto phase) {
        calls.call(b, "phase",
                   {calls.i32(b, static_cast<int64_t>(phase.getKind()))});
        return success();
      })
      .Case<EnterLayerOp>([&](auto enter) {
        calls.call(b, "layer", {calls.i32(b, enter.getLayer())});
        return success();
      })
      .Default([](Operation *op) {
        return op->emitError("cannot lower '")
               << op->getName() << "' to the runtime";
      });
}

LogicalResult mlir::moe::convertToRuntimeCalls(ModuleOp module,
                                               RuntimeCalls &calls) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    bool isOurs = isa<comm::CommDialect, MoEDialect>(op->getDialect());
    bool isSymbol = isa<SymbolOpInterface>(op);
    if (isOurs && !isSymbol) {
      ops.push_back(op);
    }
  });
  for (Operation *op : ops) {
    if (failed(lower(op, calls))) {
      return failure();
    }
    op->erase();
  }
  return success();
}
