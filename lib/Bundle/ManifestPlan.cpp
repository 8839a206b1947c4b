// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between a plan and its plain data.

#include "moe/Bundle/Manifest.h"

#include "moe/TopologyFiles/TopologyFile.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::bundle;
using namespace moe::runner;
using llvm::formatv;
using moe::planning::Mesh;
using moe::planning::Placement;
using moe::planning::PlacementData;
using moe::planning::ReplicaTable;
using moe::planning::Topology;

llvm::StringRef moe::bundle::nameOf(ProgramKind kind) {
  return kind == ProgramKind::Partitioned ? "program" : "reference";
}

PlacementEntry moe::bundle::toEntry(const Placement &placement,
                                    const Axes &axes) {
  PlacementData data = placement.data();
  PlacementEntry entry{
      axes, data.expertCount, std::move(data.expertsByRank), {}};
  for (const auto &[expert, table] : data.replicaTables) {
    ReplicaData replicas{expert, table.cells(), {}};
    for (const ReplicaTable::Run &run : table.runs()) {
      replicas.runs.push_back({run.begin, run.slot});
    }
    entry.replicas.push_back(std::move(replicas));
  }
  return entry;
}

llvm::Expected<Placement>
moe::bundle::toPlacement(const PlacementEntry &entry) {
  PlacementData data;
  data.expertCount = entry.experts;
  data.expertsByRank = entry.slots;
  for (const ReplicaData &replicas : entry.replicas) {
    std::vector<ReplicaTable::Run> runs;
    for (const std::vector<int64_t> &run : replicas.runs) {
      int64_t least = runs.empty() ? 0 : runs.back().begin + 1;
      if (run.size() != 2 || run[0] < least || run[0] >= replicas.cells ||
          (runs.empty() && run[0] != 0)) {
        return llvm::createStringError(
            formatv("expected runs of ascending cells, the first at 0, for "
                    "expert {0}",
                    replicas.expert));
      }
      runs.push_back({run[0], run[1]});
    }
    if (runs.empty()) {
      return llvm::createStringError(
          formatv("expected a run for expert {0}", replicas.expert));
    }
    data.replicaTables[replicas.expert] = ReplicaTable(replicas.cells, runs);
  }
  return Placement::create(data);
}

void Manifest::setPlan(const PlannedLayer &planned) {
  facts = planned.facts;
  options = planned.recordedOptions;
  const LayerTraffic &from = planned.traffic;
  mesh = {from.mesh.axes().vec(), from.mesh.deviceOrder().vec()};
  traffic = {planned.placement,  from.loads,
             from.tokenAxes,     from.expertAxes,
             from.columnAxes,    from.choices,
             from.outputColumns, from.outputElementBytes,
             from.dispatch,      from.combine};
  arguments = planned.layout.arguments;
  results = planned.layout.results;
  weights = planned.layout.weights;
  localSlots = planned.layout.placements.at(planned.placement).localSlots;
  placements.clear();
  for (const auto &[name, symbol] : planned.layout.placements) {
    placements.emplace(name, toEntry(symbol.placement, symbol.axes));
  }
}

/// The axes that a manifest names, against its mesh.
static llvm::Error verifyAxes(const Manifest &manifest, const Mesh &mesh) {
  std::vector<Axes> all = {
      manifest.traffic.tokenAxes, manifest.traffic.expertAxes,
      manifest.traffic.columnAxes, manifest.traffic.dispatch.axes,
      manifest.traffic.combine.axes};
  for (const std::vector<Port> *ports :
       {&manifest.arguments, &manifest.results}) {
    for (const Port &port : *ports) {
      all.push_back(port.rowAxes);
      all.push_back(port.columnAxes);
    }
  }
  for (const auto &[name, placement] : manifest.placements) {
    all.push_back(placement.axes);
  }
  for (const auto &[name, program] : manifest.programs) {
    llvm::append_range(all, program.groups);
    for (const Handle &handle : program.handles) {
      llvm::append_range(all, handle.sharding);
    }
  }
  for (const Axes &axes : all) {
    if (llvm::Error error = mesh.verifyAxes(axes)) {
      return error;
    }
  }
  return llvm::Error::success();
}

static llvm::Expected<ProgramLayout> makeLayout(const Manifest &manifest,
                                                const Mesh &mesh) {
  std::vector<int64_t> identity(mesh.deviceCount());
  for (auto [rank, device] : llvm::enumerate(identity)) {
    device = rank;
  }
  llvm::Expected<Mesh> ranks = mesh.withDeviceOrder(identity);
  if (!ranks) {
    return ranks.takeError();
  }
  ProgramLayout layout{
      *ranks, manifest.arguments, manifest.results, {}, {}, manifest.weights,
      {}};
  for (const auto &[name, entry] : manifest.placements) {
    llvm::Expected<Placement> placement = toPlacement(entry);
    if (!placement) {
      return placement.takeError();
    }
    if (placement->rankCount() != mesh.groupSize(entry.axes) ||
        placement->localSlots() > manifest.localSlots) {
      return llvm::createStringError(
          formatv("placement {0}: expected {1} ranks of at most {2} slots, but "
                  "got {3} of {4}",
                  name, mesh.groupSize(entry.axes), manifest.localSlots,
                  placement->rankCount(), placement->localSlots()));
    }
    layout.placements.emplace(name,
                              PlacementSymbol{std::move(*placement), entry.axes,
                                              manifest.localSlots});
  }
  return layout;
}

llvm::Expected<PlannedLayer> Manifest::plan() const {
  if (packing != mlir::moe::PackedLayout::description) {
    return llvm::createStringError(
        formatv("expected code for weights packed as {0}, but got {1}",
                mlir::moe::PackedLayout::description, packing));
  }
  llvm::Expected<Mesh> devices = Mesh::create(mesh.axes, mesh.order);
  if (!devices) {
    return devices.takeError();
  }
  if (llvm::Error error = verifyAxes(*this, *devices)) {
    return std::move(error);
  }
  llvm::Expected<Topology> cluster = topology::readCommTopology(
      llvm::MemoryBufferRef(topology, "topology"), topology::TopologyOptions());
  if (!cluster) {
    return cluster.takeError();
  }
  if (llvm::Error error = devices->verifyOn(*cluster)) {
    return std::move(error);
  }
  llvm::Expected<ProgramLayout> layout = makeLayout(*this, *devices);
  if (!layout) {
    return layout.takeError();
  }
  auto symbol = layout->placements.find(traffic.placement);
  if (symbol == layout->placements.end() ||
      !layout->findArgument(Port::Role::Tokens) ||
      !layout->findResult(Port::Role::Output)) {
    return llvm::createStringError(
        formatv("expected the placement '{0}', tokens and an output",
                traffic.placement));
  }
  LayerTraffic carried{*devices,
                       *cluster,
                       symbol->second.placement,
                       traffic.loads,
                       traffic.tokenAxes,
                       traffic.expertAxes,
                       traffic.columnAxes,
                       traffic.choices,
                       traffic.outputColumns,
                       traffic.outputElementBytes,
                       traffic.dispatch,
                       traffic.combine};
  PlannedLayer planned{facts, std::move(carried), std::move(*layout),
                       traffic.placement, options};
  if (replaced) {
    llvm::Expected<Placement> before = toPlacement(*replaced);
    if (!before) {
      return before.takeError();
    }
    planned.replaced = std::move(*before);
  }
  return planned;
}

llvm::Expected<ProgramLayout> Manifest::layoutOf(ProgramKind kind) const {
  llvm::Expected<PlannedLayer> planned = plan();
  if (!planned) {
    return planned.takeError();
  }
  const ProgramData &program = programs.at(nameOf(kind).str());
  ProgramLayout layout = std::move(planned->layout);
  layout.handles = program.handles;
  layout.groups = program.groups;
  for (const Handle &handle : layout.handles) {
    bool hasWeight = handle.kind == Handle::Kind::Placement ||
                     layout.weights.count(handle.weight);
    bool hasPlacement =
        handle.placement.empty() || layout.placements.count(handle.placement);
    if (!hasWeight || !hasPlacement) {
      return llvm::createStringError(
          formatv("expected the weight '{0}' and the placement '{1}' of a "
                  "handle",
                  handle.weight, handle.placement));
    }
  }
  return layout;
}
