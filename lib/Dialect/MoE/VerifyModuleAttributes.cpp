// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifies what is written on the module, so that passes can trust it.

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

static LogicalResult verifyLoads(Operation *op, Attribute attribute) {
  auto loads = dyn_cast<DictionaryAttr>(attribute);
  if (!loads) {
    return emitError(op->getLoc(), "'")
           << kLoadsAttrName << "': expected a dictionary, but got "
           << attribute;
  }
  for (NamedAttribute layer : loads) {
    auto shares = dyn_cast<DenseF64ArrayAttr>(layer.getValue());
    double sum = 0;
    bool areShares = shares != nullptr;
    for (double share : shares ? shares.asArrayRef() : ArrayRef<double>()) {
      areShares &= share >= 0;
      sum += share;
    }
    if (!areShares || !std::isfinite(sum) || sum <= 0) {
      return emitError(op->getLoc(), "'")
             << kLoadsAttrName << "', layer " << layer.getName()
             << ": expected an array of f64 that are not negative, with a "
                "positive sum, but got "
             << layer.getValue();
    }
  }
  return success();
}

LogicalResult MoEDialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
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
