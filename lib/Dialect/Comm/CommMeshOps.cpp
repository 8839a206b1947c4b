// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::comm;

MeshOp mlir::comm::lookupMesh(Operation *from, FlatSymbolRefAttr mesh) {
  return SymbolTable::lookupNearestSymbolFrom<MeshOp>(from, mesh);
}

LogicalResult mlir::comm::verifyMeshAxes(EmitErrorFn emitError, Operation *from,
                                         FlatSymbolRefAttr mesh,
                                         AxisListAttr axes) {
  MeshOp op = lookupMesh(from, mesh);
  if (!op) {
    return emitError() << "expected a mesh named " << mesh;
  }
  for (auto [index, axis] : llvm::enumerate(axes.getAxes())) {
    if (op.getAxisSize(axis) == 0) {
      InFlightDiagnostic diagnostic =
          emitError() << "expected axes of mesh " << mesh << ", but got "
                      << axis.getName()
                      << (axis.isSubAxis() ? " with sizes that do not divide it"
                                           : "");
      diagnostic.attachNote(op.getLoc()) << "the mesh is here";
      return diagnostic;
    }
    for (AxisRefAttr earlier : axes.getAxes().take_front(index)) {
      if (axis.overlaps(earlier)) {
        return emitError() << "expected each axis once, but got "
                           << axis.getName() << " twice in " << axes;
      }
    }
  }
  return success();
}

LogicalResult mlir::comm::verifyMeshAxes(Operation *user,
                                         FlatSymbolRefAttr mesh,
                                         AxisListAttr axes) {
  return verifyMeshAxes([&] { return user->emitOpError(); }, user, mesh, axes);
}

LogicalResult mlir::comm::verifySharding(EmitErrorFn emitError, Operation *from,
                                         ShardingAttr sharding, Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank()) {
    return emitError() << "expected a sharding of a value with dimensions, but "
                          "got one of a "
                       << type;
  }
  if (static_cast<int64_t>(sharding.getDims().size()) != shaped.getRank()) {
    return emitError() << "expected a sharding of " << shaped.getRank()
                       << " dimensions, but got " << sharding;
  }
  SmallVector<AxisRefAttr> axes;
  for (AxisListAttr dim : sharding.getDims()) {
    llvm::append_range(axes, dim.getAxes());
  }
  return verifyMeshAxes(emitError, from, sharding.getMesh(),
                        AxisListAttr::get(from->getContext(), axes));
}

LogicalResult mlir::comm::verifyBound(Operation *op, int64_t bound) {
  if (bound >= 1 && bound <= kMaxCount) {
    return success();
  }
  return op->emitOpError("expected a bound from 1 to ")
         << kMaxCount << " rows, but got " << bound;
}

int64_t mlir::comm::getGroupSize(Operation *from, FlatSymbolRefAttr mesh,
                                 AxisListAttr axes) {
  MeshOp op = lookupMesh(from, mesh);
  return op ? op.getAxisListSize(axes) : 0;
}

// Whether the product of `sizes` is a number of ranks.
static bool isCount(ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes) {
    if (size > kMaxCount / product) {
      return false;
    }
    product *= size;
  }
  return true;
}

int64_t TopologyOp::getDeviceCount() {
  int64_t count = 1;
  for (TierAttr tier : getTiers().getAsRange<TierAttr>()) {
    count *= tier.getSize();
  }
  return count;
}

bool TopologyOp::describesSame(TopologyOp other) {
  return getTiers() == other.getTiers() &&
         getNodeAttr() == other.getNodeAttr() &&
         getLinksAttr() == other.getLinksAttr();
}

/// The vertices of a node by name, or failure where two have the same.
static FailureOr<llvm::StringMap<VertexAttr>> collectVertices(TopologyOp op) {
  llvm::StringMap<VertexAttr> vertices;
  for (VertexAttr vertex : op.getNodeAttr().getAsRange<VertexAttr>()) {
    if (!vertices.try_emplace(vertex.getName().getValue(), vertex).second) {
      return op.emitOpError("expected distinct vertices, but got ")
             << vertex.getName() << " twice";
    }
  }
  return vertices;
}

/// Checks `node` and `links`.
static LogicalResult verifyNode(TopologyOp op) {
  // C5
  FailureOr<llvm::StringMap<VertexAttr>> vertices = collectVertices(op);
  if (failed(vertices)) {
    return failure();
  }
  int64_t gpus = llvm::count_if(*vertices, [](const auto &entry) {
    return entry.second.getKind() == VertexKind::GPU;
  });
  if (gpus == 0) {
    return op.emitOpError("expected a GPU among the vertices of the node");
  }
  // C6
  for (LinkAttr link : op.getLinksAttr().getAsRange<LinkAttr>()) {
    for (StringAttr end : {link.getFrom(), link.getTo()}) {
      if (!vertices->contains(end.getValue())) {
        return op.emitOpError("expected links between vertices of the node, "
                              "but got ")
               << end;
      }
    }
  }
  // C7
  int64_t inside = 1;
  for (TierAttr tier : llvm::reverse(
           SmallVector<TierAttr>(op.getTiers().getAsRange<TierAttr>()))) {
    inside *= inside < gpus ? tier.getSize() : 1;
  }
  if (inside != gpus) {
    return op.emitOpError("expected the innermost tiers to hold the ")
           << gpus << " GPUs of a node, but got " << inside;
  }
  return success();
}

LogicalResult TopologyOp::verify() {
  // C1
  if (getTiers().empty()) {
    return emitOpError("expected at least one tier");
  }
  // C2
  llvm::StringSet<> names;
  SmallVector<int64_t> sizes;
  for (TierAttr tier : getTiers().getAsRange<TierAttr>()) {
    if (!names.insert(tier.getName().getValue()).second) {
      return emitOpError("expected distinct tiers, but got ")
             << tier.getName() << " twice";
    }
    sizes.push_back(tier.getSize());
  }
  // C3
  if (!isCount(sizes)) {
    return emitOpError("expected at most ") << kMaxCount << " devices";
  }
  // C4
  if (static_cast<bool>(getNodeAttr()) != static_cast<bool>(getLinksAttr())) {
    return emitOpError("expected 'node' and 'links' together, but got only '")
           << (getNodeAttr() ? "node" : "links") << "'";
  }
  return getNodeAttr() ? verifyNode(*this) : success();
}

int64_t MeshOp::getRankCount() {
  int64_t count = 1;
  for (MeshAxisAttr axis : getAxes().getAsRange<MeshAxisAttr>()) {
    count *= axis.getSize();
  }
  return count;
}

int64_t MeshOp::getAxisSize(AxisRefAttr ref) {
  for (MeshAxisAttr axis : getAxes().getAsRange<MeshAxisAttr>()) {
    if (axis.getName() != ref.getName()) {
      continue;
    }
    if (!ref.isSubAxis()) {
      return axis.getSize();
    }
    bool divides = axis.getSize() % (ref.getPreSize() * ref.getSize()) == 0;
    return divides ? ref.getSize() : 0;
  }
  return 0;
}

int64_t MeshOp::getAxisListSize(AxisListAttr axes) {
  int64_t size = 1;
  for (AxisRefAttr axis : axes.getAxes()) {
    size *= getAxisSize(axis);
  }
  return size;
}

LogicalResult MeshOp::verify() {
  // C1
  if (getAxes().empty()) {
    return emitOpError("expected at least one axis");
  }
  llvm::StringSet<> names;
  SmallVector<int64_t> sizes;
  for (MeshAxisAttr axis : getAxes().getAsRange<MeshAxisAttr>()) {
    if (axis.getSize() < 1) {
      return emitOpError("expected axis ")
             << axis.getName() << " to have a positive size, but got "
             << axis.getSize();
    }
    if (!names.insert(axis.getName().getValue()).second) {
      return emitOpError("expected distinct axes, but got ")
             << axis.getName() << " twice";
    }
    sizes.push_back(axis.getSize());
  }
  // C4
  if (!isCount(sizes)) {
    return emitOpError("expected at most ") << kMaxCount << " ranks";
  }
  // C3
  if (std::optional<ArrayRef<int64_t>> order = getOrder()) {
    SmallVector<bool> seen(order->size(), false);
    bool permutation = static_cast<int64_t>(order->size()) == getRankCount();
    for (int64_t device : *order) {
      permutation = permutation && device >= 0 && device < getRankCount() &&
                    !seen[device];
      if (!permutation) {
        break;
      }
      seen[device] = true;
    }
    if (!permutation) {
      return emitOpError("expected 'order' to be a permutation of the ")
             << getRankCount() << " devices";
    }
  }
  return success();
}

LogicalResult MeshOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C2
  FlatSymbolRefAttr name = getTopologyAttr();
  if (!name) {
    return success();
  }
  auto topology = symbols.lookupNearestSymbolFrom<TopologyOp>(*this, name);
  if (!topology) {
    return emitOpError("expected a topology named ") << name;
  }
  if (topology.getDeviceCount() != getRankCount()) {
    InFlightDiagnostic diagnostic =
        emitOpError("expected the product of the axes to be the device count "
                    "of the topology, but got ")
        << getRankCount() << " and " << topology.getDeviceCount();
    diagnostic.attachNote(topology.getLoc()) << "the topology is here";
    return diagnostic;
  }
  return success();
}

LogicalResult RankOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}
LogicalResult LocalExtentOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}
LogicalResult LocalOffsetOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}
LogicalResult ShardOffsetsOp::verifySymbolUses(SymbolTableCollection &) {
  return verifyMeshAxes(*this, getMeshAttr(), getAxes()); // C1
}

void ShardOffsetsOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  SmallVector<OpOperand *> writes;
  for (OpOperand &operand : getOutsMutable()) {
    writes.push_back(&operand);
  }
  addCommunicationEffects(effects, {}, writes, /*network=*/false);
}
