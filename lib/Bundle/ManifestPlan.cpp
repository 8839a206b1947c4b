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

PlacementEntry moe::bundle::toEntry(const PlacementSymbol &symbol) {
  PlacementData data = symbol.placement.data();
  PlacementEntry entry{symbol.axes,
                       data.expertCount,
                       std::move(data.expertsByRank),
                       {},
                       symbol.localSlots};
  for (const auto &[expert, table] : data.replicaTables) {
    ReplicaData replicas{expert, table.cells(), {}};
    for (const ReplicaTable::Run &run : table.runs()) {
      replicas.runs.push_back({run.begin, run.slot});
    }
    entry.replicas.push_back(std::move(replicas));
  }
  return entry;
}

/// Runs that a table can be made of.
static llvm::Expected<ReplicaTable> toTable(const ReplicaData &replicas) {
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
  return ReplicaTable(replicas.cells, runs);
}

llvm::Expected<Placement> moe::bundle::toPlacement(const PlacementEntry &entry,
                                                   int64_t ranks) {
  PlacementData data;
  data.expertCount = entry.experts;
  data.expertsByRank = entry.slots;
  for (const ReplicaData &replicas : entry.replicas) {
    llvm::Expected<ReplicaTable> table = toTable(replicas);
    if (!table) {
      return table.takeError();
    }
    data.replicaTables[replicas.expert] = std::move(*table);
  }
  if (llvm::Error error = moe::planning::verify(data, entry.experts, ranks)) {
    return std::move(error);
  }
  llvm::Expected<Placement> placement = Placement::create(data);
  if (placement && placement->localSlots() > entry.localSlots) {
    return llvm::createStringError(
        formatv("expected at most {0} slots on a rank, for which the code is "
                "compiled, but got {1}",
                entry.localSlots, placement->localSlots()));
  }
  return placement;
}

static LayerData toData(const PlannedLayer &layer) {
  const LayerTraffic &traffic = layer.traffic;
  return {layer.name,
          layer.number,
          layer.experts,
          layer.placement,
          layer.placementPolicy,
          /*replaced=*/std::nullopt,
          traffic.loads,
          traffic.tokenAxes,
          traffic.expertAxes,
          traffic.columnAxes,
          traffic.choices,
          traffic.outputColumns,
          traffic.outputElementBytes,
          traffic.dispatch,
          traffic.combine};
}

void Manifest::setPlan(const PlannedProgram &planned) {
  facts = planned.facts;
  options = planned.recordedOptions;
  mesh = {planned.mesh.axes().vec(), planned.mesh.deviceOrder().vec()};
  arguments = planned.layout.arguments;
  results = planned.layout.results;
  weights = planned.layout.weights;
  placements.clear();
  for (const auto &[name, symbol] : planned.layout.placements) {
    placements.emplace(name, toEntry(symbol));
  }
  layers.clear();
  for (const PlannedLayer &layer : planned.layers) {
    layers.push_back(toData(layer));
  }
}

/// The axes that a manifest names, against its mesh.
static llvm::Error verifyAxes(const Manifest &manifest, const Mesh &mesh) {
  std::vector<Axes> all;
  for (const LayerData &layer : manifest.layers) {
    llvm::append_range(
        all, llvm::ArrayRef<Axes>{layer.tokenAxes, layer.expertAxes,
                                  layer.columnAxes, layer.dispatch.axes,
                                  layer.combine.axes});
  }
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

static llvm::Error inPlacement(const std::string &name, llvm::Error error) {
  return llvm::createStringError("placement " + name + ": " +
                                 llvm::toString(std::move(error)));
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
    llvm::Expected<Placement> placement =
        toPlacement(entry, mesh.groupSize(entry.axes));
    if (!placement) {
      return inPlacement(name, placement.takeError());
    }
    layout.placements.emplace(
        name,
        PlacementSymbol{std::move(*placement), entry.axes, entry.localSlots});
  }
  return layout;
}

static llvm::Expected<PlannedLayer> makeLayer(const LayerData &entry,
                                              const PlannedProgram &program) {
  auto symbol = program.layout.placements.find(entry.placement);
  if (symbol == program.layout.placements.end()) {
    return llvm::createStringError(
        formatv("expected the placement '{0}' of layer {1}", entry.placement,
                entry.name));
  }
  PlannedLayer layer{
      entry.name,
      entry.number,
      entry.experts,
      entry.placement,
      entry.placementPolicy,
      LayerTraffic{program.mesh, program.topology, symbol->second.placement,
                   entry.loads, entry.tokenAxes, entry.expertAxes,
                   entry.columnAxes, entry.choices, entry.outputColumns,
                   entry.outputElementBytes, entry.dispatch, entry.combine}};
  if (!entry.replaced) {
    return layer;
  }
  PlacementEntry before = *entry.replaced;
  before.experts = entry.experts;
  llvm::Expected<Placement> replaced =
      toPlacement(before, symbol->second.placement.rankCount());
  if (!replaced) {
    return inPlacement(entry.placement, replaced.takeError());
  }
  layer.replaced = std::move(*replaced);
  return layer;
}

/// The program with its mesh and topology; its layers are still to come.
static llvm::Expected<PlannedProgram> makeProgram(const Manifest &manifest) {
  llvm::Expected<Mesh> devices =
      Mesh::create(manifest.mesh.axes, manifest.mesh.order);
  if (!devices) {
    return devices.takeError();
  }
  if (llvm::Error error = verifyAxes(manifest, *devices)) {
    return std::move(error);
  }
  llvm::Expected<Topology> cluster = moe::topology::readCommTopology(
      llvm::MemoryBufferRef(manifest.topology, "topology"),
      moe::topology::TopologyOptions());
  if (!cluster) {
    return cluster.takeError();
  }
  if (llvm::Error error = devices->verifyOn(*cluster)) {
    return std::move(error);
  }
  llvm::Expected<ProgramLayout> layout = makeLayout(manifest, *devices);
  if (!layout) {
    return layout.takeError();
  }
  return PlannedProgram{manifest.facts,
                        std::move(*devices),
                        std::move(*cluster),
                        std::move(*layout),
                        {},
                        manifest.options};
}

llvm::Expected<PlannedProgram> Manifest::plan() const {
  if (packing != mlir::moe::PackedLayout::description) {
    return llvm::createStringError(
        formatv("expected code for weights packed as {0}, but got {1}",
                mlir::moe::PackedLayout::description, packing));
  }
  llvm::Expected<PlannedProgram> planned = makeProgram(*this);
  if (!planned) {
    return planned.takeError();
  }
  for (const LayerData &entry : layers) {
    llvm::Expected<PlannedLayer> layer = makeLayer(entry, *planned);
    if (!layer) {
      return layer.takeError();
    }
    planned->layers.push_back(std::move(*layer));
  }
  return planned;
}

llvm::Expected<ProgramLayout> Manifest::layoutOf(ProgramKind kind) const {
  llvm::Expected<PlannedProgram> planned = plan();
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
