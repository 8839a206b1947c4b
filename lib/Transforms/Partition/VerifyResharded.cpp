// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What must hold before a program is made local. Weights are left out: nothing
// can reshard them, and `moe.experts` says which of their splits it can use.

#include "ShardingState.h"

#include "moe/Dialect/MoE/MoE.h"

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;
using comm::ShardingAttr;
using comm::ShardingRule;

namespace {
/// Compares each value of an operation with what the operation needs.
class ReshardedVerifier {
public:
  ReshardedVerifier(ModuleOp module, comm::MeshOp mesh)
      : module(module), mesh(mesh) {}

  LogicalResult run(func::FuncOp function) {
    WalkResult walk = function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op == function) {
        return WalkResult::advance();
      }
      if (failed(verify(op))) {
        return WalkResult::interrupt();
      }
      // Bodies of other operations work on scalars.
      return isa<ExpertsOp>(op) ? WalkResult::advance() : WalkResult::skip();
    });
    return failure(walk.wasInterrupted());
  }

private:
  LogicalResult verify(Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      LogicalResult matches = verifyCall(call, callee);
      if (failed(matches) || !callee.isDeclaration()) {
        return matches;
      }
    }
    if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
      ShardingAttr from = reshard.getFrom().value_or(ShardingAttr());
      return failure(failed(expect(op, reshard.getSource(), from)) ||
                     failed(expect(op, reshard.getResult(), reshard.getTo())));
    }
    if (isa<func::ReturnOp>(op)) {
      auto function = op->getParentOfType<func::FuncOp>();
      return expectAll(op, op->getOperands(), [&](unsigned index) {
        return function.getResultAttrOfType<ShardingAttr>(
            index, comm::kShardingAttrName);
      });
    }
    FailureOr<ShardingRule> rule = getRule(op);
    return failed(rule) ? failure() : verifyRule(op, *rule);
  }

  LogicalResult verifyCall(func::CallOp call, func::FuncOp callee) {
    LogicalResult operands =
        expectAll(call, call.getOperands(), [&](unsigned index) {
          return callee.getArgAttrOfType<ShardingAttr>(index,
                                                       comm::kShardingAttrName);
        });
    if (failed(operands)) {
      return failure();
    }
    return expectAll(call, call.getResults(), [&](unsigned index) {
      return callee.getResultAttrOfType<ShardingAttr>(index,
                                                      comm::kShardingAttrName);
    });
  }

  LogicalResult verifyRule(Operation *op, const ShardingRule &rule) {
    SmallVector<AxisListAttr> axes(rule.factors.size());
    auto none = AxisListAttr::get(module.getContext(), {});
    for (const ShardingRule::Participant &one : rule.participants) {
      if (!isa<RankedTensorType>(one.value.getType())) {
        continue;
      }
      SmallVector<AxisListAttr> wanted = getDimensions(
          ShardingAttributes::get(one.value), one.value.getType());
      for (auto [dim, factor] : llvm::zip_equal(wanted, one.factors)) {
        if (factor == ShardingRule::whole) {
          dim = none;
          continue;
        }
        axes[factor] = axes[factor] ? axes[factor] : dim;
        dim = axes[factor];
      }
      if (failed(expect(
              op, one.value,
              ShardingAttr::get(module.getContext(), meshName(), wanted)))) {
        return failure();
      }
    }
    for (auto [index, factor] : llvm::enumerate(rule.factors)) {
      AxisListAttr split = axes[index] ? axes[index] : none;
      auto isSplit = [&](comm::AxisRefAttr axis) {
        return llvm::is_contained(split.getAxes(), axis);
      };
      if (factor.required &&
          !llvm::all_of(factor.required.getAxes(), isSplit)) {
        return emitError(op->getLoc(), "expected '")
               << op->getName() << "' to be split over " << factor.required
               << ", but got " << split << advice;
      }
      if (!comm::canSplit(rule, index, mesh.getAxisListSize(split))) {
        return emitError(op->getLoc(), "expected '")
               << op->getName() << "' on whole granules of " << factor.granule
               << ", but got a split over " << split << advice;
      }
    }
    return success();
  }

  template <typename GetT>
  LogicalResult expectAll(Operation *op, ValueRange values, GetT get) {
    for (auto [index, value] : llvm::enumerate(values)) {
      if (failed(expect(op, value, get(index)))) {
        return failure();
      }
    }
    return success();
  }

  /// Checks that a tensor is spread as `op` wants it; null: whole.
  LogicalResult expect(Operation *op, Value value, ShardingAttr wanted) {
    if (!isa<RankedTensorType>(value.getType())) {
      return success();
    }
    ShardingAttr found = ShardingAttributes::get(value);
    if (found && failed(verifyMesh(mesh, found, op))) {
      return failure();
    }
    SmallVector<AxisListAttr> is = getDimensions(found, value.getType());
    SmallVector<AxisListAttr> should = getDimensions(wanted, value.getType());
    if (is == should) {
      return success();
    }
    MLIRContext *context = module.getContext();
    return emitError(op->getLoc(), "expected '")
           << op->getName() << "' on a value spread as "
           << ShardingAttr::get(context, meshName(), should) << ", but got "
           << ShardingAttr::get(context, meshName(), is) << advice;
  }

  FlatSymbolRefAttr meshName() {
    return FlatSymbolRefAttr::get(mesh.getSymNameAttr());
  }

  static constexpr StringLiteral advice =
      "; run comm-propagate-sharding and comm-insert-reshard before";

  ModuleOp module;
  comm::MeshOp mesh;
};
} // namespace

LogicalResult mlir::moe::verifyResharded(ModuleOp module, comm::MeshOp mesh) {
  ReshardedVerifier verifier(module, mesh);
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (failed(verifier.run(function))) {
      return failure();
    }
  }
  return success();
}
