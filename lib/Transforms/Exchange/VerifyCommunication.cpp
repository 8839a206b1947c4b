// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ExchangeChecker.h"
#include "moe/Analysis/AxisParts.h"
#include "moe/Transforms/Exchange/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYCOMMUNICATIONPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;

// The lists of axes over which the program splits something: ranks hold the
// parts in this order.
static llvm::DenseSet<Attribute> collectSplits(ModuleOp module) {
  llvm::DenseSet<Attribute> splits;
  module.walk([&](Operation *op) {
    if (auto query = dyn_cast<comm::RankDependentOpInterface>(op)) {
      splits.insert(query.getRankAxes());
    }
    if (auto use = dyn_cast<UseWeightOp>(op); use && use.getSharding()) {
      for (AxisListAttr dim : use.getSharding()->getDims()) {
        splits.insert(dim);
      }
    }
  });
  return splits;
}

namespace {
/// Collectives that no exchange has: those that change a sharding and those
/// that tell ranks each other's counts of choices.
class GatherChecker {
public:
  explicit GatherChecker(ModuleOp module) : splits(collectSplits(module)) {}

  LogicalResult check(comm::CollectiveOpInterface op) {
    switch (op.getCollectiveKind()) {
    case comm::CollectiveKind::AllToAll:
    case comm::CollectiveKind::AllToAllV:
      return op->emitOpError(
          "expected all-to-alls to be part of a layer's exchange");
    case comm::CollectiveKind::AllGatherV:
      if (failed(checkOffsets(op))) {
        return failure();
      }
      [[fallthrough]];
    default:
      break;
    }
    if (!splits.contains(op.getAxesAttr())) {
      return op->emitOpError("expected axes over which something is split in "
                             "this order, but got ")
             << toString(op.getAxesAttr());
    }
    if (!op.getCollectiveDestination().getDefiningOp<tensor::EmptyOp>()) {
      return op->emitOpError("expected a destination that holds nothing else");
    }
    return checkOnce(op);
  }

  /// C8
  static LogicalResult check(LimitCapacityOp op) {
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
                   rank.getAxes() == gather.getAxes() &&
                   first.getAxes() == gather.getAxes() &&
                   counts.getExpert() == op.getExpert() &&
                   counts.getFirstToken() == op.getFirstToken() &&
                   counts.getTokens() == op.getTokens();
    return matches ? success()
                   : op.emitOpError(
                         "expected the counts of all ranks over the axes that "
                         "its rank and its first token are over");
  }

private:
  /// C7: rows are gathered as they are shared out.
  static LogicalResult checkOffsets(comm::CollectiveOpInterface op) {
    auto offsets =
        op.getCollectiveReads()[1].getDefiningOp<comm::ShardOffsetsOp>();
    auto space = op.getCollectiveDestination().getDefiningOp<tensor::EmptyOp>();
    bool matches = offsets && space && offsets.getAxes() == op.getAxesAttr() &&
                   isEqualConstantIntOrValue(space.getMixedSizes().front(),
                                             OpFoldResult(offsets.getExtent()));
    return matches ? success()
                   : op->emitOpError("expected the offsets and the space of "
                                     "rows that are shared out over ")
                         << toString(op.getAxesAttr());
  }

  /// C9: what is there already need not come again.
  LogicalResult checkOnce(comm::CollectiveOpInterface op) {
    for (Operation *user : op.getCollectiveReads().front().getUsers()) {
      auto other = dyn_cast<comm::CollectiveOpInterface>(user);
      if (other && user != op && user->getBlock() == op->getBlock() &&
          user->isBeforeInBlock(op) &&
          other.getCollectiveKind() == op.getCollectiveKind() &&
          other.getAxesAttr() == op.getAxesAttr() &&
          other.getCollectiveReads() == op.getCollectiveReads()) {
        InFlightDiagnostic diagnostic =
            op->emitOpError("expected nothing to be moved twice");
        diagnostic.attachNote(user->getLoc()) << "it was moved here";
        return diagnostic;
      }
    }
    return success();
  }

  llvm::DenseSet<Attribute> splits;
};

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
      // C1
      if (isa<DispatchLayoutOp, DispatchOp, CombineOp>(op)) {
        emitError(op->getLoc(), "expected no '")
            << op->getName() << "' after moe-insert-all-to-all";
        return WalkResult::interrupt();
      }
      auto assign = dyn_cast<AssignSlotsOp>(op);
      return WalkResult(assign ? checkExchange(assign, users, claimed)
                               : success());
    });
    return failure(result.wasInterrupted() ||
                   failed(verifyOthers(module, claimed)));
  }

  static LogicalResult verifyOthers(ModuleOp module,
                                    const ClaimedOps &claimed) {
    GatherChecker gathers(module);
    WalkResult result = module.walk([&](Operation *op) {
      if (claimed.contains(op)) {
        return WalkResult::advance();
      }
      if (auto collective = dyn_cast<comm::CollectiveOpInterface>(op)) {
        return WalkResult(gathers.check(collective));
      }
      if (auto limit = dyn_cast<LimitCapacityOp>(op)) {
        return WalkResult(GatherChecker::check(limit));
      }
      // C6
      if (isa<comm::HostExtentOp, comm::CheckBoundOp>(op)) {
        op->emitOpError("expected to be part of a layer's exchange");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};
} // namespace
