// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/Comm.h"

using namespace mlir;
using namespace mlir::comm;

void mlir::comm::addCommunicationEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects,
    ArrayRef<OpOperand *> reads, ArrayRef<OpOperand *> writes, bool network) {
  for (OpOperand *operand : reads) {
    if (isa<BaseMemRefType>(operand->get().getType())) {
      effects.emplace_back(MemoryEffects::Read::get(), operand);
    }
  }
  for (OpOperand *operand : writes) {
    if (isa<BaseMemRefType>(operand->get().getType())) {
      effects.emplace_back(MemoryEffects::Write::get(), operand);
    }
  }
  if (network) {
    effects.emplace_back(MemoryEffects::Read::get(), NetworkResource::get());
    effects.emplace_back(MemoryEffects::Write::get(), NetworkResource::get());
  }
}

// Every operand is read, the destination is written.
template <typename OpT>
static void
addCollectiveEffects(OpT op,
                     SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  SmallVector<OpOperand *> reads;
  for (OpOperand &operand : op->getOpOperands()) {
    if (operand.get() != op.getDestination()) {
      reads.push_back(&operand);
    }
  }
  addCommunicationEffects(effects, reads, {&op.getDestinationMutable()},
                          /*network=*/true);
}

// C1: element type and the extents behind dimension 0.
static LogicalResult verifyRows(Operation *op, Value source,
                                Value destination) {
  auto from = cast<ShapedType>(source.getType());
  auto to = cast<ShapedType>(destination.getType());
  if (from.getElementType() != to.getElementType() ||
      from.getRank() != to.getRank() || from.getRank() == 0 ||
      failed(verifyCompatibleShape(from.getShape().drop_front(),
                                   to.getShape().drop_front()))) {
    return op->emitOpError("expected source and destination with rows of one "
                           "type, but got ")
           << from << " and " << to;
  }
  return success();
}

// C3: offsets of a static length have one entry a rank and one more.
static LogicalResult verifyOffsets(Operation *op, FlatSymbolRefAttr mesh,
                                   AxisListAttr axes, ValueRange offsets) {
  int64_t ranks = getGroupSize(op, mesh, axes);
  for (Value value : offsets) {
    auto type = cast<ShapedType>(value.getType());
    if (type.hasStaticShape() && ranks && type.getDimSize(0) != ranks + 1) {
      return op->emitOpError("expected offsets of length ")
             << ranks + 1 << ", but got " << type.getDimSize(0);
    }
  }
  return success();
}

// C3 of the equal collectives: extents of dimension 0 in a fixed ratio.
static LogicalResult verifyRatio(Operation *op, Value small, Value large,
                                 int64_t ranks) {
  int64_t part = cast<ShapedType>(small.getType()).getDimSize(0);
  int64_t whole = cast<ShapedType>(large.getType()).getDimSize(0);
  if (ShapedType::isDynamic(part) || ShapedType::isDynamic(whole) ||
      ranks == 0 || part * ranks == whole) {
    return success();
  }
  return op->emitOpError("expected ") << ranks << " parts of " << part
                                      << " rows, but got " << whole << " rows";
}

static LogicalResult verifyEqualParts(Operation *op, Value value,
                                      int64_t ranks) {
  int64_t rows = cast<ShapedType>(value.getType()).getDimSize(0);
  if (ShapedType::isDynamic(rows) || ranks == 0 || rows % ranks == 0) {
    return success();
  }
  return op->emitOpError("expected rows for ")
         << ranks << " equal parts, but got " << rows;
}

// A gather or a reduction gives all ranks of the group the same; what else is
// exchanged differs from rank to rank. What was in the destination before is
// gone; its extents stay.
static void addCollectiveFlows(CollectiveOpInterface op,
                               UniformityFlows &flows) {
  CollectiveKind kind = op.getCollectiveKind();
  bool equalizes = kind == CollectiveKind::AllGather ||
                   kind == CollectiveKind::AllGatherV ||
                   kind == CollectiveKind::AllReduce;
  AxisListAttr axes = op.getAxesAttr();
  Value destination = op.getCollectiveDestination();
  SmallVector<Value> filled(op->getResults());
  if (isa<BaseMemRefType>(destination.getType())) {
    filled.push_back(destination);
  }
  for (Value result : filled) {
    if (!equalizes) {
      flows.addRank(result, Aspect::Contents, axes);
    }
    for (auto [index, read] : llvm::enumerate(op.getCollectiveReads())) {
      // Offsets are the rank's own.
      bool isSource = index == 0;
      flows.add(result, Aspect::Contents, read, Aspect::Contents,
                equalizes && isSource ? axes : AxisListAttr());
    }
    flows.add(result, Aspect::Contents, destination, Aspect::Extents);
    flows.add(result, Aspect::Extents, destination, Aspect::Extents);
  }
}

#define COMM_COLLECTIVE_METHODS(OpT, Kind)                                     \
  void OpT::getEffects(                                                        \
      SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {               \
    addCollectiveEffects(*this, effects);                                      \
  }                                                                            \
  CollectiveKind OpT::getCollectiveKind() { return CollectiveKind::Kind; }     \
  Value OpT::getCollectiveDestination() { return getDestination(); }           \
  void OpT::addUniformityFlows(UniformityFlows &flows) {                       \
    addCollectiveFlows(*this, flows);                                          \
  }                                                                            \
  LogicalResult OpT::verify() {                                                \
    return verifyRows(*this, getSource(), getDestination());                   \
  }

COMM_COLLECTIVE_METHODS(AllToAllVOp, AllToAllV)
COMM_COLLECTIVE_METHODS(AllToAllOp, AllToAll)
COMM_COLLECTIVE_METHODS(AllGatherOp, AllGather)
COMM_COLLECTIVE_METHODS(AllGatherVOp, AllGatherV)
COMM_COLLECTIVE_METHODS(ReduceScatterOp, ReduceScatter)
COMM_COLLECTIVE_METHODS(AllReduceOp, AllReduce)
#undef COMM_COLLECTIVE_METHODS

SmallVector<Value> AllToAllVOp::getCollectiveReads() {
  return {getSource(), getSendOffsets(), getReceiveOffsets()};
}
SmallVector<Value> AllToAllOp::getCollectiveReads() { return {getSource()}; }
SmallVector<Value> AllGatherOp::getCollectiveReads() { return {getSource()}; }
SmallVector<Value> AllGatherVOp::getCollectiveReads() {
  return {getSource(), getOffsets()};
}
SmallVector<Value> ReduceScatterOp::getCollectiveReads() {
  return {getSource()};
}
SmallVector<Value> AllReduceOp::getCollectiveReads() { return {getSource()}; }

// C2 of every collective, then its C3.
LogicalResult AllToAllVOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  return verifyOffsets(*this, getMeshAttr(), getAxes(),
                       {getSendOffsets(), getReceiveOffsets()});
}
LogicalResult AllToAllOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  int64_t ranks = getGroupSize(*this, getMeshAttr(), getAxes());
  return failure(failed(verifyEqualParts(*this, getSource(), ranks)) ||
                 failed(verifyRatio(*this, getSource(), getDestination(), 1)));
}
LogicalResult AllGatherOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  return verifyRatio(*this, getSource(), getDestination(),
                     getGroupSize(*this, getMeshAttr(), getAxes()));
}
LogicalResult AllGatherVOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  return verifyOffsets(*this, getMeshAttr(), getAxes(), {getOffsets()});
}
LogicalResult ReduceScatterOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  return verifyRatio(*this, getDestination(), getSource(),
                     getGroupSize(*this, getMeshAttr(), getAxes()));
}
LogicalResult AllReduceOp::verifySymbolUses(SymbolTableCollection &) {
  if (failed(verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  return verifyRatio(*this, getSource(), getDestination(), 1);
}

LogicalResult BarrierOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}

void BarrierOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCommunicationEffects(effects, {}, {}, /*network=*/true);
}

CollectiveKind StartOp::getCollectiveKind() { return getKind(); }
Value StartOp::getCollectiveDestination() { return getDestination(); }
SmallVector<Value> StartOp::getCollectiveReads() {
  SmallVector<Value> reads{getSource()};
  llvm::append_range(reads, getOffsets());
  return reads;
}

void StartOp::addUniformityFlows(UniformityFlows &flows) {
  addCollectiveFlows(*this, flows);
}

void StartOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCollectiveEffects(*this, effects);
}

LogicalResult StartOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}

LogicalResult StartOp::verify() {
  // C2
  size_t expected = getKind() == CollectiveKind::AllToAllV    ? 2
                    : getKind() == CollectiveKind::AllGatherV ? 1
                                                              : 0;
  if (getOffsets().size() != expected) {
    return emitOpError("expected ")
           << expected << " offsets for " << stringifyCollectiveKind(getKind())
           << ", but got " << getOffsets().size();
  }
  // C3
  bool reduces = getKind() == CollectiveKind::ReduceScatter ||
                 getKind() == CollectiveKind::AllReduce;
  if (reduces != getReduction().has_value()) {
    return emitOpError("expected a reduction exactly with reduce_scatter and "
                       "all_reduce, but got ")
           << stringifyCollectiveKind(getKind())
           << (reduces ? " without" : " with") << " one";
  }
  return verifyRows(*this, getSource(), getDestination());
}

void WaitOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCollectiveEffects(*this, effects);
}

LogicalResult WaitOp::verify() {
  // C1
  auto start = getPending().getDefiningOp<StartOp>();
  if (!start) {
    return success();
  }
  SmallVector<Value> inFlight = start.getCollectiveReads();
  if (!llvm::equal(inFlight, getReads())) {
    InFlightDiagnostic diagnostic =
        emitOpError("expected to read what its comm.start has in flight");
    diagnostic.attachNote(start.getLoc()) << "started here";
    return diagnostic;
  }
  Value destination = start.getResults().empty() ? start.getDestination()
                                                 : start.getResults().front();
  if (getDestination() != destination) {
    InFlightDiagnostic diagnostic =
        emitOpError("expected the destination of its comm.start");
    diagnostic.attachNote(start.getLoc()) << "started here";
    return diagnostic;
  }
  return success();
}

// The ticket stands for all that its start has in flight. What was in the
// destination before is gone; its extents stay.
void WaitOp::addUniformityFlows(UniformityFlows &flows) {
  for (Value result : getResults()) {
    flows.add(result, Aspect::Contents, getPending(), Aspect::Contents);
    flows.add(result, Aspect::Contents, getDestination(), Aspect::Extents);
    flows.add(result, Aspect::Extents, getDestination(), Aspect::Extents);
  }
}

LogicalResult HostExtentOp::verify() {
  return verifyBound(*this, getBound()); // C1
}

void HostExtentOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCommunicationEffects(effects, {&getOffsetsMutable()}, {},
                          /*network=*/true);
}

LogicalResult CheckBoundOp::verify() {
  return verifyBound(*this, getBound()); // C1
}

void CheckBoundOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCommunicationEffects(effects, {&getCountsMutable()}, {&getCountsMutable()},
                          /*network=*/true);
}

// Each stands for a collective of its own.
void FaultWordsOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addCommunicationEffects(effects, {}, {}, /*network=*/true);
}
