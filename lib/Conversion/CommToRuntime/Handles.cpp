// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights, placements and their tables, which the runtime hands out by index.

#include "Lowerings.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::moe;

LogicalResult mlir::moe::lowerToRuntime(UseWeightOp op, ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  NamedAttrList entries;
  auto symbol =
      SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, op.getWeightAttr());
  Type used = op.getResult().getType();
  bool isExperts = isa<WeightsType>(symbol.getType());
  entries.set("kind", b.getStringAttr(isExperts ? "experts" : "tensor"));
  entries.set("weight", op.getWeightAttr());
  if (isExperts && op.getPlacementAttr()) {
    entries.set("placement", op.getPlacementAttr());
  }
  if (op.getShardingAttr()) {
    entries.set("sharding", op.getShardingAttr());
  }
  if (!isExperts && isa<WeightsType>(used)) {
    entries.set("packed", b.getUnitAttr());
  }
  entries.set("type", TypeAttr::get(used));
  Value pointer = calls.handle(b, entries.getDictionary(b.getContext()));
  op.replaceAllUsesWith(calls.viewAs(b, pointer, used));
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(UsePlacementOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  NamedAttrList entries;
  entries.set("kind", b.getStringAttr("placement"));
  if (op.getPlacementAttr()) {
    entries.set("placement", op.getPlacementAttr());
  }
  entries.set("type", TypeAttr::get(op.getResult().getType()));
  Value pointer = calls.handle(b, entries.getDictionary(b.getContext()));
  op.replaceAllUsesWith(calls.viewAs(b, pointer, op.getResult().getType()));
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(PlacementTableOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  auto pointerType = LLVM::LLVMPointerType::get(b.getContext());
  Value pointer = UnrealizedConversionCastOp::create(
                      b, TypeRange{pointerType}, ValueRange{op.getPlacement()})
                      .getResult(0);
  op.replaceAllUsesWith(calls.viewAs(b, pointer, op.getTable().getType()));
  return success();
}
