// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/MoE.h"

using namespace mlir;
using namespace mlir::moe;

LogicalResult WeightOp::verify() {
  // C1
  bool perExpert = getPattern().contains("{e}");
  if (perExpert != isa<WeightsType>(getType())) {
    return emitOpError("expected '{e}' in the pattern exactly of "
                       "!moe.weights, but got \"")
           << getPattern() << "\" for " << getType();
  }
  // C2
  if (!perExpert) {
    auto tensor = dyn_cast<RankedTensorType>(getType());
    if (!tensor || !tensor.hasStaticShape()) {
      return emitOpError("expected a tensor of static shape, but got ")
             << getType();
    }
  }
  return success();
}

LogicalResult ExchangeOp::verify() {
  return comm::verifyBound(*this, getBound()); // C1
}

// Whether a handle of type `used` may stand for weights of type `stored`: the
// same extents (a part of them with `isPart`), or a matrix [N, K] as the
// one-slot weights 1 x K x N.
static bool canUseAs(ShapedType stored, ShapedType used, bool isPart) {
  if (!used || used.getElementType() != stored.getElementType()) {
    return false;
  }
  if (isa<WeightsType>(used) && !isa<WeightsType>(stored)) {
    ArrayRef<int64_t> shape = used.getShape();
    return stored.getRank() == 2 && shape[0] == 1 &&
           (isPart || (shape[1] == stored.getDimSize(1) &&
                       shape[2] == stored.getDimSize(0)));
  }
  // Slots of a rank are the placement's to say.
  bool isPlaced = isa<WeightsType>(used);
  size_t first = isPlaced ? 1 : 0;
  return used.getRank() == stored.getRank() &&
         (isPart || used.getShape().drop_front(first) ==
                        stored.getShape().drop_front(first));
}

LogicalResult UseWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1
  auto weight =
      symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight) {
    return emitOpError("expected a moe.weight named ") << getWeightAttr();
  }
  // C2
  auto stored = cast<ShapedType>(weight.getType());
  auto used = dyn_cast<ShapedType>(getResult().getType());
  if (!canUseAs(stored, used, getSharding().has_value())) {
    InFlightDiagnostic diagnostic = emitOpError("expected type ")
                                    << stored << ", but got "
                                    << getResult().getType();
    diagnostic.attachNote(weight.getLoc()) << "the weight is here";
    return diagnostic;
  }
  // C4
  if (getSharding() &&
      failed(comm::verifySharding([&] { return emitOpError(); }, *this,
                                  *getSharding(), stored))) {
    return failure();
  }
  // C3
  FlatSymbolRefAttr placement = getPlacementAttr();
  if (placement &&
      !symbols.lookupNearestSymbolFrom<PlacementOp>(*this, placement)) {
    return emitOpError("expected a moe.placement named ") << placement;
  }
  return success();
}

LogicalResult UsePlacementOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1
  if (!getPlacementAttr()) {
    return success();
  }
  auto placement =
      symbols.lookupNearestSymbolFrom<PlacementOp>(*this, getPlacementAttr());
  if (!placement) {
    return emitOpError("expected a moe.placement named ") << getPlacementAttr();
  }
  int64_t experts = getResult().getType().getExperts();
  if (static_cast<int64_t>(placement.getExperts()) != experts) {
    return emitOpError("expected a placement of ")
           << experts << " experts, but " << getPlacementAttr() << " has "
           << placement.getExperts();
  }
  return success();
}

// The axes over which `placement` spreads experts; null without one.
static comm::AxisListAttr getPlacementAxes(Operation *from,
                                           FlatSymbolRefAttr placement) {
  auto op =
      placement
          ? SymbolTable::lookupNearestSymbolFrom<PlacementOp>(from, placement)
          : PlacementOp();
  return op ? op.getAxesAttr() : comm::AxisListAttr();
}

// Which experts fill the slots, and which part of each matrix a rank holds.
comm::AxisListAttr UseWeightOp::getRankAxes() {
  SmallVector<comm::AxisRefAttr> axes;
  if (getPlacementAttr()) {
    comm::AxisListAttr placed = getPlacementAxes(*this, getPlacementAttr());
    if (!placed) {
      return {};
    }
    llvm::append_range(axes, placed.getAxes());
  }
  if (std::optional<comm::ShardingAttr> sharding = getSharding()) {
    for (comm::AxisListAttr dim : sharding->getDims()) {
      llvm::append_range(axes, dim.getAxes());
    }
  }
  return comm::AxisListAttr::get(getContext(), axes);
}

// A rank's slice of the tables.
comm::AxisListAttr UsePlacementOp::getRankAxes() {
  return getPlacementAxes(*this, getPlacementAttr());
}

int64_t mlir::moe::getLocalSlots(Operation *from, int64_t experts) {
  Operation *table = SymbolTable::getNearestSymbolTable(from);
  int64_t most = 0;
  // Layers mostly have equal slots, one list for each of thousands of ranks.
  llvm::SmallDenseSet<Attribute> seen;
  for (PlacementOp placement : table->getRegion(0).getOps<PlacementOp>()) {
    if (static_cast<int64_t>(placement.getExperts()) == experts &&
        seen.insert(placement.getSlots()).second) {
      most = std::max(most, placement.getLocalSlots());
    }
  }
  return most;
}
