// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlanReports.h"

#include "moe/Analysis/AxisTraffic.h"
#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/MeasuredLayer.h"
#include "moe/Analysis/PlacementOrigin.h"
#include "moe/Analysis/PlanAttributes.h"

#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;
using llvm::formatv;

namespace {
/// Layers of which a report says the same.
struct EqualLayers {
  SmallVector<MoELayer> layers;
  ExchangedLayer data;

  const MoELayer &front() const { return layers.front(); }
  PlacementOp getPlacement() const;
  ExchangeOp getExchange() const;
  /// The layers' numbers; nothing where one of them has none.
  std::optional<report::Numbers> getNumbers() const;
  std::string getTitle() const;
  /// What a table about them says of itself to scripts.
  std::vector<report::Fact> describe() const;
};
} // namespace

PlacementOp EqualLayers::getPlacement() const {
  UsePlacementOp handle = front().placement;
  return SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
      handle, handle.getPlacementAttr());
}

ExchangeOp EqualLayers::getExchange() const {
  ExpertsOp experts = front().experts;
  return experts.getExchangeAttr()
             ? SymbolTable::lookupNearestSymbolFrom<ExchangeOp>(
                   experts, experts.getExchangeAttr())
             : ExchangeOp();
}

std::optional<report::Numbers> EqualLayers::getNumbers() const {
  report::Numbers numbers;
  for (const MoELayer &layer : layers) {
    int64_t number = 0;
    if (StringRef(layer.getName()).getAsInteger(10, number)) {
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

static std::string joinNames(ArrayRef<MoELayer> layers) {
  std::string names;
  for (const MoELayer &layer : layers) {
    names += (names.empty() ? "" : ", ") + layer.getName();
  }
  return names;
}

/// `layers 3-60`, `layer encoder.1`
std::string EqualLayers::getTitle() const {
  std::optional<report::Numbers> numbers = getNumbers();
  return (layers.size() == 1 ? "layer " : "layers ") +
         (numbers ? report::formatNumbers(*numbers) : joinNames(layers));
}

std::vector<report::Fact> EqualLayers::describe() const {
  std::optional<report::Numbers> numbers = getNumbers();
  return {{{"layers"},
           numbers ? report::Cell(*numbers) : report::Cell(joinNames(layers))}};
}

/// Whether what is reported of two layers is the same.
static bool areEqual(const EqualLayers &group, const MoELayer &layer,
                     const ExchangedLayer &data) {
  EqualLayers other{{layer}, data};
  PlacementOp left = group.getPlacement(), right = other.getPlacement();
  return left.getSlots() == right.getSlots() &&
         left.getReplicas() == right.getReplicas() &&
         left.getPolicy() == right.getPolicy() &&
         left.getAxes() == right.getAxes() &&
         group.getExchange() == other.getExchange() &&
         group.data.shape == data.shape && group.data.loads == data.loads;
}

static FailureOr<std::vector<EqualLayers>> groupLayers(const PlanFacts &facts) {
  std::vector<EqualLayers> groups;
  for (const MoELayer &layer : facts.layers) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    auto group = llvm::find_if(groups, [&](const EqualLayers &candidate) {
      return areEqual(candidate, layer, *data);
    });
    if (group == groups.end()) {
      groups.push_back({{layer}, std::move(*data)});
    } else {
      group->layers.push_back(layer);
    }
  }
  return groups;
}

/// What every report says first.
static void addFacts(const PlanFacts &facts, report::Report &report) {
  comm::TopologyOp topology = facts.devices.op;
  report.notes.push_back(formatv("mesh {0}, up to {1} tokens",
                                 facts.mesh.toString(), facts.tokens));
  report.notes.push_back(formatv(
      "topology {0}: {1}",
      facts.devices.isDefault() ? "none given, one uniform tier of defaults"
                                : topology.getSymName(),
      facts.devices.topology.toString()));
}

/// A report of the module's layers, whose tables `fill` writes.
static FailureOr<report::Report>
makeReport(ModuleOp module, StringRef title,
           function_ref<LogicalResult(const PlanFacts &, ArrayRef<EqualLayers>,
                                      report::Report &)>
               fill) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts)) {
    return failure();
  }
  FailureOr<std::vector<EqualLayers>> groups = groupLayers(*facts);
  if (failed(groups)) {
    return failure();
  }
  report::Report result;
  result.title = title;
  addFacts(*facts, result);
  if (failed(fill(*facts, *groups, result))) {
    return failure();
  }
  return result;
}

namespace {
/// Writes the tables of placements, of which those of many layers are long.
class PlacementTables {
public:
  PlacementTables(const PlanFacts &facts, const PlacementReportOptions &options,
                  report::Report &report)
      : facts(facts), options(options), report(report) {}

  LogicalResult measure(ArrayRef<EqualLayers> groups);
  void addSummary();
  void addLayers();

private:
  struct Measured {
    const EqualLayers *group = nullptr;
    planning::PlacementResult result;
  };

  std::vector<size_t> findLargest() const;
  void addLayer(const Measured &layer);
  /// Null where times are of defaults, which say nothing.
  const planning::Topology *getTopology() const {
    return facts.devices.isDefault() ? nullptr : &facts.devices.topology;
  }

  const PlanFacts &facts;
  const PlacementReportOptions &options;
  report::Report &report;
  std::vector<Measured> layers;
};
} // namespace

LogicalResult PlacementTables::measure(ArrayRef<EqualLayers> groups) {
  for (const EqualLayers &group : groups) {
    FailureOr<planning::PlacementResult> result =
        measurePlacement(facts, group.front(), group.data);
    if (failed(result)) {
      return failure();
    }
    layers.push_back({&group, std::move(*result)});
  }
  return success();
}

void PlacementTables::addSummary() {
  std::vector<report::MeasuredPlacement> lines;
  for (const Measured &layer : layers) {
    lines.push_back({layer.group->getTitle(),
                     getPlacementOrigin(layer.group->getPlacement()),
                     &layer.result, getTopology()});
  }
  report.tables.push_back(report::summaryTable(lines));
}

/// The layers to show in full, in their order.
std::vector<size_t> PlacementTables::findLargest() const {
  std::vector<size_t> places(layers.size());
  std::iota(places.begin(), places.end(), 0);
  llvm::stable_sort(places, [&](size_t left, size_t right) {
    return layers[left].result.loads.maxOverMean() >
           layers[right].result.loads.maxOverMean();
  });
  places.resize(std::min(places.size(), options.mostLayers));
  llvm::sort(places);
  return places;
}

/// The tables of equal layers: ranks, replicas, bounds.
void PlacementTables::addLayer(const Measured &layer) {
  const EqualLayers &group = *layer.group;
  const ExchangedLayer &data = group.data;
  std::string title = group.getTitle();
  std::string origin = getPlacementOrigin(group.getPlacement());
  report.tables.push_back(report::placementTable(
      title + ": " + origin, data.placement, data.loads, options.mostRanks));
  report.tables.back().about = group.describe();
  report.tables.back().about.push_back({{"origin"}, origin});
  if (data.placement.hasReplicas()) {
    report.tables.push_back(report::replicaTable(
        title + ": which replica serves whom", data.placement, options.replicas,
        data.loads.shares, options.mostRanks));
    report.tables.back().about = group.describe();
  }
  report.tables.push_back(report::boundsTable(title + ": how good it is",
                                              layer.result, getTopology()));
  report.tables.back().about = group.describe();
  if (data.placement.rankCount() > maxTimedRanks) {
    report.tables.back().notes.push_back(formatv(
        "times of more than {0} ranks are not worked out here", maxTimedRanks));
  }
}

void PlacementTables::addLayers() {
  std::vector<size_t> shown = findLargest();
  for (size_t place : shown) {
    addLayer(layers[place]);
  }
  if (shown.size() < layers.size()) {
    report.notes.push_back(
        formatv("{0} of {1} differing layers are shown in full, those of the "
                "largest loads; all=true shows all",
                shown.size(), layers.size()));
  }
}

FailureOr<report::Report>
mlir::moe::makePlacementReport(ModuleOp module,
                               const PlacementReportOptions &options) {
  return makeReport(module, "placement",
                    [&](const PlanFacts &facts, ArrayRef<EqualLayers> groups,
                        report::Report &report) {
                      PlacementTables tables(facts, options, report);
                      if (failed(tables.measure(groups))) {
                        return failure();
                      }
                      if (options.hasSummary && groups.size() > 1) {
                        tables.addSummary();
                      }
                      tables.addLayers();
                      FailureOr<report::Table> memory =
                          makeMemoryTable(module, facts, options);
                      if (failed(memory)) {
                        return failure();
                      }
                      report.tables.push_back(std::move(*memory));
                      return success();
                    });
}

/// What travels along the axes in a step, as the mapping to tiers was chosen
/// by, at the device order that the mesh has.
static report::Table makeAxisTable(const PlanFacts &facts,
                                   ArrayRef<EqualLayers> groups) {
  using report::ColumnKind;
  report::Table table;
  table.name = "axes";
  table.title = "axes";
  table.columns = {{"traffic", ColumnKind::Text},
                   {"axes", ColumnKind::Text},
                   {"collective", ColumnKind::Text},
                   {"bytes a device", ColumnKind::Bytes, "", 2, "device"},
                   {"times a step", ColumnKind::Count},
                   {"time a step", ColumnKind::Time}};
  comm::MeshOp mesh = facts.meshOp;
  auto module = mesh->getParentOfType<ModuleOp>();
  AxisRoles roles = AxisRoles::getRecorded(module, facts.mesh);
  roles.tokens = facts.tokenAxes;
  if (!groups.empty()) {
    roles.experts = groups.front().data.expertAxes;
    roles.expertColumns = groups.front().data.columnAxes;
  }
  planning::CostModel model(facts.devices.topology);
  for (const planning::AxisTraffic &record : collectAxisTraffic(
           module, facts.mesh, roles, facts.layers, facts.tokens)) {
    std::string axes;
    for (const planning::AxisRef &axis : record.axes) {
      axes += (axes.empty() ? "" : ", ") + axis.toString();
    }
    planning::Microseconds time =
        model.collectiveTime(record.kind, record.bytes,
                             facts.mesh.groups(record.axes)) *
        record.count;
    table.add({record.label, axes, planning::toString(record.kind).str(),
               record.bytes.value(), record.count, time.value()});
    if (record.origin == planning::AxisTraffic::Origin::Modelled) {
      table.notes.push_back(
          formatv("'{0}' is modelled, not in this graph", record.label));
    }
  }
  return table;
}

static planning::ExchangeTraffic scale(const planning::ExchangeTraffic &traffic,
                                       size_t times) {
  planning::ExchangeTraffic sum;
  sum.tiers.resize(traffic.tiers.size());
  for (size_t time = 0; time < times; ++time) {
    sum += traffic;
  }
  return sum;
}

namespace {
/// Writes the tables of the layers' exchanges and adds them up.
class ExchangeTables {
public:
  ExchangeTables(const PlanFacts &facts, report::Report &report)
      : facts(facts), report(report), model(facts.devices.topology) {
    sum.tiers.resize(facts.devices.topology.tierCount());
  }

  void add(const EqualLayers &group) {
    ExchangeOp op = group.getExchange();
    ExchangeChoice choice{toPlanning(op.getForm()),
                          static_cast<int64_t>(op.getBound())};
    LayerExchange exchange = makeExchange(facts, group.data, choice);
    std::vector<planning::GroupCounts> expected =
        getExpectedRows(facts, group.data);
    std::string title =
        formatv("{0}: {1}, at most {2} rows a rank", group.getTitle(),
                planning::toString(choice.form).str(), choice.bound);
    std::vector<report::TrafficEntry> traffic;
    std::vector<report::CostEntry> costs;
    for (const planning::ExchangePlan *plan :
         {&exchange.dispatch, &exchange.combine}) {
      std::string name = planning::toString(plan->request().direction).str();
      traffic.push_back({name, "expected",
                         getTraffic(*plan, facts.devices.topology, expected)});
      costs.push_back({name, model.exchangeCost(*plan, expected)});
      sum += scale(traffic.back().traffic, group.layers.size());
      time +=
          costs.back().cost.total() * static_cast<double>(group.layers.size());
    }
    report.tables.push_back(report::trafficTable(
        title + ", all ranks together", facts.devices.topology, traffic));
    report.tables.back().about = group.describe();
    report.tables.back().about.push_back(
        {{"form"}, planning::toString(choice.form).str()});
    report.tables.back().about.push_back(
        {{"bound rows"}, static_cast<double>(choice.bound)});
    if (group.data.loads.isAssumedUniform) {
      report.tables.back().notes.push_back(
          "no loads given: every expert is assumed to get the same load");
    }
    report.tables.push_back(report::costTable(
        group.getTitle() + ": predicted time", facts.devices.topology, costs));
    report.tables.back().about = group.describe();
  }

  void addSum() {
    report.tables.push_back(report::trafficTable(
        formatv("all {0} layers together", facts.layers.size()).str(),
        facts.devices.topology, {{"dispatch and combine", "expected", sum}}));
    report.tables.back().name = "total_traffic";
    report.tables.back().about = {
        {{"layers"}, static_cast<double>(facts.layers.size())},
        {{"time", report::ColumnKind::Time}, time.value()}};
    report.tables.back().notes.push_back("predicted time: " +
                                         report::formatTime(time.value()));
  }

private:
  const PlanFacts &facts;
  report::Report &report;
  planning::CostModel model;
  planning::ExchangeTraffic sum;
  planning::Microseconds time;
};
} // namespace

static LogicalResult addTraffic(const PlanFacts &facts,
                                ArrayRef<EqualLayers> groups,
                                report::Report &report) {
  report.tables.push_back(makeAxisTable(facts, groups));
  ExchangeTables exchanges(facts, report);
  for (const EqualLayers &group : groups) {
    if (!group.getExchange()) {
      ExpertsOp experts = group.front().experts;
      return experts.emitOpError(
          "expected an exchange; run moe-choose-exchange");
    }
    exchanges.add(group);
  }
  exchanges.addSum();
  report.tables.push_back(report::constantsTable(planning::CostConstants()));
  return success();
}

FailureOr<report::Report> mlir::moe::makeTrafficReport(ModuleOp module) {
  return makeReport(module, "traffic", addTraffic);
}
