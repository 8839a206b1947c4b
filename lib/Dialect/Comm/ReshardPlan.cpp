// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/ReshardPlan.h"

using namespace mlir;
using namespace mlir::comm;

// Rows may be ragged; inner dimensions must divide.
static LogicalResult checkExtent(EmitErrorFn emitError, RankedTensorType global,
                                 int64_t dim, int64_t parts) {
  int64_t extent = global.getDimSize(dim);
  if (dim == 0 || parts == 1 ||
      (!ShapedType::isDynamic(extent) && extent % parts == 0)) {
    return success();
  }
  return emitError() << "expected dimension " << dim << " of " << global
                     << " to be divisible into " << parts << " parts";
}

FailureOr<SmallVector<ReshardStep>>
mlir::comm::planReshard(EmitErrorFn emitError, MeshOp mesh,
                        RankedTensorType global, ShardingAttr from,
                        ShardingAttr to) {
  SmallVector<AxisListAttr> dims(global.getRank(),
                                 AxisListAttr::get(global.getContext(), {}));
  if (from) {
    dims.assign(from.getDims().begin(), from.getDims().end());
  }
  SmallVector<ReshardStep> steps;
  auto add = [&](ReshardStep::Kind kind, int64_t dim, AxisListAttr axes,
                 AxisListAttr behind) {
    dims[dim] = behind;
    auto sharding = ShardingAttr::get(global.getContext(), to.getMesh(), dims);
    steps.push_back(
        {kind, dim, axes, mesh.getAxisListSize(axes),
         cast<RankedTensorType>(getLocalType(global, sharding, mesh))});
  };
  for (int64_t dim = 0; dim < global.getRank(); ++dim) {
    AxisListAttr before = dims[dim];
    AxisListAttr after = to.getDims()[dim];
    if (before == after) {
      continue;
    }
    for (AxisListAttr axes : {before, after}) {
      if (failed(checkExtent(emitError, global, dim,
                             mesh.getAxisListSize(axes)))) {
        return failure();
      }
    }
    if (!before.empty()) {
      add(dim == 0 ? ReshardStep::Kind::GatherRows
                   : ReshardStep::Kind::GatherInner,
          dim, before, AxisListAttr::get(global.getContext(), {}));
    }
    if (!after.empty()) {
      add(ReshardStep::Kind::Cut, dim, after, after);
    }
  }
  return steps;
}

InnerStacking::InnerStacking(int64_t rank, int64_t dim) : expand{{0, 1}} {
  for (int64_t i = 1; i < rank; ++i) {
    expand.push_back({i + 1});
  }
  for (int64_t i = 0; i < rank; ++i) {
    if (i == dim) {
      permutation.push_back(0);
    }
    permutation.push_back(i + 1);
    int64_t at = i < dim ? i : i + 1;
    collapse.push_back(i == dim ? ReassociationIndices{i, i + 1}
                                : ReassociationIndices{at});
  }
}
