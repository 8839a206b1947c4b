// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a change of sharding is on one rank: whatever is split differently is
// gathered, then cut anew. Dimension by dimension.

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::comm;

namespace {
/// Rewrites one dimension after the other of a local value.
class Resharder {
public:
  Resharder(ReshardOp op, Partitioner &partitioner)
      : op(op), partitioner(partitioner), builder(partitioner.getBuilder()),
        loc(op.getLoc()), mesh(op.getTo().getMesh()),
        value(partitioner.getLocal(op.getSource())) {}

  LogicalResult run() {
    for (int64_t dim = 0; dim < op.getSource().getType().getRank(); ++dim) {
      AxisListAttr from = getFrom(dim);
      AxisListAttr to = op.getTo().getDims()[dim];
      if (from == to) {
        continue;
      }
      if (failed(checkExtent(dim, from)) || failed(checkExtent(dim, to))) {
        return failure();
      }
      if (!from.empty()) {
        dim == 0 ? gatherRows(from) : gatherInner(dim, from);
      }
      if (!to.empty()) {
        slice(dim, to);
      }
    }
    Type type = partitioner.getLocalType(op.getResult());
    if (value.getType() != type) {
      value = tensor::CastOp::create(builder, loc, type, value);
    }
    partitioner.mapLocal(op.getResult(), value);
    return success();
  }

private:
  AxisListAttr getFrom(int64_t dim) {
    return op.getFrom() ? op.getFrom()->getDims()[dim]
                        : AxisListAttr::get(op.getContext(), {});
  }

  /// Rows may be ragged; inner dimensions must divide.
  LogicalResult checkExtent(int64_t dim, AxisListAttr axes) {
    int64_t extent = op.getSource().getType().getDimSize(dim);
    int64_t parts = getGroupSize(op, mesh, axes);
    if (dim == 0 || parts == 1 ||
        (!ShapedType::isDynamic(extent) && extent % parts == 0)) {
      return success();
    }
    return op.emitError("expected dimension ")
           << dim << " of " << op.getSource().getType()
           << " to be divisible into " << parts << " parts";
  }

  OpFoldResult globalExtent(int64_t dim) {
    int64_t extent = op.getSource().getType().getDimSize(dim);
    return ShapedType::isDynamic(extent) ? OpFoldResult(partitioner.getTokens())
                                         : builder.getIndexAttr(extent);
  }

  Value empty(ArrayRef<OpFoldResult> extents) {
    return tensor::EmptyOp::create(builder, loc, extents,
                                   op.getSource().getType().getElementType());
  }

  void gatherRows(AxisListAttr axes) {
    SmallVector<OpFoldResult> extents =
        tensor::getMixedSizes(builder, loc, value);
    extents[0] = globalExtent(0);
    int64_t parts = getGroupSize(op, mesh, axes);
    Value rows = getValueOrCreateConstantIndexOp(builder, loc, extents[0]);
    auto offsetsType = RankedTensorType::get({parts + 1}, builder.getI32Type());
    Value offsets = ShardOffsetsOp::create(builder, loc, TypeRange{offsetsType},
                                           rows, ValueRange{}, axes, mesh)
                        ->getResult(0);
    Value space = empty(extents);
    value = AllGatherVOp::create(builder, loc, TypeRange{space.getType()},
                                 value, space, offsets, axes, mesh)
                ->getResult(0);
  }

  /// Parts are gathered along a new leading dimension, which then moves to
  /// where the parts belong.
  void gatherInner(int64_t dim, AxisListAttr axes) {
    int64_t parts = getGroupSize(op, mesh, axes);
    SmallVector<OpFoldResult> extents =
        tensor::getMixedSizes(builder, loc, value);
    int64_t rank = extents.size();
    SmallVector<OpFoldResult> stacked{builder.getIndexAttr(1)};
    llvm::append_range(stacked, extents);
    SmallVector<ReassociationIndices> expand{{0, 1}};
    for (int64_t i = 1; i < rank; ++i) {
      expand.push_back({i + 1});
    }
    SmallVector<int64_t> shape{1};
    llvm::append_range(shape, cast<ShapedType>(value.getType()).getShape());
    Type element = op.getSource().getType().getElementType();
    Value part = tensor::ExpandShapeOp::create(
        builder, loc, RankedTensorType::get(shape, element), value, expand,
        stacked);
    stacked[0] = builder.getIndexAttr(parts);
    Value space = empty(stacked);
    Value all = AllGatherOp::create(builder, loc, TypeRange{space.getType()},
                                    part, space, axes, mesh)
                    ->getResult(0);
    SmallVector<int64_t> permutation;
    SmallVector<OpFoldResult> transposed;
    for (int64_t i = 0; i < rank; ++i) {
      if (i == dim) {
        permutation.push_back(0);
      }
      permutation.push_back(i + 1);
    }
    for (int64_t i : permutation) {
      transposed.push_back(stacked[i]);
    }
    Value moved = linalg::TransposeOp::create(builder, loc, all,
                                              empty(transposed), permutation)
                      ->getResult(0);
    SmallVector<ReassociationIndices> collapse;
    for (int64_t i = 0; i < rank; ++i) {
      int64_t at = i < dim ? i : i + 1;
      collapse.push_back(i == dim ? ReassociationIndices{i, i + 1}
                                  : ReassociationIndices{at});
    }
    value = tensor::CollapseShapeOp::create(builder, loc, moved, collapse);
  }

  void slice(int64_t dim, AxisListAttr axes) {
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(builder, loc, value);
    SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    Value whole =
        getValueOrCreateConstantIndexOp(builder, loc, globalExtent(dim));
    offsets[dim] = LocalOffsetOp::create(builder, loc, builder.getIndexType(),
                                         whole, axes, mesh)
                       .getResult();
    sizes[dim] = partitioner.getLocalExtent(globalExtent(dim), axes);
    value = tensor::ExtractSliceOp::create(builder, loc, value, offsets, sizes,
                                           strides);
  }

  ReshardOp op;
  Partitioner &partitioner;
  OpBuilder &builder;
  Location loc;
  FlatSymbolRefAttr mesh;
  Value value;
};
} // namespace

LogicalResult ReshardOp::partition(Partitioner &partitioner) {
  return Resharder(*this, partitioner).run();
}
