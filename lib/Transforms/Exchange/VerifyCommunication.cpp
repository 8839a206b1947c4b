// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerOrderChecker.h"
#include "ReshardChecker.h"
#include "moe/Transforms/Exchange/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYCOMMUNICATIONPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// C8: the counts of all ranks by which choices are dropped.
static LogicalResult checkCounts(LimitCapacityOp op, ClaimedOps &claimed) {
  if (!op.getTaken()) {
    return success();
  }
  auto rank = op.getRank().getDefiningOp<comm::RankOp>();
  auto first = op.getFirstToken().getDefiningOp<comm::LocalOffsetOp>();
  auto gather = op.getTaken().getDefiningOp<comm::AllGatherOp>();
  Value part = gather ? gather.getSource() : Value();
  auto expand = part ? part.getDefiningOp<tensor::ExpandShapeOp>() : nullptr;
  auto counts =
      expand ? expand.getSrc().getDefiningOp<CountChoicesOp>() : nullptr;
  bool matches = rank && first && counts &&
                 gather.getDestination().getDefiningOp<tensor::EmptyOp>() &&
                 rank.getAxes() == gather.getAxes() &&
                 first.getAxes() == gather.getAxes() &&
                 counts.getExpert() == op.getExpert() &&
                 counts.getFirstToken() == op.getFirstToken() &&
                 counts.getTokens() == op.getTokens();
  if (!matches) {
    return op.emitOpError("expected the counts of all ranks over the axes that "
                          "its rank and its first token are over");
  }
  claimed.insert(gather);
  return success();
}

/// C6, C9: what no plan has.
static LogicalResult checkPlanned(Operation *op) {
  if (isa<comm::CollectiveOpInterface>(op)) {
    return op->emitOpError("expected to be part of a layer's exchange, of a "
                           "recorded reshard or of a count of choices");
  }
  if (isa<comm::HostExtentOp, comm::CheckBoundOp>(op)) {
    return op->emitOpError("expected to be part of a layer's exchange");
  }
  return success();
}

namespace {
class VerifyCommunicationPass
    : public mlir::moe::impl::VerifyCommunicationPassBase<
          VerifyCommunicationPass> {
public:
  void runOnOperation() override {
    if (failed(verify(getOperation()))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }

private:
  static LogicalResult verify(ModuleOp module) {
    SymbolTableCollection symbols;
    SymbolUserMap users(symbols, module);
    ClaimedOps claimed;
    WalkResult result = module.walk([&](Operation *op) {
      return WalkResult(
          llvm::TypeSwitch<Operation *, LogicalResult>(op)
              .Case<DispatchLayoutOp, DispatchOp, CombineOp>(
                  [](Operation *left) { return rejectLeft(left); })
              .Case([&](AssignSlotsOp assign) {
                return checkExchange(assign, users, claimed);
              })
              .Case([&](comm::ReshardedOp record) {
                return checkReshard(record, claimed);
              })
              .Case([&](LimitCapacityOp limit) {
                return checkCounts(limit, claimed);
              })
              .Default(success()));
    });
    if (result.wasInterrupted()) {
      return failure();
    }
    result = module.walk([&](Operation *op) {
      return WalkResult(claimed.contains(op) ? success() : checkPlanned(op));
    });
    return failure(result.wasInterrupted() ||
                   failed(checkLayerOrder(module, users)));
  }

  /// C1
  static LogicalResult rejectLeft(Operation *op) {
    return emitError(op->getLoc(), "expected no '")
           << op->getName() << "' after moe-insert-all-to-all";
  }
};
} // namespace
