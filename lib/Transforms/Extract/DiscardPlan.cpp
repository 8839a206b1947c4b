// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Transforms/Extract/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {
#define GEN_PASS_DEF_DISCARDPLANPASS
#include "moe/Transforms/Extract/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

static void discardShardings(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    function.removeArgAttr(i, comm::kShardingAttrName);
  }
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    function.removeResultAttr(
        i, StringAttr::get(function.getContext(), comm::kShardingAttrName));
  }
}

static void discardDecisions(Operation *op) {
  op->removeDiscardableAttr(comm::kResultShardingsAttrName);
  op->removeDiscardableAttr(comm::kArgumentShardingsAttrName);
  op->removeDiscardableAttr(kExchangeAttrName);
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    discardShardings(function);
  } else if (auto experts = dyn_cast<ExpertsOp>(op)) {
    experts.removeAxesAttr();
    experts.removeMeshAttr();
    experts.removeExchangeAttr();
  } else if (auto weight = dyn_cast<UseWeightOp>(op)) {
    weight.removePlacementAttr();
    weight.removeShardingAttr();
  } else if (auto placement = dyn_cast<UsePlacementOp>(op)) {
    placement.removePlacementAttr();
  } else if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
    reshard.replaceAllUsesWith(reshard.getSource());
    reshard.erase();
  }
}

namespace {
struct DiscardPlanPass
    : public mlir::moe::impl::DiscardPlanPassBase<DiscardPlanPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    module.walk([](Operation *op) { discardDecisions(op); });
    module->removeDiscardableAttr(kPlanAttrName);
    for (Operation &op : llvm::make_early_inc_range(module.getOps())) {
      if (isa<PlacementOp, ExchangeOp, comm::MeshOp, comm::TopologyOp>(op)) {
        op.erase();
      }
    }
  }
};
} // namespace
