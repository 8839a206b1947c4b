// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placements as a page of figures; a part of Analysis/PlanReports.h.

#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/MeasuredLayer.h"
#include "moe/Analysis/PlanReports.h"
#include "moe/Planning/LowerBound.h"
#include "moe/Report/PlacementReport.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;
using llvm::formatv;

/// The bound on the largest load, over the mean.
static FailureOr<report::BoundFigure> getBound(const PlanFacts &facts,
                                               const MoELayer &layer,
                                               const ExchangedLayer &data) {
  FailureOr<planning::PlacementProblem> problem =
      getProblemOf(facts, layer, data);
  if (failed(problem)) {
    return failure();
  }
  planning::LowerBound bound = planning::loadBound(*problem);
  double sum =
      std::accumulate(problem->loads.begin(), problem->loads.end(), 0.0);
  double mean = sum / static_cast<double>(problem->ranks());
  return report::BoundFigure{bound.value / mean, bound.argument};
}

/// What the layers of a page have in common, as this one has it.
static report::PlacedModel makeModel(ModuleOp module, const PlanFacts &facts,
                                     const ExchangedLayer &data) {
  report::PlacedModel model;
  model.title =
      formatv("placement of {0}", module.getSymName().value_or("the model"));
  model.afterName = "this placement";
  if (!facts.devices.isDefault()) {
    model.topology = &facts.devices.topology;
  }
  model.devices = facts.mesh.groups(data.expertAxes).front();
  for (planning::TokenRange range : planning::tokenRanges(
           facts.mesh, model.devices,
           getExchangedTokenAxes(facts, data.expertAxes), facts.tokens)) {
    model.tokens += range.size();
  }
  model.choices = data.shape.choices;
  model.rowBytes = data.shape.inputColumns * data.shape.inputElementBytes;
  return model;
}

namespace {
/// The layers of a module that a page or drawing can show together.
struct GatheredModel {
  report::PlacedModel model;
  /// Groups over the expert axes, and layers that are left out.
  size_t groups = 1;
  std::vector<std::string> others;
};
} // namespace

static FailureOr<GatheredModel> gatherModel(ModuleOp module,
                                            const PlanFacts &facts) {
  if (facts.layers.empty()) {
    return emitError(module.getLoc(), "expected a layer with experts");
  }
  std::optional<ExchangedLayer> first;
  GatheredModel result;
  for (const MoELayer &layer : facts.layers) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    if (!first) {
      first = *data;
      result.model = makeModel(module, facts, *first);
      result.groups = facts.mesh.groups(first->expertAxes).size();
    }
    const planning::Placement &placement = data->placement;
    if (!(data->shape == first->shape) ||
        placement.rankCount() != first->placement.rankCount()) {
      result.others.push_back(layer.getName());
      continue;
    }
    FailureOr<report::BoundFigure> bound = getBound(facts, layer, *data);
    if (failed(bound)) {
      return failure();
    }
    const report::BoundFigure &figure = *bound;
    result.model.layers.push_back(
        {"layer " + layer.getName(), 1, placement,
         planning::Placement::contiguous(placement.expertCount(),
                                         placement.rankCount()),
         data->loads, figure});
  }
  return result;
}

FailureOr<report::Drawing> mlir::moe::makePlacementDrawing(ModuleOp module) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts)) {
    return failure();
  }
  FailureOr<GatheredModel> gathered = gatherModel(module, *facts);
  if (failed(gathered)) {
    return failure();
  }
  return report::placementDrawing(gathered->model);
}

FailureOr<report::Report>
mlir::moe::makePlacementPage(ModuleOp module,
                             const PlacementReportOptions &options) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts)) {
    return failure();
  }
  FailureOr<GatheredModel> gathered = gatherModel(module, *facts);
  FailureOr<report::Table> memory = makeMemoryTable(module, *facts, options);
  if (failed(gathered) || failed(memory)) {
    return failure();
  }
  report::Report page = report::placementPage(gathered->model);
  // Behind the table of the layers.
  page.tables.insert(page.tables.begin() + 1, std::move(*memory));
  if (gathered->groups > 1) {
    page.notes.push_back(formatv("one of {0} groups of {1} devices is shown",
                                 gathered->groups,
                                 gathered->model.devices.size()));
  }
  if (!gathered->others.empty()) {
    page.notes.push_back(formatv("layers whose rows or ranks are others are "
                                 "not shown: {0}",
                                 llvm::join(gathered->others, ", ")));
  }
  return page;
}
