// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/Sharding.h"

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::comm;

bool mlir::comm::canSplit(const ShardingRule &rule, int64_t factor,
                          int64_t parts) {
  int64_t granule = rule.factors[factor].granule;
  if (granule == 1 || parts == 1) {
    return true;
  }
  return llvm::all_of(
      rule.participants, [&](const ShardingRule::Participant &one) {
        auto type = cast<ShapedType>(one.value.getType());
        return llvm::all_of(llvm::enumerate(one.factors), [&](auto dim) {
          return dim.value() != factor ||
                 (!type.isDynamicDim(dim.index()) &&
                  type.getDimSize(dim.index()) % (parts * granule) == 0);
        });
      });
}

ShardingRule mlir::comm::getTokenwiseRule(Operation *op) {
  ShardingRule rule;
  int64_t token = rule.addFactor();
  auto dims = [&](Type type) {
    int64_t rank = cast<ShapedType>(type).getRank();
    SmallVector<int64_t> factors(rank, ShardingRule::whole);
    if (rank >= 2) {
      factors[0] = token;
    }
    return factors;
  };
  for (OpOperand &operand : op->getOpOperands()) {
    if (isa<ShapedType>(operand.get().getType())) {
      rule.addUse(operand, dims(operand.get().getType()));
    }
  }
  for (Value result : op->getResults()) {
    if (isa<ShapedType>(result.getType())) {
      rule.addValue(result, dims(result.getType()));
    }
  }
  return rule;
}

Type Partitioner::getLocalType(Value global) const {
  return getLocalType(global.getType(), getSharding(global));
}

Type mlir::comm::getLocalType(Type type, ShardingAttr sharding, MeshOp mesh) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !sharding) {
    return type;
  }
  SmallVector<int64_t> shape(shaped.getShape());
  for (auto [extent, axes] : llvm::zip_equal(shape, sharding.getDims())) {
    int64_t parts = mesh.getAxisListSize(axes);
    if (!axes.empty() && !ShapedType::isDynamic(extent)) {
      extent = extent % parts == 0 ? extent / parts : ShapedType::kDynamic;
    }
  }
  return shaped.cloneWith(shape, shaped.getElementType());
}

Type Partitioner::getLocalType(Type type, ShardingAttr sharding) const {
  return comm::getLocalType(type, sharding, getMesh());
}

OpFoldResult Partitioner::getLocalExtent(OpFoldResult extent,
                                         AxisListAttr axes) {
  if (axes.empty()) {
    return extent;
  }
  int64_t parts = getMesh().getAxisListSize(axes);
  std::optional<int64_t> known = getConstantIntValue(extent);
  if (known && *known % parts == 0) {
    return builder.getIndexAttr(*known / parts);
  }
  Location loc = getTokens().getLoc();
  Value whole = getValueOrCreateConstantIndexOp(builder, loc, extent);
  auto mesh = FlatSymbolRefAttr::get(getMesh().getSymNameAttr());
  return LocalExtentOp::create(builder, loc, builder.getIndexType(), whole,
                               axes, mesh)
      .getResult();
}

Operation *Partitioner::cloneLocal(Operation *op) {
  Operation *clone = builder.clone(*op, mapping);
  for (auto [global, local] :
       llvm::zip_equal(op->getResults(), clone->getResults())) {
    local.setType(getLocalType(global));
  }
  clone->removeAttr(kResultShardingsAttrName);
  return clone;
}
