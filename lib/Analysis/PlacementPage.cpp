// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placements as a page of figures; a part of Analysis/PlanReports.h.

#include "moe/Analysis/LayerDeployment.h"
#include "moe/Analysis/LayerExchange.h"
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

/// What no placement in as many slots as the layer's can beat: the largest load
/// of a rank over the mean. Fails, with a diagnostic, when loads do not fit.
static FailureOr<report::BoundFigure> getBound(const PlanFacts &facts,
                                               const MoELayer &layer,
                                               const ExchangedLayer &data) {
  FailureOr<LayerProblem> gathered =
      gatherProblem(facts, layer, PlacementSpec());
  if (failed(gathered)) {
    return failure();
  }
  planning::PlacementProblem &problem = gathered->problem;
  for (auto [rank, slots] : llvm::enumerate(problem.slotsByRank)) {
    slots = data.placement.slotsOn(rank);
  }
  planning::LowerBound bound = planning::loadBound(problem);
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  double mean = sum / static_cast<double>(problem.ranks());
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

FailureOr<report::Report> mlir::moe::makePlacementPage(ModuleOp module) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts)) {
    return failure();
  }
  if (facts->layers.empty()) {
    return emitError(module.getLoc(), "expected a layer with experts");
  }
  std::optional<ExchangedLayer> first;
  report::PlacedModel model;
  std::vector<std::string> others;
  for (const MoELayer &layer : facts->layers) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    if (!first) {
      first = *data;
      model = makeModel(module, *facts, *first);
    }
    const planning::Placement &placement = data->placement;
    if (!(data->shape == first->shape) ||
        placement.rankCount() != first->placement.rankCount()) {
      others.push_back(layer.getName());
      continue;
    }
    FailureOr<report::BoundFigure> bound = getBound(*facts, layer, *data);
    if (failed(bound)) {
      return failure();
    }
    const report::BoundFigure &figure = *bound;
    model.layers.push_back({"layer " + layer.getName(), 1, placement,
                            planning::Placement::contiguous(
                                placement.expertCount(), placement.rankCount()),
                            data->loads, figure});
  }
  report::Report page = report::placementPage(model);
  size_t groups = facts->mesh.groups(first->expertAxes).size();
  if (groups > 1) {
    page.notes.push_back(formatv("one of {0} groups of {1} devices is shown",
                                 groups, model.devices.size()));
  }
  if (!others.empty()) {
    page.notes.push_back(formatv("layers whose rows or ranks are others are "
                                 "not shown: {0}",
                                 llvm::join(others, ", ")));
  }
  return page;
}
