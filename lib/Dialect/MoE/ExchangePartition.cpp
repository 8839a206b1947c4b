// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exchanges that are written by hand in a planned program, such as those of a
// backward pass, on one rank.

#include "moe/Dialect/MoE/BufferForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ShardingRule;

static constexpr int64_t whole = ShardingRule::whole;

/// The layout's op; null where it is handed in from elsewhere.
static DispatchLayoutOp getOrigin(Value layout) {
  return layout.getDefiningOp<DispatchLayoutOp>();
}

/// A factor for tokens, which are at home on one of the ranks that exchange.
static int64_t addTokens(ShardingRule &rule, DispatchLayoutOp layout) {
  int64_t token = rule.addFactor();
  if (layout) {
    rule.factors[token].required = layout.getAxes();
  }
  return token;
}

//===----------------------------------------------------------------------===//
// moe.dispatch_layout
//===----------------------------------------------------------------------===//

ShardingRule DispatchLayoutOp::getShardingRule() {
  ShardingRule rule;
  rule.addUse(getExpertMutable(), {addTokens(rule, *this), whole});
  return rule;
}

LogicalResult DispatchLayoutOp::partition(comm::Partitioner &partitioner) {
  OpBuilder &builder = partitioner.getBuilder();
  comm::ShardingAttr sharding = partitioner.getSharding(getExpert());
  Operation *local = partitioner.cloneLocal(*this);
  if (!sharding || sharding.getDims()[0].empty()) {
    return success();
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(local);
  Value before = comm::LocalOffsetOp::create(
      builder, getLoc(), builder.getIndexType(), partitioner.getTokens(),
      sharding.getDims()[0], getMeshAttr());
  auto layout = cast<DispatchLayoutOp>(local);
  Value first = layout.getFirstToken();
  layout.getFirstTokenMutable().assign(
      isConstantIntValue(first, 0)
          ? before
          : arith::AddIOp::create(builder, getLoc(), first, before));
  return success();
}

//===----------------------------------------------------------------------===//
// moe.dispatch, moe.combine
//===----------------------------------------------------------------------===//

ShardingRule DispatchOp::getShardingRule() {
  ShardingRule rule;
  int64_t token = addTokens(rule, getOrigin(getLayout()));
  rule.addUse(getXMutable(), {token, whole});
  if (getWeight()) {
    rule.addUse(getWeightMutable()[0], {token, whole});
  }
  rule.addValue(getRows(), {whole, whole});
  rule.addValue(getOffsets(), {whole});
  return rule;
}

LogicalResult DispatchOp::partition(comm::Partitioner &partitioner) {
  partitioner.cloneLocal(*this);
  return success();
}

ShardingRule CombineOp::getShardingRule() {
  ShardingRule rule;
  int64_t token = addTokens(rule, getOrigin(getLayout()));
  rule.addUse(getRowsMutable(), {whole, whole});
  rule.addUse(getWeightMutable(), {token, whole});
  if (getDropped()) {
    rule.addUse(getDroppedMutable()[0], {token, whole});
  }
  rule.addValue(getResult(), {token, whole});
  return rule;
}

LogicalResult CombineOp::partition(comm::Partitioner &partitioner) {
  partitioner.cloneLocal(*this);
  return success();
}

//===----------------------------------------------------------------------===//
// moe.grouped_outer_product
//===----------------------------------------------------------------------===//

/// The layout that brought the rows; null where offsets come from elsewhere.
static DispatchLayoutOp getRowsLayout(GroupedOuterProductOp op) {
  auto dispatch = op.getOffsets().getDefiningOp<DispatchOp>();
  return dispatch ? getOrigin(dispatch.getLayout()) : DispatchLayoutOp();
}

ShardingRule GroupedOuterProductOp::getShardingRule() {
  ShardingRule rule;
  int64_t slot = rule.addFactor();
  if (DispatchLayoutOp layout = getRowsLayout(*this)) {
    rule.factors[slot].required = layout.getAxes();
  }
  rule.addUse(getLeftMutable(), {whole, whole});
  rule.addUse(getRightMutable(), {whole, whole});
  rule.addUse(getOffsetsMutable(), {whole});
  rule.addValue(getResults().front(), {slot, whole, whole});
  return rule;
}

/// Whether slots are experts in their order, shared out as rows are.
static bool isInExpertOrder(PlacementOp placement) {
  int64_t ranks = placement.getSlots().size(), next = 0;
  int64_t experts = placement.getExperts();
  for (int64_t rank = 0; rank < ranks; ++rank) {
    int64_t end = next + experts / ranks + (rank < experts % ranks ? 1 : 0);
    for (int64_t expert : placement.getSlotsOfRank(rank)) {
      if (expert >= 0 && expert != next++) {
        return false;
      }
    }
    if (next != end) {
      return false;
    }
  }
  return next == experts;
}

/// A gradient is whole on one rank only where its expert is.
static LogicalResult checkPlacement(GroupedOuterProductOp op) {
  DispatchLayoutOp layout = getRowsLayout(op);
  auto use = layout ? layout.getPlacement().getDefiningOp<UsePlacementOp>()
                    : UsePlacementOp();
  auto placement = use && use.getPlacementAttr()
                       ? SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
                             use, use.getPlacementAttr())
                       : PlacementOp();
  if (!placement) {
    return op.emitOpError("expected the offsets of a moe.dispatch by a layout "
                          "whose placement comes from moe.use_placement");
  }
  if (isInExpertOrder(placement)) {
    return success();
  }
  InFlightDiagnostic diagnostic = op.emitOpError(
      "expected a placement that shares out experts in their order, each on "
      "one rank: sums of other slots would have to be brought together");
  diagnostic.attachNote(placement.getLoc()) << "the placement is here";
  return diagnostic;
}

LogicalResult GroupedOuterProductOp::partition(comm::Partitioner &partitioner) {
  if (failed(checkPlacement(*this))) {
    return failure();
  }
  OpBuilder &builder = partitioner.getBuilder();
  Value result = getResults().front();
  auto type = cast<RankedTensorType>(partitioner.getLocalType(result));
  Value slots;
  if (type.isDynamicDim(0)) {
    OpFoldResult all =
        getSlots() ? OpFoldResult(partitioner.getLocal(getSlots()))
                   : builder.getIndexAttr(
                         cast<ShapedType>(result.getType()).getDimSize(0));
    slots = cast<Value>(partitioner.getLocalExtent(
        all, partitioner.getSharding(result).getDims()[0]));
  }
  auto local = GroupedOuterProductOp::create(
      builder, getLoc(), TypeRange{type}, partitioner.getLocal(getLeft()),
      partitioner.getLocal(getRight()), partitioner.getLocal(getOffsets()),
      slots, ValueRange{});
  partitioner.mapLocal(result, local.getResults().front());
  return success();
}

SmallVector<SmallVector<OpFoldResult>>
GroupedOuterProductOp::getResultExtents(OpBuilder &builder) {
  auto type = cast<ShapedType>(getResults().front().getType());
  OpFoldResult slots = getSlots();
  if (!getSlots()) {
    slots = builder.getIndexAttr(type.getDimSize(0));
  }
  return {{slots, builder.getIndexAttr(type.getDimSize(1)),
           builder.getIndexAttr(type.getDimSize(2))}};
}
