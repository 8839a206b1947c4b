// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYPARTITIONEDPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// C3
static LogicalResult verifyNoDecisions(Operation *op) {
  for (StringRef name :
       {comm::kResultShardingsAttrName, comm::kArgumentShardingsAttrName}) {
    if (op->hasAttr(name)) {
      return op->emitOpError("expected no '") << name << "' on a local program";
    }
  }
  auto function = dyn_cast<func::FuncOp>(op);
  if (!function) {
    return success();
  }
  for (unsigned index = 0; index < function.getNumArguments(); ++index) {
    if (function.getArgAttr(index, comm::kShardingAttrName)) {
      return emitError(op->getLoc(), "expected no '")
             << comm::kShardingAttrName << "' on argument " << index << " of '"
             << function.getSymName() << "', a local function";
    }
  }
  for (unsigned index = 0; index < function.getNumResults(); ++index) {
    if (function.getResultAttr(index, comm::kShardingAttrName)) {
      return emitError(op->getLoc(), "expected no '")
             << comm::kShardingAttrName << "' on result " << index << " of '"
             << function.getSymName() << "', a local function";
    }
  }
  return success();
}

/// C4
static LogicalResult verifySignature(func::FuncOp function) {
  ArrayRef<Type> arguments = function.getArgumentTypes();
  ArrayRef<Type> results = function.getResultTypes();
  bool matches = arguments.size() > results.size() &&
                 arguments.take_back(results.size()) == results &&
                 arguments.drop_back(results.size()).back().isIndex();
  if (matches) {
    return success();
  }
  return emitError(function.getLoc(), "expected '")
         << function.getSymName()
         << "' to end in the token count, of type 'index', and a destination "
            "for each of its "
         << results.size() << " results";
}

/// C5
static LogicalResult verifyLayout(DispatchLayoutOp op) {
  LayoutType layout = op.getLayout().getType();
  int64_t ranks = comm::getGroupSize(op, op.getMeshAttr(), op.getAxes());
  int64_t slots = getLocalSlots(op, op.getPlacement().getType().getExperts());
  if (layout.getRanks() == ranks && layout.getSlots() == slots) {
    return success();
  }
  return op.emitOpError("expected a layout of ")
         << ranks << " ranks x " << slots << " slots, but got "
         << layout.getRanks() << " x " << layout.getSlots();
}

static LogicalResult verifyLocal(Operation *op) {
  // C1, C2
  if (isa<ExpertsOp, comm::ReshardOp>(op)) {
    return emitError(op->getLoc(), "expected no '")
           << op->getName() << "' after partitioning";
  }
  if (failed(verifyNoDecisions(op))) {
    return failure();
  }
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    return verifySignature(function);
  }
  if (auto layout = dyn_cast<DispatchLayoutOp>(op)) {
    return verifyLayout(layout);
  }
  return success();
}

namespace {
class VerifyPartitionedPass
    : public mlir::moe::impl::VerifyPartitionedPassBase<VerifyPartitionedPass> {
public:
  void runOnOperation() override {
    WalkResult result = getOperation().walk<WalkOrder::PreOrder>(
        [](Operation *op) { return WalkResult(verifyLocal(op)); });
    if (result.wasInterrupted()) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
