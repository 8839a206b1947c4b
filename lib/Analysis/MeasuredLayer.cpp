// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/MeasuredLayer.h"

#include "moe/Analysis/LayerDeployment.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

FailureOr<planning::PlacementProblem>
mlir::moe::getProblemOf(const PlanFacts &facts, const MoELayer &layer,
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
  return std::move(problem);
}

FailureOr<planning::PlacementResult>
mlir::moe::measurePlacement(const PlanFacts &facts, const MoELayer &layer,
                            const ExchangedLayer &data) {
  FailureOr<planning::PlacementProblem> problem =
      getProblemOf(facts, layer, data);
  if (failed(problem)) {
    return failure();
  }
  planning::Objective objective = planning::Objective::Time;
  if (facts.devices.isDefault() || problem->ranks() > maxTimedRanks) {
    objective = planning::Objective::Load;
    problem->deployment = nullptr;
  }
  llvm::Expected<planning::PlacementResult> result =
      planning::measurePlacement(*problem, data.placement.data(), objective);
  if (!result) {
    UsePlacementOp handle = layer.placement;
    return handle.emitOpError() << llvm::toString(result.takeError());
  }
  return std::move(*result);
}
