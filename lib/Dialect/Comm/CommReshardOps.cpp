// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/Comm.h"

using namespace mlir;
using namespace mlir::comm;

// C1, C2 of both.
static LogicalResult verifyShardings(Operation *op,
                                     std::optional<ShardingAttr> from,
                                     ShardingAttr to, Type type) {
  auto emitError = [&] { return op->emitOpError(); };
  if (from && failed(verifySharding(emitError, op, *from, type))) {
    return failure();
  }
  return verifySharding(emitError, op, to, type);
}

LogicalResult ReshardOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyShardings(*this, getFrom(), getTo(), getSource().getType());
}

LogicalResult ReshardedOp::verifySymbolUses(SymbolTableCollection &) {
  auto global = cast<RankedTensorType>(getGlobal());
  for (Type part : {getSource().getType(), getValue().getType()}) {
    // C3
    auto local = cast<RankedTensorType>(part);
    if (local.getRank() != global.getRank() ||
        local.getElementType() != global.getElementType()) {
      return emitOpError("expected parts of ")
             << global << ", but got " << local;
    }
  }
  return verifyShardings(*this, getFrom(), getTo(), global);
}
