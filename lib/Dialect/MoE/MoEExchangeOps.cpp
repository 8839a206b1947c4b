// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/BufferForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

LogicalResult
DispatchLayoutOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1
  if (failed(comm::verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  if (!symbols.lookupNearestSymbolFrom<ExchangeOp>(*this, getExchangeAttr())) {
    return emitOpError("expected a moe.exchange named ") << getExchangeAttr();
  }
  // C2
  int64_t ranks = comm::getGroupSize(*this, getMeshAttr(), getAxes());
  if (getLayout().getType().getRanks() != ranks) {
    return emitOpError("expected a layout of ")
           << ranks << " ranks, but got " << getLayout().getType();
  }
  return success();
}

LogicalResult DispatchOp::verify() {
  // C1
  ShapedType x = getX().getType();
  ShapedType rows = getRows().getType();
  if (x.getDimSize(1) != rows.getDimSize(1) ||
      x.getElementType() != rows.getElementType()) {
    return emitOpError("expected rows like those of x, but got ")
           << rows << " from " << x;
  }
  // C2
  if (getWeight() &&
      failed(verifyCompatibleShape(shaped(getWeight()).getShape().take_front(),
                                   x.getShape().take_front()))) {
    return emitOpError("expected a weight of x's tokens, but got ")
           << getWeight().getType() << " for " << x;
  }
  return success();
}

LogicalResult CombineOp::verify() {
  // C1
  ShapedType rows = getRows().getType();
  ShapedType result = getResult().getType();
  if (rows.getDimSize(1) != result.getDimSize(1) ||
      shaped(getWeight()).getDimSize(0) != result.getDimSize(0)) {
    return emitOpError("expected the rows' columns and the weight's tokens, "
                       "but got ")
           << result;
  }
  return success();
}

LogicalResult PlacementTableOp::verify() {
  // C1
  int64_t experts = getPlacement().getType().getExperts();
  if (getTable().getType().getShape() != ArrayRef<int64_t>{64, experts}) {
    return emitOpError("expected a table of 64 x ")
           << experts << ", but got " << getTable().getType();
  }
  return success();
}

#define MOE_NETWORK_EFFECTS(OpT)                                               \
  void OpT::getEffects(                                                        \
      SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {               \
    comm::addCommunicationEffects(effects, {}, {}, /*network=*/true);          \
  }
MOE_NETWORK_EFFECTS(DispatchLayoutOp)
MOE_NETWORK_EFFECTS(DispatchOp)
MOE_NETWORK_EFFECTS(CombineOp)
// These tell the runtime what follows: they must keep their places among
// collectives.
MOE_NETWORK_EFFECTS(PhaseOp)
MOE_NETWORK_EFFECTS(EnterLayerOp)
#undef MOE_NETWORK_EFFECTS

using Extents = SmallVector<SmallVector<OpFoldResult>>;

Extents AssignSlotsOp::getResultExtents(OpBuilder &builder) {
  auto counts = cast<ShapedType>(getResults()[1].getType());
  return {getExtents(builder, getLoc(), getExpert()),
          getAsIndexOpFoldResult(builder.getContext(), counts.getShape())};
}

Extents CountOffsetsOp::getResultExtents(OpBuilder &builder) {
  ShapedType counts = shaped(getCounts());
  return {{builder.getIndexAttr(counts.getDimSize(0) + 1)},
          {builder.getIndexAttr(counts.getDimSize(1) + 1)}};
}

Extents SlotPositionsOp::getResultExtents(OpBuilder &) {
  return {{getExtent()}};
}

Extents SpreadRowsOp::getResultExtents(OpBuilder &builder) {
  Location loc = getLoc();
  SmallVector<OpFoldResult> x = getExtents(builder, loc, getX());
  int64_t k = shaped(getPosition()).getDimSize(1);
  if (std::optional<int64_t> tokens = getConstantIntValue(x[0])) {
    return {{builder.getIndexAttr(*tokens * k), x[1]}};
  }
  Value choices = arith::ConstantIndexOp::create(builder, loc, k);
  Value rows = arith::MulIOp::create(builder, loc, cast<Value>(x[0]), choices);
  return {{rows, x[1]}};
}

Extents PermuteRowsOp::getResultExtents(OpBuilder &builder) {
  return {getExtents(builder, getLoc(), getRows())};
}

Extents CombineRowsOp::getResultExtents(OpBuilder &builder) {
  return {{getExtents(builder, getLoc(), getPosition())[0],
           getExtents(builder, getLoc(), getRows())[1]}};
}
