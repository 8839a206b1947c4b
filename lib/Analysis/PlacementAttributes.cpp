// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placements as attributes, and back; a part of Analysis/PlanAttributes.h.

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Planning/RankDistance.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// A table's entries name ranks, of which each has at most one slot for the
/// expert.
static planning::ReplicaTable toPlanning(ReplicaTableAttr table,
                                         const planning::PlacementData &data,
                                         ArrayRef<int64_t> firstSlots) {
  std::vector<planning::ReplicaTable::Run> runs;
  for (auto [host, begin] :
       llvm::zip_equal(table.getHosts(), table.getBegins())) {
    const std::vector<int64_t> &experts = data.expertsByRank[host];
    auto local = llvm::find(experts, table.getExpert());
    runs.push_back({begin, firstSlots[host] + (local - experts.begin())});
  }
  return planning::ReplicaTable(data.rankCount() * planning::tokenClasses,
                                runs);
}

planning::PlacementData mlir::moe::toPlacementData(PlacementOp placement) {
  planning::PlacementData data;
  data.expertCount = placement.getExperts();
  std::vector<int64_t> firstSlots;
  int64_t slots = 0;
  for (auto rank : placement.getSlots().getAsRange<DenseI64ArrayAttr>()) {
    firstSlots.push_back(slots);
    data.expertsByRank.push_back(rank.asArrayRef().vec());
    slots += rank.size();
  }
  if (ArrayAttr tables = placement.getReplicasAttr()) {
    for (auto table : tables.getAsRange<ReplicaTableAttr>()) {
      data.replicaTables[table.getExpert()] =
          ::toPlanning(table, data, firstSlots);
    }
  }
  return data;
}

/// Whether the default rule serves any expert.
static bool usesDefaultRule(const planning::PlacementData &data) {
  std::vector<int64_t> replicas(data.expertCount);
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    for (int64_t expert : experts) {
      if (expert >= 0 && ++replicas[expert] > 1 &&
          !data.replicaTables.count(expert)) {
        return true;
      }
    }
  }
  return false;
}

llvm::Expected<planning::Placement>
mlir::moe::toPlanning(PlacementOp placement) {
  planning::PlacementData data = toPlacementData(placement);
  auto module = placement->getParentOfType<ModuleOp>();
  auto meshOp = SymbolTable::lookupNearestSymbolFrom<comm::MeshOp>(
      placement, placement.getMeshAttr());
  auto topologies = module.getOps<comm::TopologyOp>();
  if (!usesDefaultRule(data) || !meshOp || topologies.empty()) {
    return planning::Placement::create(data);
  }
  llvm::Expected<planning::Topology> topology = toPlanning(*topologies.begin());
  if (!topology) {
    return topology.takeError();
  }
  llvm::Expected<planning::Mesh> mesh = toPlanning(meshOp);
  if (!mesh) {
    return mesh.takeError();
  }
  if (llvm::Error error = mesh->verifyOn(*topology)) {
    return std::move(error);
  }
  planning::RankDistance distance(*mesh, toPlanning(placement.getAxes()),
                                  std::move(*topology));
  return planning::Placement::create(data, distance);
}

static ReplicaTableAttr toAttribute(MLIRContext *context, int64_t expert,
                                    const planning::ReplicaTable &table,
                                    const planning::Placement &placement) {
  SmallVector<int64_t> hosts, begins;
  for (const planning::ReplicaTable::Run &run : table.runs()) {
    hosts.push_back(placement.rankOfSlot(run.slot));
    begins.push_back(run.begin);
  }
  return ReplicaTableAttr::get(context, expert, hosts, begins);
}

PlacementAttributes
mlir::moe::toAttributes(MLIRContext *context,
                        const planning::Placement &placement,
                        planning::Placement::Distance distance) {
  Builder builder(context);
  planning::PlacementData data = placement.data();
  SmallVector<Attribute> ranks, tables;
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    ranks.push_back(builder.getDenseI64ArrayAttr(experts));
  }
  for (const auto &[expert, table] : data.replicaTables) {
    if (!placement.isServedByDefault(expert, distance)) {
      tables.push_back(::toAttribute(context, expert, table, placement));
    }
  }
  return {builder.getArrayAttr(ranks),
          tables.empty() ? ArrayAttr() : builder.getArrayAttr(tables)};
}
