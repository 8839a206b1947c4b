// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Traffic as a page of figures; a part of Analysis/PlanReports.h.

#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanReports.h"
#include "moe/Report/PlacementReport.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;

/// The time of each row of the table of axes.
static report::BarChart makeAxisChart(const report::Table &axes) {
  report::BarChart chart;
  chart.title = "time of a step along the axes";
  chart.value = {"time of a step", report::ColumnKind::Time};
  chart.series = {"time of a step"};
  for (const report::Row &row : axes.rows) {
    chart.groups.push_back({std::get<std::string>(row[0]) + " over " +
                                std::get<std::string>(row[1]),
                            {row.back()}});
  }
  chart.notes = axes.notes;
  return chart;
}

static LogicalResult verifyExchanges(const PlanFacts &facts) {
  for (const MoELayer &layer : facts.layers) {
    ExpertsOp experts = layer.experts;
    if (!experts.getExchangeAttr()) {
      return experts.emitOpError(
          "expected an exchange; run moe-choose-exchange");
    }
  }
  return success();
}

namespace {
/// Adds up what the layers' exchanges move.
class TrafficSums {
public:
  explicit TrafficSums(const PlanFacts &facts)
      : facts(facts), devices(facts.devices.topology.deviceCount()) {
    for (planning::ExchangeTraffic &way : ways) {
      way.tiers.resize(facts.devices.topology.tierCount());
    }
  }

  /// The layer must have an exchange.
  LogicalResult add(const MoELayer &layer) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    ExpertsOp experts = layer.experts;
    auto op = SymbolTable::lookupNearestSymbolFrom<ExchangeOp>(
        experts, experts.getExchangeAttr());
    LayerExchange exchange = makeExchange(
        facts, *data,
        {toPlanning(op.getForm()), static_cast<int64_t>(op.getBound())});
    std::vector<planning::GroupCounts> expected = getExpectedRows(facts, *data);
    const planning::ExchangePlan *plans[] = {&exchange.dispatch,
                                             &exchange.combine};
    for (auto [way, plan] : llvm::zip_equal(ways, plans)) {
      for (const planning::GroupCounts &group : expected) {
        way += plan->bytes(group.counts, facts.devices.topology, group.group);
        addDevices(*plan, group);
      }
    }
    return success();
  }

  report::BarChart makeTierChart() const {
    report::BarChart chart;
    chart.title = "bytes by link";
    chart.value = {"bytes of a step", report::ColumnKind::Bytes};
    chart.series = {"dispatch", "combine"};
    const planning::Topology &topology = facts.devices.topology;
    for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
      chart.groups.push_back({topology.tier(tier).name,
                              {ways[0].tiers[tier].payload.value(),
                               ways[1].tiers[tier].payload.value()}});
    }
    chart.groups.push_back(
        {"stays on its device",
         {ways[0].local.payload.value(), ways[1].local.payload.value()}});
    chart.notes.push_back("all layers and devices, expected from the loads");
    return chart;
  }

  report::HeatMap makeDeviceMap() const { return report::trafficMap(devices); }

  report::Drawing makeDrawing() const {
    return report::trafficDrawing(
        llvm::formatv("dispatch and combine of {0} layers, expected from the "
                      "loads",
                      facts.layers.size())
            .str(),
        facts.devices.topology, devices);
  }

private:
  void addDevices(const planning::ExchangePlan &plan,
                  const planning::GroupCounts &group) {
    for (const std::shared_ptr<const planning::Phase> &phase : plan.phases()) {
      phase->visitFlows(group.counts, [&](const planning::Flow &flow) {
        if (!flow.isLocal()) {
          devices.add(group.group[flow.source], group.group[flow.target],
                      flow.traffic.payload.value());
        }
      });
    }
  }

  const PlanFacts &facts;
  /// Dispatch and combine.
  planning::ExchangeTraffic ways[2];
  report::DeviceTraffic devices;
};
} // namespace

/// The sums over all layers, each of which must have an exchange.
static FailureOr<TrafficSums> sumLayers(const PlanFacts &facts) {
  TrafficSums sums(facts);
  for (const MoELayer &layer : facts.layers) {
    if (failed(sums.add(layer))) {
      return failure();
    }
  }
  return sums;
}

FailureOr<report::Drawing> mlir::moe::makeTrafficDrawing(ModuleOp module) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts) || failed(verifyExchanges(*facts))) {
    return failure();
  }
  FailureOr<TrafficSums> sums = sumLayers(*facts);
  if (failed(sums)) {
    return failure();
  }
  return sums->makeDrawing();
}

FailureOr<report::Report> mlir::moe::makeTrafficPage(ModuleOp module) {
  FailureOr<report::Report> page = makeTrafficReport(module);
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(page) || failed(facts)) {
    return failure();
  }
  FailureOr<TrafficSums> sums = sumLayers(*facts);
  if (failed(sums)) {
    return failure();
  }
  page->figures.push_back(sums->makeTierChart());
  page->figures.push_back(sums->makeDeviceMap());
  // The first table is that of the axes.
  if (!page->tables.front().rows.empty()) {
    page->figures.push_back(makeAxisChart(page->tables.front()));
  }
  return page;
}
