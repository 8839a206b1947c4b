// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReshardChecker.h"

#include "moe/Analysis/AxisParts.h"
#include "moe/Dialect/Comm/ReshardPlan.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ReshardStep;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

namespace {
/// An extent, traced back: a number or an index, or one of a tensor of which
/// nothing more is known.
struct Extent {
  OpFoldResult known;
  Value tensor;
  int64_t dim = 0;

  bool operator==(const Extent &other) const {
    return known && other.known
               ? isEqualConstantIntOrValue(known, other.known)
               : !known && !other.known && tensor == other.tensor &&
                     dim == other.dim;
  }
};
} // namespace

static Extent traceExtent(OpFoldResult extent);

static Extent traceExtent(Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim)) {
    Builder builder(tensor.getContext());
    return {builder.getIndexAttr(type.getDimSize(dim)), {}, 0};
  }
  if (auto cast = tensor.getDefiningOp<tensor::CastOp>()) {
    return traceExtent(cast.getSource(), dim);
  }
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>()) {
    return traceExtent(empty.getMixedSizes()[dim]);
  }
  if (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>();
      slice && slice.getSourceType().getRank() == type.getRank()) {
    return traceExtent(slice.getMixedSizes()[dim]);
  }
  if (auto writer = tensor.getDefiningOp<DestinationStyleOpInterface>()) {
    OpOperand *destination = writer.getTiedOpOperand(cast<OpResult>(tensor));
    return traceExtent(destination->get(), dim);
  }
  return {{}, tensor, dim};
}

static Extent traceExtent(OpFoldResult extent) {
  auto value = dyn_cast<Value>(extent);
  auto dim = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
  std::optional<int64_t> index =
      dim ? dim.getConstantIndex() : std::optional<int64_t>();
  return index ? traceExtent(dim.getSource(), *index) : Extent{extent, {}, 0};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {
/// Walks the steps of a plan backward, from what was made to what it was made
/// from.
class ReshardChecker {
public:
  ReshardChecker(comm::ReshardedOp record, ClaimedOps &claimed)
      : record(record), claimed(claimed),
        global(cast<RankedTensorType>(record.getGlobal())),
        mesh(record.getTo().getMesh()), value(record.getValue()) {}

  LogicalResult run() {
    FailureOr<SmallVector<ReshardStep>> steps = comm::planReshard(
        [&] { return record.emitOpError(); }, comm::lookupMesh(record, mesh),
        global, record.getFrom().value_or(comm::ShardingAttr()),
        record.getTo());
    if (failed(steps)) {
      return failure();
    }
    for (const ReshardStep &step : llvm::reverse(*steps)) {
      skipCasts();
      if (failed(check(step))) {
        return failure();
      }
    }
    skipCasts();
    Value made = value;
    value = record.getSource();
    skipCasts();
    if (made != value) {
      value = made;
      return reject("the source that its record names to be resharded");
    }
    return success();
  }

private:
  LogicalResult check(const ReshardStep &step) {
    if (failed(verifyCompatibleShape(value.getType(), step.type))) {
      std::string type;
      llvm::raw_string_ostream(type) << step.type;
      return reject("a part of type " + type);
    }
    switch (step.kind) {
    case ReshardStep::Kind::GatherRows:
      return checkGatherRows(step);
    case ReshardStep::Kind::GatherInner:
      return checkGatherInner(step);
    case ReshardStep::Kind::Cut:
      return checkCut(step);
    }
    llvm_unreachable("a step of no kind");
  }

  LogicalResult checkGatherRows(const ReshardStep &step) {
    auto op = findGather(step, comm::CollectiveKind::AllGatherV);
    if (!op) {
      return reject("comm.all_gather_v over " + toString(step.axes));
    }
    auto offsets =
        op.getCollectiveReads()[1].getDefiningOp<comm::ShardOffsetsOp>();
    if (!offsets || offsets.getAxes() != step.axes ||
        offsets.getMeshAttr() != mesh || !isGlobal(offsets.getExtent(), 0)) {
      return reject("the offsets of all rows that are shared out over " +
                    toString(step.axes));
    }
    Value source = op.getCollectiveReads().front();
    SmallVector<Extent> extents = traceExtents(source);
    extents[0] = getGlobal(0);
    return checkSpace(op, extents, source);
  }

  LogicalResult checkGatherInner(const ReshardStep &step) {
    comm::InnerStacking stacking(global.getRank(), step.dim);
    auto join = value.getDefiningOp<tensor::CollapseShapeOp>();
    auto moved =
        join ? join.getSrc().getDefiningOp<linalg::TransposeOp>() : nullptr;
    if (!moved || join.getReassociationIndices() != stacking.collapse ||
        moved.getPermutation() != ArrayRef<int64_t>(stacking.permutation)) {
      return reject("parts that are joined along dimension " + Twine(step.dim));
    }
    value = moved.getInput();
    auto op = findGather(step, comm::CollectiveKind::AllGather);
    auto part = op ? op.getCollectiveReads()
                         .front()
                         .getDefiningOp<tensor::ExpandShapeOp>()
                   : nullptr;
    if (!part || part.getReassociationIndices() != stacking.expand) {
      return reject("comm.all_gather over " + toString(step.axes));
    }
    SmallVector<Extent> extents = traceExtents(part.getSrc());
    Builder builder(record.getContext());
    extents.insert(extents.begin(),
                   traceExtent(builder.getIndexAttr(step.parts)));
    return checkSpace(op, extents, part.getSrc());
  }

  LogicalResult checkCut(const ReshardStep &step) {
    auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
    if (!slice || !slice.hasUnitStride() ||
        slice.getSourceType().getRank() != global.getRank()) {
      return reject("the part that is cut out over " + toString(step.axes));
    }
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
    SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
    for (int64_t dim = 0; dim < global.getRank(); ++dim) {
      bool matches = dim == step.dim
                         ? isShare(step, offsets[dim], sizes[dim])
                         : isConstantIntValue(offsets[dim], 0) &&
                               traceExtent(sizes[dim]) ==
                                   traceExtent(slice.getSource(), dim);
      if (!matches) {
        return reject("the share of dimension " + Twine(step.dim) + " over " +
                      toString(step.axes));
      }
    }
    value = slice.getSource();
    return success();
  }

  //===--- Parts of steps ------------------------------------------------===//

  /// The gather from which the value comes; null where it is another one. It
  /// may be in two parts.
  comm::CollectiveOpInterface findGather(const ReshardStep &step,
                                         comm::CollectiveKind kind) {
    Operation *source = value.getDefiningOp();
    if (auto wait = dyn_cast_or_null<comm::WaitOp>(source)) {
      source = wait.getPending().getDefiningOp();
    }
    auto op = dyn_cast_or_null<comm::CollectiveOpInterface>(source);
    bool matches = op && op.getCollectiveKind() == kind &&
                   op.getMeshAttr() == mesh && op.getAxesAttr() == step.axes;
    return matches ? op : comm::CollectiveOpInterface();
  }

  /// The gather fills space of these extents, which holds nothing else; goes
  /// on at its source.
  LogicalResult checkSpace(comm::CollectiveOpInterface op,
                           ArrayRef<Extent> extents, Value source) {
    auto space = op.getCollectiveDestination().getDefiningOp<tensor::EmptyOp>();
    if (!space || traceExtents(space.getResult()) != extents) {
      return reject("space for what is gathered, which holds nothing else");
    }
    claimed.insert(op);
    value = source;
    return success();
  }

  bool isShare(const ReshardStep &step, OpFoldResult offset,
               OpFoldResult size) {
    auto first = dyn_cast<Value>(offset);
    auto local = first ? first.getDefiningOp<comm::LocalOffsetOp>() : nullptr;
    if (!local || local.getAxes() != step.axes || local.getMeshAttr() != mesh ||
        !isGlobal(local.getExtent(), step.dim)) {
      return false;
    }
    int64_t extent = step.type.getDimSize(step.dim);
    if (!ShapedType::isDynamic(extent)) {
      return isConstantIntValue(size, extent);
    }
    auto count = dyn_cast<Value>(size);
    auto share = count ? count.getDefiningOp<comm::LocalExtentOp>() : nullptr;
    return share && share.getAxes() == step.axes &&
           share.getMeshAttr() == mesh && isGlobal(share.getExtent(), step.dim);
  }

  Extent getGlobal(int64_t dim) {
    Builder builder(record.getContext());
    return {global.isDynamicDim(dim)
                ? OpFoldResult(record.getTokens())
                : builder.getIndexAttr(global.getDimSize(dim)),
            {},
            0};
  }

  bool isGlobal(Value extent, int64_t dim) {
    return traceExtent(OpFoldResult(extent)) == getGlobal(dim);
  }

  static SmallVector<Extent> traceExtents(Value tensor) {
    SmallVector<Extent> extents;
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim) {
      extents.push_back(traceExtent(tensor, dim));
    }
    return extents;
  }

  void skipCasts() {
    while (auto cast = value.getDefiningOp<tensor::CastOp>()) {
      value = cast.getSource();
    }
  }

  /// At what was emitted instead.
  LogicalResult reject(const Twine &expected) {
    Operation *op = value.getDefiningOp();
    InFlightDiagnostic diagnostic =
        (op ? op : record.getOperation())->emitOpError("expected ")
        << expected << ", as the reshard has it";
    diagnostic.attachNote(record.getLoc()) << "the reshard is this";
    return diagnostic;
  }

  comm::ReshardedOp record;
  ClaimedOps &claimed;
  RankedTensorType global;
  FlatSymbolRefAttr mesh;
  /// Where the walk is.
  Value value;
};
} // namespace

LogicalResult mlir::moe::checkReshard(comm::ReshardedOp record,
                                      ClaimedOps &claimed) {
  return ReshardChecker(record, claimed).run();
}
