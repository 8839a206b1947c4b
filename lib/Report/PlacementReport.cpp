//===- PlacementReport.cpp - Where experts are, and why -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlacementReport.h"
#include "PlacedTraffic.h"
#include "moe/Report/PlanReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

static double largestLoad(const Placement &placement,
                          const ExpertShares &loads) {
  std::vector<double> ranks = relativeLoads(placement, loads);
  return *llvm::max_element(ranks);
}

//===----------------------------------------------------------------------===//
// Figures
//===----------------------------------------------------------------------===//

HeatMap moe::report::expertMap(const PlacedModel &model,
                               const PlacedLayer &layer) {
  const Placement &placement = layer.placement;
  HeatMap map;
  map.title = layer.name + ": which device serves which expert";
  map.rowName = "expert";
  map.columnName = "device";
  map.value = {"share of the layer's rows", ColumnKind::Share};
  for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
    map.rowLabels.push_back(std::to_string(expert));
  }
  PlacedTraffic traffic(model, layer.placement, layer.loads);
  for (int64_t rank = 0; rank < placement.rankCount(); ++rank) {
    map.columnLabels.push_back(std::to_string(traffic.deviceOf(rank)));
  }
  for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
    for (const ServingSlot &slot : traffic.slotsOf(expert)) {
      double share = slot.part * layer.loads.shares[expert];
      map.cells.push_back(
          {size_t(expert), size_t(slot.rank), share,
           formatv(
               "expert {0} on device {1}: {2:F2} % of the rows, {3:F0} % of "
               "the expert's; {4} in all",
               expert, traffic.deviceOf(slot.rank), share * 100,
               slot.part * 100,
               placement.slotsOf(expert).size() == 1
                   ? "one place"
                   : formatv("{0} places", placement.slotsOf(expert).size())
                         .str())});
    }
  }
  map.notes.push_back(
      "each cell is a slot: the darker, the more of the layer's rows it "
      "serves. Several cells in a line are replicas of one expert");
  return map;
}

DeviceTraffic moe::report::deviceTraffic(const PlacedModel &model) {
  int64_t devices = model.topology ? model.topology->deviceCount()
                                   : model.layers.front().placement.rankCount();
  DeviceTraffic sum(devices);
  for (const PlacedLayer &layer : model.layers) {
    PlacedTraffic traffic(model, layer.placement, layer.loads);
    traffic.visitBytes([&](int64_t source, int64_t target, double bytes) {
      sum.add(traffic.deviceOf(source), traffic.deviceOf(target),
              bytes * double(layer.layers));
    });
  }
  return sum;
}

HeatMap moe::report::trafficMap(const DeviceTraffic &traffic,
                                size_t maxDevices) {
  HeatMap map;
  map.title = "bytes from device to device";
  map.rowName = "from";
  map.columnName = "to";
  map.value = {"bytes of a step", ColumnKind::Bytes};
  size_t devices = traffic.devices();
  size_t block = (devices + maxDevices - 1) / maxDevices;
  size_t blocks = (devices + block - 1) / block;
  std::vector<double> sums(blocks * blocks);
  for (size_t source = 0; source < devices; ++source) {
    for (size_t target = 0; target < devices; ++target) {
      sums[source / block * blocks + target / block] +=
          traffic.from(source, target);
    }
  }
  for (size_t first = 0; first < devices; first += block) {
    size_t last = std::min(devices, first + block) - 1;
    map.rowLabels.push_back(first == last
                                ? std::to_string(first)
                                : formatv("{0}-{1}", first, last).str());
  }
  map.columnLabels = map.rowLabels;
  for (size_t cell = 0; cell < sums.size(); ++cell) {
    if (sums[cell] > 0) {
      map.cells.push_back({cell / blocks, cell % blocks, sums[cell]});
    }
  }
  map.notes.push_back("dispatch and combine of all layers, what stays on a "
                      "device left out");
  if (block > 1) {
    map.notes.push_back(
        formatv("{0} neighbouring devices are one line and one column", block));
  }
  return map;
}

BarChart moe::report::tierChart(const PlacedModel &model) {
  BarChart chart;
  chart.title = "bytes by link";
  chart.value = {"bytes of a step", ColumnKind::Bytes};
  chart.series = {model.beforeName, model.afterName};
  ExchangeTraffic before, after;
  for (const PlacedLayer &layer : model.layers) {
    for (int64_t time = 0; time < layer.layers; ++time) {
      before += PlacedTraffic(model, layer.before, layer.loads).bytes();
      after += PlacedTraffic(model, layer.placement, layer.loads).bytes();
    }
  }
  for (unsigned tier = 0; tier < model.topology->tierCount(); ++tier) {
    chart.groups.push_back({model.topology->tier(tier).name,
                            {before.tiers[tier].payload.value(),
                             after.tiers[tier].payload.value()}});
  }
  chart.groups.push_back(
      {"stays on its device",
       {before.local.payload.value(), after.local.payload.value()}});
  chart.notes.push_back("dispatch and combine of all layers and devices");
  return chart;
}

/// Loads of the devices of a layer, heaviest first.
static LineChart loadChart(const PlacedModel &model, const PlacedLayer &layer) {
  LineChart chart;
  chart.title = layer.name + ": load of the devices, heaviest first";
  chart.x = {{"devices, heaviest first", ColumnKind::Count}};
  chart.y = {{"load over the mean", ColumnKind::Number, "", 2}};
  auto add = [&](llvm::StringRef name, const Placement &placement) {
    std::vector<double> loads = relativeLoads(placement, layer.loads);
    llvm::sort(loads, std::greater<>());
    chart.series.push_back({name.str(), {}});
    for (auto [place, load] : llvm::enumerate(loads)) {
      chart.series.back().points.push_back({double(place + 1), load});
    }
  };
  add(model.beforeName, layer.before);
  add(model.afterName, layer.placement);
  if (layer.bound) {
    double ranks = double(layer.placement.rankCount());
    chart.series.push_back(
        {"lower bound of the heaviest",
         {{1, layer.bound->maxOverMean}, {ranks, layer.bound->maxOverMean}}});
    chart.notes.push_back(
        formatv("no placement's heaviest device is below {0:F3} of the mean: "
                "{1}",
                layer.bound->maxOverMean, layer.bound->argument));
  }
  return chart;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static Table layersTable(const PlacedModel &model) {
  Table table;
  table.name = "layers";
  table.title = "layers";
  bool hasTimes = model.topology && model.tokens > 0;
  table.columns = {
      {"layer", ColumnKind::Text},
      {"largest load / mean, " + model.beforeName, ColumnKind::Number, "", 3,
       "max_load_before_over_mean"},
      {"largest load / mean, " + model.afterName, ColumnKind::Number, "", 3,
       "max_load_after_over_mean"},
      {"none is below", ColumnKind::Number, "", 3, "lower_bound_over_mean"},
      {"gap", ColumnKind::Share},
      {"replicated experts", ColumnKind::Count}};
  if (hasTimes) {
    table.columns.push_back({"exchange, " + model.beforeName, ColumnKind::Time,
                             "", 2, "exchange_before"});
    table.columns.push_back({"exchange, " + model.afterName, ColumnKind::Time,
                             "", 2, "exchange_after"});
    table.columns.push_back({"slowest link", ColumnKind::Text});
  }
  for (const PlacedLayer &layer : model.layers) {
    int64_t replicated = 0;
    for (int64_t expert = 0; expert < layer.placement.expertCount(); ++expert) {
      replicated += layer.placement.slotsOf(expert).size() > 1;
    }
    double largest = largestLoad(layer.placement, layer.loads);
    Row row = {layer.name,
               largestLoad(layer.before, layer.loads),
               largest,
               layer.bound ? Cell(layer.bound->maxOverMean) : Cell(),
               layer.bound ? Cell(largest / layer.bound->maxOverMean - 1)
                           : Cell(),
               double(replicated)};
    if (hasTimes) {
      PlacedCost after =
          PlacedTraffic(model, layer.placement, layer.loads).cost();
      row.push_back(
          PlacedTraffic(model, layer.before, layer.loads).cost().total.value());
      row.push_back(after.total.value());
      row.push_back(after.slowestLink);
    }
    table.add(std::move(row));
  }
  return table;
}

//===----------------------------------------------------------------------===//
// The page
//===----------------------------------------------------------------------===//

/// The layers with the largest loads, at most so many, in the model's order.
static std::vector<const PlacedLayer *> leastBalanced(const PlacedModel &model,
                                                      size_t most) {
  std::vector<const PlacedLayer *> layers;
  for (const PlacedLayer &layer : model.layers) {
    layers.push_back(&layer);
  }
  llvm::sort(layers, [](const PlacedLayer *a, const PlacedLayer *b) {
    double left = largestLoad(a->placement, a->loads);
    double right = largestLoad(b->placement, b->loads);
    return left > right || (left == right && a < b);
  });
  layers.resize(std::min(layers.size(), most));
  llvm::sort(layers);
  return layers;
}

static void addNotes(const PlacedModel &model, size_t shown, Report &report) {
  const Placement &placement = model.layers.front().placement;
  report.notes.push_back(
      formatv("{0} experts in {1} slots on {2} devices; '{3}' is compared with "
              "'{4}'",
              placement.expertCount(), placement.slotCount(),
              placement.rankCount(), model.afterName, model.beforeName));
  if (llvm::any_of(model.layers, [](const PlacedLayer &layer) {
        return layer.loads.isAssumedUniform;
      })) {
    report.notes.push_back("no loads are known for some layers: their experts "
                           "are assumed to get the same load");
  }
  if (shown < model.layers.size()) {
    report.notes.push_back(
        formatv("details are of the {0} layers whose heaviest device stands "
                "out most; there are {1}",
                shown, model.layers.size()));
  }
  if (!model.topology) {
    report.notes.push_back("no topology is given: nothing is said of bytes "
                           "and times");
  } else {
    report.notes.push_back("topology: " + model.topology->toString());
    int64_t size = nodeSize(*model.topology);
    if (size < model.topology->deviceCount()) {
      report.notes.push_back(
          formatv("devices 0-{0} are node 0, the next {1} node 1, and so on",
                  size - 1, size));
    }
  }
  report.notes.push_back("predicted from the loads, not measured");
}

Report moe::report::placementPage(const PlacedModel &model, size_t maxLayers) {
  Report report;
  report.title = model.title;
  std::vector<const PlacedLayer *> layers = leastBalanced(model, maxLayers);
  addNotes(model, layers.size(), report);
  report.figures.push_back(loadChart(model, *leastBalanced(model, 1).front()));
  bool hasBytes = model.topology && model.tokens > 0;
  if (hasBytes) {
    report.figures.push_back(tierChart(model));
    report.figures.push_back(trafficMap(deviceTraffic(model)));
  }
  for (const PlacedLayer *layer : layers) {
    report.figures.push_back(expertMap(model, *layer));
  }
  report.tables.push_back(layersTable(model));
  report.tables.push_back(reasonTable(model, layers));
  if (hasBytes) {
    report.tables.push_back(constantsTable(model.constants));
  }
  return report;
}
