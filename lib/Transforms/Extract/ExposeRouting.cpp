// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionChain.h"
#include "moe/Transforms/Extract/Passes.h"

namespace mlir::moe {
#define GEN_PASS_DEF_EXPOSEROUTINGPASS
#include "moe/Transforms/Extract/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
struct ExposeRoutingPass
    : public mlir::moe::impl::ExposeRoutingPassBase<ExposeRoutingPass> {
  void runOnOperation() override {
    FailureOr<ExpertsOp> experts = findOnlyExperts(getOperation());
    if (failed(experts)) {
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> function =
        returnToPublic((*experts)->getParentOfType<func::FuncOp>(),
                       {experts->getExpert(), experts->getWeight()});
    if (failed(function)) {
      return signalPassFailure();
    }
    Builder builder(&getContext());
    unsigned expert = function->getNumResults() - 2;
    function->setResultAttr(expert, kRoutingAttrName,
                            builder.getStringAttr("expert"));
    function->setResultAttr(expert + 1, kRoutingAttrName,
                            builder.getStringAttr("weight"));
    if (Attribute sharding =
            shardByToken(function->getResultAttr(0, comm::kShardingAttrName))) {
      function->setResultAttr(expert, comm::kShardingAttrName, sharding);
      function->setResultAttr(expert + 1, comm::kShardingAttrName, sharding);
    }
  }
};
} // namespace
