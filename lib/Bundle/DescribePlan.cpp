// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/DescribePlan.h"

#include "moe/Report/PlanReport.h"
#include "moe/Runner/WeightStore.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::bundle;
using namespace moe::report;
using namespace moe::runner;
using moe::planning::ExchangePlan;
namespace planning = moe::planning;

/// Rows of a rank at once, with the most tokens: those that it sends and those
/// that it may receive, in both directions. Layers follow one another.
static int64_t bufferBytes(const PlannedProgram &planned) {
  int64_t most = 0;
  for (const PlannedLayer &layer : planned.layers) {
    const LayerTraffic &traffic = layer.traffic;
    int64_t ranks = traffic.mesh.groupSize(traffic.tokenAxes);
    // The first rank has the most.
    int64_t tokens =
        planning::tokenRange(planned.facts.maxTokens, ranks, /*index=*/0)
            .size();
    int64_t rows = tokens * traffic.choices + traffic.dispatch.bound;
    most = std::max(
        most, rows * (traffic.dispatch.rowBytes + traffic.combine.rowBytes));
  }
  return most;
}

/// Where a layer's experts are, what travels and in which phases.
static void addLayer(const PlannedProgram &planned, const PlannedLayer &layer,
                     Report &report) {
  const LayerTraffic &traffic = layer.traffic;
  std::string name = layer.name.empty() ? "the layer" : "layer " + layer.name;
  report.tables.push_back(
      placementTable("experts of " + name, traffic.placement, traffic.loads));
  report.tables.push_back(
      trafficTable(llvm::formatv("exchanges of {0}, {1} tokens", name,
                                 planned.facts.maxTokens)
                       .str(),
                   traffic.topology,
                   {{"dispatch and combine", "expected",
                     traffic.expect(planned.facts.maxTokens)}}));
  std::string where = planned.layers.size() > 1 ? name + ": " : "";
  for (const planning::ExchangeRequest &request :
       {traffic.dispatch, traffic.combine}) {
    report.notes.push_back(where + ExchangePlan::create(request).toString());
  }
}

static Report makeReport(const PlannedProgram &planned,
                         llvm::ArrayRef<RankMemory> memory) {
  Report report;
  report.title = "plan";
  for (const PlannedLayer &layer : planned.layers) {
    addLayer(planned, layer, report);
  }
  Table needed;
  needed.title = "memory of each rank";
  needed.columns = {{"rank", ColumnKind::Count},
                    {"packed weights", ColumnKind::Bytes},
                    {"exchange buffers", ColumnKind::Bytes}};
  for (auto [rank, bytes] : llvm::enumerate(memory)) {
    needed.add({static_cast<double>(rank), static_cast<double>(bytes.weights),
                static_cast<double>(bytes.buffers)});
  }
  report.tables.push_back(std::move(needed));
  return report;
}

llvm::Error moe::bundle::describePlan(Bundle &bundle) {
  Manifest &manifest = bundle.manifest;
  llvm::Expected<PlannedProgram> planned = manifest.plan();
  if (!planned) {
    return planned.takeError();
  }
  llvm::Expected<ProgramLayout> layout =
      manifest.layoutOf(ProgramKind::Partitioned);
  if (!layout) {
    return layout.takeError();
  }
  manifest.memory.clear();
  for (int64_t bytes : weightBytesByRank(*layout)) {
    manifest.memory.push_back({bytes, bufferBytes(*planned)});
  }
  bundle.plan.clear();
  llvm::raw_string_ostream stream(bundle.plan);
  renderJson(makeReport(*planned, manifest.memory), stream);
  return llvm::Error::success();
}
