// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EqualLayers.h"
#include "moe/Analysis/MeasuredLayer.h"
#include "moe/Analysis/PlacementOrigin.h"

#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;
using llvm::formatv;

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
  llvm::sort(places, [&](size_t left, size_t right) {
    double most = layers[left].result.loads.maxOverMean();
    double other = layers[right].result.loads.maxOverMean();
    return most != other ? most > other : left < right;
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
