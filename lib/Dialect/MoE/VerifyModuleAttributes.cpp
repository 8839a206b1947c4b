// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifies what is written on the module and its functions, so that passes can
// trust it.

#include "moe/Dialect/MoE/MoE.h"

using namespace mlir;
using namespace mlir::moe;

// Errors do not print the operation: it would be the whole module.
static LogicalResult verifyMaxTokens(Operation *op, Attribute attribute) {
  auto tokens = dyn_cast<IntegerAttr>(attribute);
  if (tokens && tokens.getType().isInteger(64) && tokens.getInt() >= 1 &&
      tokens.getInt() <= comm::kMaxCount) {
    return success();
  }
  return emitError(op->getLoc(), "'")
         << kMaxTokensAttrName << "': expected an i64 from 1 to "
         << comm::kMaxCount << ", but got " << attribute;
}

/// One list, or a list a source rank.
static bool areLoads(Attribute attribute) {
  SmallVector<Attribute> sources = {attribute};
  if (auto apart = dyn_cast<ArrayAttr>(attribute)) {
    sources.assign(apart.begin(), apart.end());
  }
  double sum = 0;
  std::optional<int64_t> experts;
  for (Attribute source : sources) {
    auto loads = dyn_cast<DenseF64ArrayAttr>(source);
    if (!loads || loads.size() != experts.value_or(loads.size())) {
      return false;
    }
    experts = loads.size();
    for (double load : loads.asArrayRef()) {
      // Not of a NaN either.
      if (!(load >= 0)) {
        return false;
      }
      sum += load;
    }
  }
  return std::isfinite(sum) && sum > 0;
}

static LogicalResult verifyLoads(Operation *op, Attribute attribute) {
  auto loads = dyn_cast<DictionaryAttr>(attribute);
  if (!loads) {
    return emitError(op->getLoc(), "'")
           << kLoadsAttrName << "': expected a dictionary, but got "
           << attribute;
  }
  for (NamedAttribute layer : loads) {
    if (!areLoads(layer.getValue())) {
      return emitError(op->getLoc(), "'")
             << kLoadsAttrName << "', layer " << layer.getName()
             << ": expected an array of f64, or one of equal length for each "
                "source rank, that are not negative, with a positive sum, but "
                "got "
             << layer.getValue();
    }
  }
  return success();
}

static LogicalResult verifyPlannedLayers(Operation *op, Attribute attribute) {
  auto layers = dyn_cast<ArrayAttr>(attribute);
  if (layers && llvm::all_of(layers, llvm::IsaPred<PlannedLayerAttr>)) {
    return success();
  }
  return emitError(op->getLoc(), "'")
         << kLayersAttrName
         << "': expected an array of #moe.planned_layer, but got " << attribute;
}

LogicalResult MoEDialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
  if (attribute.getName() == kLayersAttrName) {
    return verifyPlannedLayers(op, attribute.getValue());
  }
  if (!isa<ModuleOp>(op)) {
    return success();
  }
  if (attribute.getName() == kMaxTokensAttrName) {
    return verifyMaxTokens(op, attribute.getValue());
  }
  if (attribute.getName() == kLoadsAttrName) {
    return verifyLoads(op, attribute.getValue());
  }
  return success();
}
