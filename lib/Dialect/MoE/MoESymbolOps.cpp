// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/MoE.h"

#include "llvm/ADT/SmallSet.h"

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

int64_t PlacementOp::getLocalSlots() {
  size_t most = 0;
  for (auto rank : getSlots().getAsRange<DenseI64ArrayAttr>()) {
    most = std::max(most, rank.asArrayRef().size());
  }
  return static_cast<int64_t>(most);
}

ArrayRef<int64_t> PlacementOp::getSlotsOfRank(int64_t rank) {
  return cast<DenseI64ArrayAttr>(getSlots()[rank]).asArrayRef();
}

LogicalResult PlacementOp::verify() {
  int64_t experts = getExperts();
  if (experts < 1) {
    return emitOpError("expected at least one expert, but got ") << experts;
  }
  // C3, before there is a list of so many
  int64_t slots = 0;
  for (auto list : getSlots().getAsRange<DenseI64ArrayAttr>()) {
    slots += list.size();
  }
  if (experts > slots) {
    return emitOpError("expected a slot for each of the ")
           << experts << " experts, but got " << slots << " slots";
  }
  SmallVector<bool> placed(experts, false);
  for (auto [rank, list] :
       llvm::enumerate(getSlots().getAsRange<DenseI64ArrayAttr>())) {
    llvm::SmallSet<int64_t, 16> here;
    for (int64_t expert : list.asArrayRef()) {
      // C2
      if (expert < -1 || expert >= experts) {
        return emitOpError("expected experts from 0 to ")
               << experts - 1 << " or -1 on rank " << rank << ", but got "
               << expert;
      }
      if (expert == -1) {
        continue;
      }
      // C4
      if (!here.insert(expert).second) {
        return emitOpError("expected each expert once a rank, but got expert ")
               << expert << " twice on rank " << rank;
      }
      placed[expert] = true;
    }
  }
  // C3
  const bool *lost = llvm::find(placed, false);
  if (lost != placed.end()) {
    return emitOpError("expected a slot for every expert, but expert ")
           << (lost - placed.begin()) << " has none";
  }
  return success();
}

LogicalResult PlacementOp::verifySymbolUses(SymbolTableCollection &) {
  // C5
  if (failed(comm::verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  // C1
  int64_t ranks = comm::getGroupSize(*this, getMeshAttr(), getAxes());
  if (static_cast<int64_t>(getSlots().size()) != ranks) {
    return emitOpError("expected slots of ")
           << ranks << " ranks, but got " << getSlots().size();
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

int64_t mlir::moe::getLocalSlots(Operation *from, int64_t experts) {
  Operation *table = SymbolTable::getNearestSymbolTable(from);
  int64_t most = 0;
  for (PlacementOp placement : table->getRegion(0).getOps<PlacementOp>()) {
    if (static_cast<int64_t>(placement.getExperts()) == experts) {
      most = std::max(most, placement.getLocalSlots());
    }
  }
  return most;
}
