// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShardingState.h"
#include "moe/Transforms/Partition/Passes.h"

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {
#define GEN_PASS_DEF_INSERTRESHARDPASS
#include "moe/Transforms/Partition/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;
using comm::AxisRefAttr;
using comm::ShardingAttr;
using comm::ShardingRule;

namespace {
/// Makes one operation after the other agree with its rule, in program order:
/// its factors take the axes of its results, its operands follow.
class ReshardInserter {
public:
  ReshardInserter(ModuleOp module, comm::MeshOp mesh)
      : module(module), meshOp(mesh),
        mesh(FlatSymbolRefAttr::get(mesh.getSymNameAttr())) {}

  LogicalResult run() {
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      if (!function.isDeclaration() &&
          failed(run(function.getBody().front()))) {
        return failure();
      }
    }
    return success();
  }

private:
  LogicalResult run(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (failed(run(&op))) {
        return failure();
      }
    }
    return success();
  }

  LogicalResult run(Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      if (!callee.isDeclaration() || declared.contains(callee)) {
        matchCall(call, callee);
        return success();
      }
    }
    if (auto ret = dyn_cast<func::ReturnOp>(op)) {
      matchReturn(ret);
      return success();
    }
    if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
      matchReshard(reshard);
      return success();
    }
    FailureOr<ShardingRule> rule = getRule(op);
    if (failed(rule)) {
      return failure();
    }
    SmallVector<AxisListAttr> axes = decideFactors(*rule);
    for (const ShardingRule::Participant &one : rule->participants) {
      if (!one.use) {
        ShardingAttributes::set(one.value, toSharding(one, axes));
      }
    }
    // The uses of a terminator inside op's region come after its body.
    auto inBody = [&](const ShardingRule::Participant &one) {
      return one.use && one.use->getOwner() != op;
    };
    for (const ShardingRule::Participant &one : rule->participants) {
      if (one.use && !inBody(one)) {
        match(*one.use, toSharding(one, axes));
      }
    }
    if (auto call = dyn_cast<func::CallOp>(op)) {
      declareLike(call);
    }
    if (!isa<ExpertsOp>(op)) {
      return success();
    }
    if (failed(run(op->getRegion(0).front()))) {
      return failure();
    }
    for (const ShardingRule::Participant &one : rule->participants) {
      if (inBody(one)) {
        match(*one.use, toSharding(one, axes));
      }
    }
    return success();
  }

  /// The axes of dimension `dim` of a value; empty where it is whole.
  AxisListAttr axesOf(Value value, size_t dim) {
    ShardingAttr sharding = ShardingAttributes::get(value);
    return sharding ? sharding.getDims()[dim]
                    : AxisListAttr::get(module.getContext(), {});
  }

  /// The axes of each factor: those of the results where there are results,
  /// else of the first operand, plus what the factor requires. No axis splits
  /// two factors, and no granule is split: such a factor is whole.
  SmallVector<AxisListAttr> decideFactors(const ShardingRule &rule) {
    SmallVector<AxisListAttr> axes(rule.factors.size());
    auto take = [&](bool operands) {
      for (const ShardingRule::Participant &one : rule.participants) {
        if ((one.use != nullptr) != operands) {
          continue;
        }
        for (auto [dim, factor] : llvm::enumerate(one.factors)) {
          if (factor != ShardingRule::whole && !axes[factor]) {
            axes[factor] = axesOf(one.value, dim);
          }
        }
      }
    };
    take(/*operands=*/false);
    take(/*operands=*/true);
    SmallVector<AxisRefAttr> used;
    for (auto [factor, list] : llvm::zip_equal(rule.factors, axes)) {
      SmallVector<AxisRefAttr> kept;
      auto keep = [&](AxisListAttr from) {
        for (AxisRefAttr axis :
             from ? from.getAxes() : ArrayRef<AxisRefAttr>()) {
          if (llvm::none_of(used, [&](AxisRefAttr other) {
                return axis.overlaps(other);
              })) {
            used.push_back(axis);
            kept.push_back(axis);
          }
        }
      };
      keep(list);
      keep(factor.required);
      list = AxisListAttr::get(module.getContext(), kept);
    }
    for (auto [factor, list] : llvm::enumerate(axes)) {
      if (!comm::canSplit(rule, factor, meshOp.getAxisListSize(list))) {
        list = AxisListAttr::get(module.getContext(), {});
      }
    }
    return axes;
  }

  ShardingAttr toSharding(const ShardingRule::Participant &one,
                          ArrayRef<AxisListAttr> axes) {
    AxisListAttr none = AxisListAttr::get(module.getContext(), {});
    SmallVector<AxisListAttr> dims;
    for (int64_t factor : one.factors) {
      dims.push_back(factor == ShardingRule::whole ? none : axes[factor]);
    }
    return ShardingAttr::get(module.getContext(), mesh, dims);
  }

  ShardingAttr current(Value value) {
    return orWhole(ShardingAttributes::get(value), value.getType());
  }

  /// Makes a use see `wanted`.
  void match(OpOperand &use, ShardingAttr wanted) {
    Value value = use.get();
    if (!isa<RankedTensorType>(value.getType()) || current(value) == wanted) {
      return;
    }
    OpBuilder builder(use.getOwner());
    auto reshard =
        comm::ReshardOp::create(builder, use.getOwner()->getLoc(),
                                value.getType(), value, current(value), wanted);
    ShardingAttributes::set(reshard.getResult(), wanted);
    use.set(reshard.getResult());
  }

  ShardingAttr orWhole(ShardingAttr sharding, Type type) {
    return ShardingAttr::get(module.getContext(), mesh,
                             getDimensions(sharding, type));
  }

  /// A reshard that the user wrote: says where it starts from, or starts from
  /// there.
  void matchReshard(comm::ReshardOp reshard) {
    if (std::optional<ShardingAttr> from = reshard.getFrom()) {
      match(reshard.getSourceMutable(), *from);
    } else {
      reshard.setFromAttr(current(reshard.getSource()));
    }
    ShardingAttributes::set(reshard.getResult(), reshard.getTo());
  }

  /// A declared function is one function on every rank: it takes its arguments
  /// as its first call gives them, and other calls follow.
  void declareLike(func::CallOp call) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    declared.insert(callee);
    auto name = StringAttr::get(module.getContext(), comm::kShardingAttrName);
    for (OpOperand &operand : call->getOpOperands()) {
      unsigned index = operand.getOperandNumber();
      ShardingAttr sharding = ShardingAttributes::get(operand.get());
      if (sharding) {
        callee.setArgAttr(index, name, sharding);
      } else {
        callee.removeArgAttr(index, name);
      }
    }
    for (OpResult result : call->getResults()) {
      if (ShardingAttr sharding = ShardingAttributes::get(result)) {
        callee.setResultAttr(result.getResultNumber(), name, sharding);
      } else {
        callee.removeResultAttr(result.getResultNumber(), name);
      }
    }
  }

  void matchCall(func::CallOp call, func::FuncOp callee) {
    for (OpOperand &operand : call->getOpOperands()) {
      if (isa<ShapedType>(operand.get().getType())) {
        auto wanted = callee.getArgAttrOfType<ShardingAttr>(
            operand.getOperandNumber(), comm::kShardingAttrName);
        match(operand, orWhole(wanted, operand.get().getType()));
      }
    }
    for (auto [index, result] : llvm::enumerate(call.getResults())) {
      ShardingAttributes::set(result, callee.getResultAttrOfType<ShardingAttr>(
                                          index, comm::kShardingAttrName));
    }
  }

  void matchReturn(func::ReturnOp ret) {
    auto function = ret->getParentOfType<func::FuncOp>();
    for (OpOperand &operand : ret->getOpOperands()) {
      if (!isa<ShapedType>(operand.get().getType())) {
        continue;
      }
      auto wanted = function.getResultAttrOfType<ShardingAttr>(
          operand.getOperandNumber(), comm::kShardingAttrName);
      match(operand, orWhole(wanted, operand.get().getType()));
    }
  }

  ModuleOp module;
  comm::MeshOp meshOp;
  FlatSymbolRefAttr mesh;
  /// Declared functions whose shardings their first call has decided.
  llvm::SmallPtrSet<Operation *, 4> declared;
};

struct InsertReshardPass
    : public mlir::moe::impl::InsertReshardPassBase<InsertReshardPass> {
  void runOnOperation() override {
    comm::MeshOp mesh = findModuleMesh(getOperation());
    if (!mesh) {
      return signalPassFailure();
    }
    if (failed(ReshardInserter(getOperation(), mesh).run())) {
      signalPassFailure();
    }
  }
};
} // namespace
