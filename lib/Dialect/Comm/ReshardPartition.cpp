// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the steps of a change of sharding, and a record of them.

#include "moe/Dialect/Comm/ReshardPlan.h"

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
    FailureOr<SmallVector<ReshardStep>> steps =
        planReshard([&] { return op.emitError(); }, partitioner.getMesh(),
                    op.getSource().getType(),
                    op.getFrom().value_or(ShardingAttr()), op.getTo());
    if (failed(steps)) {
      return failure();
    }
    Value source = value;
    for (const ReshardStep &step : *steps) {
      emit(step);
    }
    Type type = partitioner.getLocalType(op.getResult());
    if (value.getType() != type) {
      value = tensor::CastOp::create(builder, loc, type, value);
    }
    if (!steps->empty()) {
      ReshardedOp::create(builder, loc, source, value, partitioner.getTokens(),
                          op.getFromAttr(), op.getToAttr(),
                          TypeAttr::get(op.getSource().getType()));
    }
    partitioner.mapLocal(op.getResult(), value);
    return success();
  }

private:
  void emit(const ReshardStep &step) {
    switch (step.kind) {
    case ReshardStep::Kind::GatherRows:
      return gatherRows(step);
    case ReshardStep::Kind::GatherInner:
      return gatherInner(step);
    case ReshardStep::Kind::Cut:
      return cut(step);
    }
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

  void gatherRows(const ReshardStep &step) {
    SmallVector<OpFoldResult> extents =
        tensor::getMixedSizes(builder, loc, value);
    extents[0] = globalExtent(0);
    Value rows = getValueOrCreateConstantIndexOp(builder, loc, extents[0]);
    auto offsetsType =
        RankedTensorType::get({step.parts + 1}, builder.getI32Type());
    Value offsets = ShardOffsetsOp::create(builder, loc, TypeRange{offsetsType},
                                           rows, ValueRange{}, step.axes, mesh)
                        ->getResult(0);
    Value space = empty(extents);
    value = AllGatherVOp::create(builder, loc, TypeRange{space.getType()},
                                 value, space, offsets, step.axes, mesh)
                ->getResult(0);
  }

  void gatherInner(const ReshardStep &step) {
    SmallVector<OpFoldResult> stacked =
        tensor::getMixedSizes(builder, loc, value);
    auto type = cast<RankedTensorType>(value.getType());
    InnerStacking stacking(type.getRank(), step.dim);
    stacked.insert(stacked.begin(), builder.getIndexAttr(1));
    SmallVector<int64_t> shape{1};
    llvm::append_range(shape, type.getShape());
    Value part = tensor::ExpandShapeOp::create(builder, loc, type.clone(shape),
                                               value, stacking.expand, stacked);
    stacked[0] = builder.getIndexAttr(step.parts);
    Value space = empty(stacked);
    Value all = AllGatherOp::create(builder, loc, TypeRange{space.getType()},
                                    part, space, step.axes, mesh)
                    ->getResult(0);
    SmallVector<OpFoldResult> transposed;
    for (int64_t i : stacking.permutation) {
      transposed.push_back(stacked[i]);
    }
    Value moved =
        linalg::TransposeOp::create(builder, loc, all, empty(transposed),
                                    stacking.permutation)
            ->getResult(0);
    value =
        tensor::CollapseShapeOp::create(builder, loc, moved, stacking.collapse);
  }

  void cut(const ReshardStep &step) {
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(builder, loc, value);
    SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    Value whole =
        getValueOrCreateConstantIndexOp(builder, loc, globalExtent(step.dim));
    offsets[step.dim] =
        LocalOffsetOp::create(builder, loc, builder.getIndexType(), whole,
                              step.axes, mesh)
            .getResult();
    sizes[step.dim] =
        partitioner.getLocalExtent(globalExtent(step.dim), step.axes);
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
