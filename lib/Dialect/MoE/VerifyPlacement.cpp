// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `moe.placement` must fulfil.

#include "moe/Dialect/MoE/MoE.h"

#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace mlir::moe;

int64_t PlacementOp::getLocalSlots() {
  size_t most = 0;
  for (auto rank : getSlots().getAsRange<DenseI64ArrayAttr>()) {
    most = std::max(most, rank.asArrayRef().size());
  }
  return static_cast<int64_t>(most);
}

ArrayRef<int64_t> PlacementOp::getSlotsOfRank(int64_t rank) {
  return cast<DenseI64ArrayAttr>(getSlots()[rank]).asArrayRef();
}

/// Counts the slots of each expert. Fails on numbers that are no experts and on
/// an expert that a rank has twice.
static LogicalResult countReplicas(PlacementOp placement,
                                   MutableArrayRef<int64_t> replicas) {
  int64_t experts = replicas.size();
  for (auto [rank, list] :
       llvm::enumerate(placement.getSlots().getAsRange<DenseI64ArrayAttr>())) {
    llvm::SmallSet<int64_t, 16> here;
    for (int64_t expert : list.asArrayRef()) {
      // C2
      if (expert < -1 || expert >= experts) {
        return placement.emitOpError("expected experts from 0 to ")
               << experts - 1 << " or -1 on rank " << rank << ", but got "
               << expert;
      }
      if (expert == -1) {
        continue;
      }
      // C4
      if (!here.insert(expert).second) {
        return placement.emitOpError(
                   "expected each expert once a rank, but got expert ")
               << expert << " twice on rank " << rank;
      }
      ++replicas[expert];
    }
  }
  return success();
}

/// One expert's table; `replicas` are the slots of each expert.
static LogicalResult verifyTable(PlacementOp placement, ReplicaTableAttr table,
                                 ArrayRef<int64_t> replicas) {
  int64_t expert = table.getExpert();
  // C6
  if (expert < 0 || expert >= static_cast<int64_t>(replicas.size()) ||
      replicas[expert] < 2) {
    return placement.emitOpError("expected replica tables of experts with "
                                 "several slots, but got one of expert ")
           << expert;
  }
  int64_t ranks = placement.getSlots().size();
  for (int64_t host : table.getHosts()) {
    // C7
    if (host < 0 || host >= ranks ||
        !llvm::is_contained(placement.getSlotsOfRank(host), expert)) {
      return placement.emitOpError("expected the table of expert ")
             << expert << " to name ranks that host it, but got rank " << host;
    }
  }
  // C8; entries ascend
  int64_t last = table.getBegins().back() / ReplicaTableAttr::kTokenClasses;
  if (last >= ranks) {
    return placement.emitOpError("expected source ranks from 0 to ")
           << ranks - 1 << " in the table of expert " << expert << ", but got "
           << last;
  }
  return success();
}

static LogicalResult verifyTables(PlacementOp placement,
                                  ArrayRef<int64_t> replicas) {
  if (!placement.getReplicas()) {
    return success();
  }
  int64_t previous = -1;
  for (auto table :
       placement.getReplicasAttr().getAsRange<ReplicaTableAttr>()) {
    if (failed(verifyTable(placement, table, replicas))) {
      return failure();
    }
    // C6
    if (table.getExpert() <= previous) {
      return placement.emitOpError("expected replica tables by ascending "
                                   "expert, but got expert ")
             << table.getExpert() << " after expert " << previous;
    }
    previous = table.getExpert();
  }
  return success();
}

LogicalResult PlacementOp::verify() {
  int64_t experts = getExperts();
  if (experts < 1) {
    return emitOpError("expected at least one expert, but got ") << experts;
  }
  // C3, before there is a list of so many
  int64_t slots = 0;
  for (auto list : getSlots().getAsRange<DenseI64ArrayAttr>()) {
    slots += list.size();
  }
  if (experts > slots) {
    return emitOpError("expected a slot for each of the ")
           << experts << " experts, but got " << slots << " slots";
  }
  SmallVector<int64_t> replicas(experts, 0);
  if (failed(countReplicas(*this, replicas))) {
    return failure();
  }
  // C3
  const int64_t *lost = llvm::find(replicas, 0);
  if (lost != replicas.end()) {
    return emitOpError("expected a slot for every expert, but expert ")
           << (lost - replicas.begin()) << " has none";
  }
  return verifyTables(*this, replicas);
}

LogicalResult PlacementOp::verifySymbolUses(SymbolTableCollection &) {
  // C5
  if (failed(comm::verifyMeshAxes(*this, getMeshAttr(), getAxes()))) {
    return failure();
  }
  // C1
  int64_t ranks = comm::getGroupSize(*this, getMeshAttr(), getAxes());
  if (static_cast<int64_t>(getSlots().size()) != ranks) {
    return emitOpError("expected slots of ")
           << ranks << " ranks, but got " << getSlots().size();
  }
  return success();
}
