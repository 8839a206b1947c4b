// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/BufferForm.h"

#include "ProducedResults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ShardingRule;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

//===----------------------------------------------------------------------===//
// moe.use_weight, moe.use_placement
//===----------------------------------------------------------------------===//

ShardingRule UseWeightOp::getShardingRule() {
  ShardingRule rule;
  int64_t rank = shaped(getResult()).getRank();
  SmallVector<int64_t> dims;
  for (int64_t dim = 0; dim < rank; ++dim) {
    dims.push_back(rule.addFactor());
  }
  rule.addValue(getResult(), dims);
  return rule;
}

// The sum over K has one order, whatever the mesh.
static LogicalResult checkInner(UseWeightOp op, comm::ShardingAttr sharding) {
  constexpr size_t inner = 1;
  if (!isa<WeightsType>(op.getResult().getType()) || !sharding ||
      sharding.getDims()[inner].empty()) {
    return success();
  }
  return op.emitOpError("cannot split K (dimension 1) of ")
         << op.getResult().getType() << " over " << sharding.getDims()[inner]
         << ": each rank would sum a part of K, and adding these sums changes "
            "the result's bits; split the columns (dimension 2) instead";
}

LogicalResult UseWeightOp::partition(comm::Partitioner &partitioner) {
  if (failed(checkInner(*this, partitioner.getSharding(getResult())))) {
    return failure();
  }
  ShapedType part = cast<ShapedType>(partitioner.getLocalType(getResult()));
  if (!part.hasStaticShape()) {
    return emitOpError("expected weights that its sharding divides, but got ")
           << getResult().getType() << " over "
           << partitioner.getSharding(getResult());
  }
  Operation *local = partitioner.cloneLocal(*this);
  comm::ShardingAttr sharding = partitioner.getSharding(getResult());
  if (sharding && !sharding.isReplicated()) {
    cast<UseWeightOp>(local).setShardingAttr(sharding);
  }
  return success();
}

LogicalResult UsePlacementOp::partition(comm::Partitioner &partitioner) {
  partitioner.cloneLocal(*this);
  return success();
}

//===----------------------------------------------------------------------===//
// moe.experts
//===----------------------------------------------------------------------===//

LogicalResult ExpertsOp::verify() {
  // C1
  ShapedType x = shaped(getX());
  ShapedType expert = shaped(getExpert());
  ShapedType weight = shaped(getWeight());
  ShapedType result = getResult().getType();
  int64_t tokens = x.getDimSize(0);
  if (x.getRank() != 2 || expert.getDimSize(0) != tokens ||
      weight.getDimSize(0) != tokens || result.getDimSize(0) != tokens) {
    return emitOpError("expected x, expert, weight and result of as many "
                       "tokens, but got ")
           << x << ", " << expert << ", " << weight << " and " << result;
  }
  if (expert.getDimSize(1) != weight.getDimSize(1)) {
    return emitOpError("expected one weight a choice, but got ")
           << expert << " and " << weight;
  }
  // C2
  Block &block = getBody().front();
  MLIRContext *context = getContext();
  auto rows = RankedTensorType::get({ShapedType::kDynamic, x.getDimSize(1)},
                                    x.getElementType());
  auto offsets = RankedTensorType::get({ShapedType::kDynamic},
                                       IntegerType::get(context, 32));
  if (block.getNumArguments() != 2 || block.getArgument(0).getType() != rows ||
      block.getArgument(1).getType() != offsets) {
    return emitOpError("expected a region over ") << rows << " and " << offsets;
  }
  // C3
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValues().size() != 1) {
    return emitOpError("expected its region to yield one value");
  }
  auto yielded = dyn_cast<RankedTensorType>(yield.getValues()[0].getType());
  if (!yielded || yielded.getRank() != 2 ||
      yielded.getDimSize(1) != result.getDimSize(1)) {
    return emitOpError("expected its region to yield rows of ")
           << result.getDimSize(1) << " columns, but got "
           << yield.getValues()[0].getType();
  }
  return success();
}

LogicalResult ExpertsOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C4
  if (getAxes().has_value() != getMesh().has_value()) {
    return emitOpError("expected axes and mesh together");
  }
  if (getMesh() &&
      failed(comm::verifyMeshAxes(*this, getMeshAttr(), getAxesAttr()))) {
    return failure();
  }
  if (getExchangeAttr() &&
      !symbols.lookupNearestSymbolFrom<ExchangeOp>(*this, getExchangeAttr())) {
    return emitOpError("expected a moe.exchange named ") << getExchangeAttr();
  }
  return success();
}

ShardingRule ExpertsOp::getShardingRule() {
  ShardingRule rule;
  int64_t token = rule.addFactor();
  int64_t column = rule.addFactor();
  rule.factors[token].required = getAxesAttr();
  constexpr int64_t whole = ShardingRule::whole;
  rule.addUse(getXMutable(), {token, whole});
  rule.addUse(getExpertMutable(), {token, whole});
  rule.addUse(getWeightMutable(), {token, whole});
  Block &block = getBody().front();
  rule.addValue(block.getArgument(0), {whole, whole});
  rule.addValue(block.getArgument(1), {whole});
  // What a dropped choice returns is cut from x, which is whole.
  int64_t width = getDropped() == DroppedReturn::Zero ? column : whole;
  rule.addUse(block.getTerminator()->getOpOperand(0), {whole, width});
  rule.addValue(getResult(), {token, width});
  return rule;
}

// Rows are other rows on every rank that holds other tokens or experts: what
// the region computes cannot be split, and gathered, over those ranks. Slots
// are the placement's to split. Of K, `moe.use_weight` says why not.
static LogicalResult checkRegion(ExpertsOp op, comm::Partitioner &partitioner) {
  SmallVector<comm::AxisRefAttr> ranks(op.getAxesAttr().getAxes());
  if (comm::ShardingAttr tokens = partitioner.getSharding(op.getExpert())) {
    llvm::append_range(ranks, tokens.getDims()[0].getAxes());
  }
  WalkResult walk = op.getBody().walk([&](GroupedMatmulOp product) {
    for (Value matrix : product.getWeights()) {
      comm::ShardingAttr sharding = partitioner.getSharding(matrix);
      for (auto [dim, axes] :
           llvm::enumerate(sharding ? sharding.getDims()
                                    : ArrayRef<comm::AxisListAttr>())) {
        if (dim == 1) {
          continue;
        }
        bool varies = llvm::any_of(axes.getAxes(), [&](comm::AxisRefAttr axis) {
          return llvm::any_of(ranks, [&](comm::AxisRefAttr rank) {
            return axis.overlaps(rank);
          });
        });
        if (varies || (dim == 0 && !axes.empty())) {
          product.emitOpError(
              "expected matrices that are split by columns, "
              "over other axes than tokens and experts, but got ")
              << sharding;
          return WalkResult::interrupt();
        }
      }
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult ExpertsOp::partition(comm::Partitioner &partitioner) {
  if (!getAxes() || !getExchange() || !getPlacement()) {
    return emitOpError("expected axes, placement and exchange before "
                       "partitioning; run the planning passes");
  }
  if (getWeighted() == WeightSide::Input) {
    return emitOpError("cannot lower weights that are applied to the input");
  }
  if (failed(checkRegion(*this, partitioner))) {
    return failure();
  }
  OpBuilder &builder = partitioner.getBuilder();
  Location loc = getLoc();
  comm::ShardingAttr sharding = partitioner.getSharding(getExpert());
  Value first;
  if (sharding && !sharding.getDims()[0].empty()) {
    first = comm::LocalOffsetOp::create(builder, loc, builder.getIndexType(),
                                        partitioner.getTokens(),
                                        sharding.getDims()[0], getMeshAttr());
  } else {
    first = arith::ConstantIndexOp::create(builder, loc, 0);
  }
  int64_t experts = getPlacement().getType().getExperts();
  auto type = LayoutType::get(
      getContext(), comm::getGroupSize(*this, getMeshAttr(), getAxesAttr()),
      getLocalSlots(*this, experts));
  auto layout = DispatchLayoutOp::create(
      builder, loc, type, partitioner.getLocal(getExpert()),
      partitioner.getLocal(getPlacement()), first, getAxesAttr(), getMeshAttr(),
      getExchangeAttr());
  Block &block = getBody().front();
  auto dispatch = DispatchOp::create(
      builder, loc, block.getArgument(0).getType(),
      block.getArgument(1).getType(), partitioner.getLocal(getX()), layout,
      /*weight=*/Value());
  partitioner.mapLocal(block.getArgument(0), dispatch.getRows());
  partitioner.mapLocal(block.getArgument(1), dispatch.getOffsets());
  if (failed(partitioner.partitionBody(block))) {
    return failure();
  }
  Value rows = partitioner.getLocal(block.getTerminator()->getOperand(0));
  Value dropped = getDropped() == DroppedReturn::WeightedInput
                      ? partitioner.getLocal(getX())
                      : Value();
  auto combine = CombineOp::create(
      builder, loc, partitioner.getLocalType(getResult()), rows,
      partitioner.getLocal(getWeight()), layout, dropped);
  partitioner.mapLocal(getResult(), combine.getResult());
  return success();
}

//===----------------------------------------------------------------------===//
// moe.grouped_matmul
//===----------------------------------------------------------------------===//

LogicalResult GroupedMatmulOp::verify() {
  if (getWeights().empty()) {
    return emitOpError("expected at least one matrix");
  }
  auto weights = cast<WeightsType>(getWeights().front().getType());
  // C1
  ShapedType rows = shaped(getRows());
  if (rows.getDimSize(1) != weights.getInner()) {
    return emitOpError("expected rows of ")
           << weights.getInner() << " columns, but got " << rows;
  }
  if (failed(verifyProduced(
          *this, {{{rows.getDimSize(0), weights.getOuter()}, {}}}))) {
    return failure();
  }
  // C4
  if (rows.getElementType() != weights.getElementType()) {
    return emitOpError("expected rows of the matrices' ")
           << weights.getElementType() << ", but got " << rows;
  }
  // C5
  if (failed(verifyShape(*this, "offsets", getOffsets(),
                         {weights.getSlots() + 1}))) {
    return failure();
  }
  // C2
  if (!llvm::all_equal(getWeights().getTypes())) {
    return emitOpError("expected matrices of one shape");
  }
  if (getEpilogue().empty()) {
    return getWeights().size() == 1 ? success()
                                    : emitOpError("expected an epilogue for ")
                                          << getWeights().size() << " matrices";
  }
  // C3
  Block &block = getEpilogue().front();
  bool takes = block.getNumArguments() == getWeights().size() &&
               llvm::all_of(block.getArgumentTypes(),
                            [](Type type) { return type.isF32(); });
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  Value result = getOuts().empty() ? getResults()[0] : getOuts()[0];
  Type element = shaped(result).getElementType();
  bool yields = yield && yield.getValues().size() == 1 &&
                yield.getValues()[0].getType() == element;
  if (!takes || !yields) {
    return emitOpError("expected an epilogue from ")
           << getWeights().size() << " f32 to one " << element;
  }
  return success();
}

SmallVector<SmallVector<OpFoldResult>>
GroupedMatmulOp::getResultExtents(OpBuilder &builder) {
  auto weights = cast<WeightsType>(getWeights().front().getType());
  return {{getExtents(builder, getLoc(), getRows()).front(),
           builder.getIndexAttr(weights.getOuter())}};
}

ShardingRule GroupedMatmulOp::getShardingRule() {
  ShardingRule rule;
  int64_t row = rule.addFactor();
  int64_t column = rule.addFactor();
  constexpr int64_t whole = ShardingRule::whole;
  rule.addUse(getRowsMutable(), {row, whole});
  for (OpOperand &operand : getWeightsMutable()) {
    rule.addUse(operand, {whole, whole, column});
  }
  rule.addUse(getOffsetsMutable(), {whole});
  rule.addValue(getResults().front(), {row, column});
  return rule;
}

LogicalResult GroupedMatmulOp::partition(comm::Partitioner &partitioner) {
  partitioner.cloneLocal(*this);
  return success();
}
