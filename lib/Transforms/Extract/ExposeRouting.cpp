// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionChain.h"
#include "moe/Transforms/Extract/Passes.h"

#include "moe/Analysis/ModelLayers.h"

namespace mlir::moe {
#define GEN_PASS_DEF_EXPOSEROUTINGPASS
#include "moe/Transforms/Extract/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Makes functions return the routing of every layer that they lead to, in the
/// order in which the layers run: of those that they call, too.
class RoutingReturn {
public:
  explicit RoutingReturn(ModuleOp module) : symbols(module) {}

  /// Gives how many values `function` returns now beyond its own results.
  FailureOr<unsigned> visit(func::FuncOp function) {
    auto known = added.find(function);
    if (known != added.end()) {
      return known->second;
    }
    FailureOr<SmallVector<Value>> values = collect(function);
    if (failed(values) || failed(append(function, *values))) {
      return failure();
    }
    return added[function] = values->size();
  }

private:
  /// The routings inside a function, in order.
  FailureOr<SmallVector<Value>> collect(func::FuncOp function) {
    SmallVector<Operation *> steps;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<ExpertsOp, func::CallOp>(op)) {
        steps.push_back(op);
      }
    });
    SmallVector<Value> values;
    for (Operation *step : steps) {
      if (failed(collectFrom(step, function, values))) {
        return failure();
      }
    }
    return values;
  }

  /// The routings of one step; a call that has some is replaced.
  LogicalResult collectFrom(Operation *step, func::FuncOp function,
                            SmallVector<Value> &values) {
    if (auto experts = dyn_cast<ExpertsOp>(step)) {
      values.append({experts.getExpert(), experts.getWeight()});
      return verifyRunsOnce(step, function);
    }
    auto call = cast<func::CallOp>(step);
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    if (callee.isDeclaration()) {
      return success();
    }
    FailureOr<unsigned> count = visit(callee);
    if (failed(count) || *count == 0) {
      return count;
    }
    if (failed(verifyRunsOnce(step, function))) {
      return failure();
    }
    func::CallOp replacement =
        replaceCall(call, callee.getResultTypes(), call->getOperands());
    llvm::append_range(values, replacement.getResults().take_back(*count));
    return success();
  }

  /// What runs at times, or again and again, has no routing to return.
  static LogicalResult verifyRunsOnce(Operation *step, func::FuncOp function) {
    if (step->getParentOp() == function && function.getBody().hasOneBlock()) {
      return success();
    }
    return emitError(step->getLoc(), "expected layers of experts to run once, "
                                     "outside of loops and conditions, so that "
                                     "'")
           << function.getSymName() << "' can return their routing";
  }

  static LogicalResult append(func::FuncOp function, ArrayRef<Value> values) {
    for (Value value : values) {
      if (failed(function.insertResult(function.getNumResults(),
                                       value.getType(), nullptr))) {
        return failure();
      }
    }
    if (!values.empty()) {
      Operation *terminator = function.front().getTerminator();
      terminator->insertOperands(terminator->getNumOperands(), values);
    }
    return success();
  }

  SymbolTable symbols;
  DenseMap<Operation *, unsigned> added;
};
} // namespace

/// Says what the last `count` results are, and splits them as the tokens are.
static void markRouting(func::FuncOp function, unsigned count) {
  Builder builder(function.getContext());
  unsigned end = function.getNumResults();
  Attribute sharding =
      shardByToken(function.getResultAttr(0, comm::kShardingAttrName));
  for (unsigned index = end - count; index < end; ++index) {
    bool isExpert = (index - (end - count)) % 2 == 0;
    function.setResultAttr(
        index, kRoutingAttrName,
        builder.getStringAttr(isExpert ? "expert" : "weight"));
    if (sharding) {
      function.setResultAttr(index, comm::kShardingAttrName, sharding);
    }
  }
}

namespace {
struct ExposeRoutingPass
    : public mlir::moe::impl::ExposeRoutingPassBase<ExposeRoutingPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyNoRecursion(module))) {
      return signalPassFailure();
    }
    RoutingReturn routing(module);
    for (func::FuncOp root : getRootFunctions(module)) {
      FailureOr<unsigned> count = routing.visit(root);
      if (failed(count)) {
        return signalPassFailure();
      }
      markRouting(root, *count);
    }
  }
};
} // namespace
