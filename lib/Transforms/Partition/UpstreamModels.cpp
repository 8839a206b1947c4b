// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sharding rules and local forms of the upstream operations that programs use.

#include "moe/Dialect/Comm/Comm.h"
#include "moe/Transforms/Partition/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::comm;

namespace {
/// A linalg operation: its parallel loops are the factors; a dimension that is
/// reduced, or not indexed by a plain loop, stays whole.
template <typename OpT>
struct LinalgRule
    : public ShardingRuleOpInterface::ExternalModel<LinalgRule<OpT>, OpT> {
  ShardingRule getShardingRule(Operation *op) const {
    auto linalgOp = cast<linalg::LinalgOp>(op);
    SmallVector<utils::IteratorType> loops = linalgOp.getIteratorTypesArray();
    ShardingRule rule;
    for (size_t loop = 0; loop < loops.size(); ++loop) {
      rule.addFactor();
    }
    auto dims = [&](OpOperand &operand) {
      SmallVector<int64_t> factors;
      AffineMap map = linalgOp.getMatchingIndexingMap(&operand);
      for (AffineExpr expr : map.getResults()) {
        auto loop = dyn_cast<AffineDimExpr>(expr);
        bool splits =
            loop && loops[loop.getPosition()] == utils::IteratorType::parallel;
        factors.push_back(splits ? int64_t(loop.getPosition())
                                 : ShardingRule::whole);
      }
      return factors;
    };
    for (OpOperand &operand : op->getOpOperands()) {
      if (isa<ShapedType>(operand.get().getType())) {
        rule.addUse(operand, dims(operand));
      }
    }
    for (OpResult result : op->getResults()) {
      rule.addValue(
          result, dims(*linalgOp.getDpsInitOperand(result.getResultNumber())));
    }
    return rule;
  }
};

/// An operation whose local form is itself on local values.
template <typename OpT>
struct CloneLocal
    : public PartitionOpInterface::ExternalModel<CloneLocal<OpT>, OpT> {
  LogicalResult partition(Operation *op, Partitioner &partitioner) const {
    if (op->getNumRegions() == 1 &&
        op->getRegion(0)
            .walk([](linalg::IndexOp) { return WalkResult::interrupt(); })
            .wasInterrupted()) {
      return op->emitError("cannot partition '")
             << op->getName() << "': its body reads global indices";
    }
    partitioner.cloneLocal(op);
    return success();
  }
};

/// An operation whose dimensions have nothing to do with one another.
template <typename OpT>
struct FreeRule
    : public ShardingRuleOpInterface::ExternalModel<FreeRule<OpT>, OpT> {
  ShardingRule getShardingRule(Operation *op) const {
    ShardingRule rule;
    for (Value result : op->getResults()) {
      auto shaped = dyn_cast<ShapedType>(result.getType());
      SmallVector<int64_t> dims;
      for (int64_t dim = 0; shaped && dim < shaped.getRank(); ++dim) {
        dims.push_back(rule.addFactor());
      }
      if (shaped) {
        rule.addValue(result, dims);
      }
    }
    return rule;
  }
};

struct PartitionEmpty
    : public PartitionOpInterface::ExternalModel<PartitionEmpty,
                                                 tensor::EmptyOp> {
  LogicalResult partition(Operation *op, Partitioner &partitioner) const {
    auto empty = cast<tensor::EmptyOp>(op);
    OpBuilder &builder = partitioner.getBuilder();
    ShardingAttr sharding = partitioner.getSharding(empty.getResult());
    SmallVector<OpFoldResult> extents;
    for (auto [dim, extent] : llvm::enumerate(empty.getMixedSizes())) {
      if (auto value = dyn_cast<Value>(extent)) {
        extent = partitioner.getLocal(value);
      }
      AxisListAttr none = AxisListAttr::get(op->getContext(), {});
      extents.push_back(partitioner.getLocalExtent(
          extent, sharding ? sharding.getDims()[dim] : none));
    }
    Value local = tensor::EmptyOp::create(builder, op->getLoc(), extents,
                                          empty.getType().getElementType());
    Type type = partitioner.getLocalType(empty.getResult());
    if (local.getType() != type) {
      local = tensor::CastOp::create(builder, op->getLoc(), type, local);
    }
    partitioner.mapLocal(empty.getResult(), local);
    return success();
  }
};

struct PartitionConstant
    : public PartitionOpInterface::ExternalModel<PartitionConstant,
                                                 arith::ConstantOp> {
  LogicalResult partition(Operation *op, Partitioner &partitioner) const {
    auto constant = cast<arith::ConstantOp>(op);
    Type type = partitioner.getLocalType(constant.getResult());
    if (type == constant.getType()) {
      partitioner.cloneLocal(op);
      return success();
    }
    auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
    auto shaped = cast<ShapedType>(type);
    if (!splat || !shaped.hasStaticShape()) {
      return op->emitError("cannot partition a constant tensor that is not "
                           "one value of a static part");
    }
    Value local = arith::ConstantOp::create(
        partitioner.getBuilder(), op->getLoc(),
        cast<TypedAttr>(
            SplatElementsAttr::get(shaped, splat.getSplatValue<Attribute>())));
    partitioner.mapLocal(constant.getResult(), local);
    return success();
  }
};

struct DimRule
    : public ShardingRuleOpInterface::ExternalModel<DimRule, tensor::DimOp> {
  ShardingRule getShardingRule(Operation *) const { return {}; }
};

/// The extent of a split dimension is that of the whole program.
struct PartitionDim
    : public PartitionOpInterface::ExternalModel<PartitionDim, tensor::DimOp> {
  LogicalResult partition(Operation *op, Partitioner &partitioner) const {
    auto dim = cast<tensor::DimOp>(op);
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!index) {
      return op->emitError("cannot partition tensor.dim of an index that is "
                           "not constant");
    }
    ShardingAttr sharding = partitioner.getSharding(dim.getSource());
    if (!sharding || sharding.getDims()[*index].empty()) {
      partitioner.cloneLocal(op);
      return success();
    }
    int64_t extent =
        cast<ShapedType>(dim.getSource().getType()).getDimSize(*index);
    Value global = partitioner.getTokens();
    if (!ShapedType::isDynamic(extent)) {
      global = arith::ConstantIndexOp::create(partitioner.getBuilder(),
                                              op->getLoc(), extent);
    }
    partitioner.mapLocal(dim.getResult(), global);
    return success();
  }
};

/// Tensor casts change static extents only.
struct CastRule
    : public ShardingRuleOpInterface::ExternalModel<CastRule, tensor::CastOp> {
  ShardingRule getShardingRule(Operation *op) const {
    ShardingRule rule;
    auto cast = mlir::cast<tensor::CastOp>(op);
    SmallVector<int64_t> dims;
    for (int64_t dim = 0;
         dim < mlir::cast<ShapedType>(cast.getType()).getRank(); ++dim) {
      dims.push_back(rule.addFactor());
    }
    rule.addUse(cast.getSourceMutable(), dims);
    rule.addValue(cast.getResult(), dims);
    return rule;
  }
};

/// Dimensions that become one stay whole; the others are what they were.
struct CollapseRule
    : public ShardingRuleOpInterface::ExternalModel<CollapseRule,
                                                    tensor::CollapseShapeOp> {
  ShardingRule getShardingRule(Operation *op) const {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    ShardingRule rule;
    SmallVector<int64_t> from(collapse.getSrcType().getRank(),
                              ShardingRule::whole);
    SmallVector<int64_t> to;
    for (ArrayRef<int64_t> group : collapse.getReassociationIndices()) {
      to.push_back(group.size() == 1 ? rule.addFactor() : ShardingRule::whole);
      if (group.size() == 1) {
        from[group.front()] = to.back();
      }
    }
    rule.addUse(collapse.getSrcMutable(), from);
    rule.addValue(collapse.getResult(), to);
    return rule;
  }
};

template <typename... OpTs> void attachLinalg(MLIRContext *context) {
  (OpTs::template attachInterface<LinalgRule<OpTs>, CloneLocal<OpTs>>(*context),
   ...);
}
} // namespace

void mlir::moe::registerPartitionExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, linalg::LinalgDialect *) {
    attachLinalg<
#define GET_OP_LIST
#include "mlir/Dialect/Linalg/IR/LinalgStructuredOps.cpp.inc"
        >(context);
  });
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    tensor::EmptyOp::attachInterface<FreeRule<tensor::EmptyOp>, PartitionEmpty>(
        *context);
    tensor::DimOp::attachInterface<DimRule, PartitionDim>(*context);
    tensor::CollapseShapeOp::attachInterface<
        CollapseRule, CloneLocal<tensor::CollapseShapeOp>>(*context);
    tensor::CastOp::attachInterface<CastRule, CloneLocal<tensor::CastOp>>(
        *context);
  });
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    arith::ConstantOp::attachInterface<FreeRule<arith::ConstantOp>,
                                       PartitionConstant>(*context);
  });
}
