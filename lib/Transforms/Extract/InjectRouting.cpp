// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionChain.h"
#include "moe/Transforms/Extract/Passes.h"

namespace mlir::moe {
#define GEN_PASS_DEF_INJECTROUTINGPASS
#include "moe/Transforms/Extract/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// Erases the producers of `values` that nobody reads any more, and theirs.
static void eraseDeadProducers(SmallVector<Value> values) {
  while (!values.empty()) {
    Operation *producer = values.pop_back_val().getDefiningOp();
    if (!producer || !isOpTriviallyDead(producer)) {
      continue;
    }
    // An operand may be listed twice: its producer must be visited once.
    llvm::SmallSetVector<Value, 4> operands(producer->operand_begin(),
                                            producer->operand_end());
    llvm::append_range(values, operands);
    llvm::erase_if(
        values, [&](Value value) { return value.getDefiningOp() == producer; });
    producer->erase();
  }
}

namespace {
struct InjectRoutingPass
    : public mlir::moe::impl::InjectRoutingPassBase<InjectRoutingPass> {
  void runOnOperation() override {
    FailureOr<ExpertsOp> experts = findOnlyExperts(getOperation());
    if (failed(experts)) {
      return signalPassFailure();
    }
    auto block = (*experts)->getParentOfType<func::FuncOp>();
    SmallVector<Value> computed = {experts->getExpert(), experts->getWeight()};
    FailureOr<func::FuncOp> function =
        passFromPublic(block, {computed[0].getType(), computed[1].getType()});
    if (failed(function)) {
      return signalPassFailure();
    }
    auto given = block.getArguments().take_back(2);
    experts->getExpertMutable().assign(given[0]);
    experts->getWeightMutable().assign(given[1]);
    eraseDeadProducers(computed);

    Builder builder(&getContext());
    unsigned expert = function->getNumArguments() - 2;
    function->setArgAttr(expert, kRoutingAttrName,
                         builder.getStringAttr("expert"));
    function->setArgAttr(expert + 1, kRoutingAttrName,
                         builder.getStringAttr("weight"));
    if (Attribute sharding =
            shardByToken(function->getArgAttr(0, comm::kShardingAttrName))) {
      function->setArgAttr(expert, comm::kShardingAttrName, sharding);
      function->setArgAttr(expert + 1, comm::kShardingAttrName, sharding);
    }
  }
};
} // namespace
