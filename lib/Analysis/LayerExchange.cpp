// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/LayerExchange.h"

#include "moe/Analysis/PlanAttributes.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

std::vector<planning::AxisRef> mlir::moe::getColumnAxes(Operation *op) {
  auto shardings = op->getAttrOfType<ArrayAttr>(comm::kResultShardingsAttrName);
  auto sharding = shardings && !shardings.empty()
                      ? dyn_cast<comm::ShardingAttr>(shardings[0])
                      : comm::ShardingAttr();
  return sharding ? toPlanning(sharding.getDims().back())
                  : std::vector<planning::AxisRef>();
}

FailureOr<ExchangedLayer> ExchangedLayer::gather(const MoELayer &layer) {
  ExpertsOp experts = layer.experts;
  UsePlacementOp handle = layer.placement;
  if (!experts.getAxes() || !handle || !handle.getPlacementAttr()) {
    return experts.emitOpError("expected axes and a placement; run "
                               "moe-choose-mesh-mapping and "
                               "moe-choose-placement");
  }
  auto symbol = SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
      handle, handle.getPlacementAttr());
  llvm::Expected<planning::Placement> placement = toPlanning(symbol);
  if (!placement) {
    return symbol.emitOpError() << llvm::toString(placement.takeError());
  }
  ExpertShape shape = layer.getShape();
  llvm::Expected<planning::ExpertShares> loads =
      getShares(experts->getParentOfType<ModuleOp>(), layer.getNumber(),
                placement->expertCount(), placement->rankCount());
  if (!loads) {
    return handle.emitOpError() << llvm::toString(loads.takeError());
  }
  int64_t localSlots = getLocalSlots(symbol, placement->expertCount());
  return ExchangedLayer{shape,
                        std::move(*placement),
                        localSlots,
                        std::move(*loads),
                        toPlanning(*experts.getAxes()),
                        layer.weights.empty()
                            ? std::vector<planning::AxisRef>()
                            : getColumnAxes(layer.weights.front()),
                        getColumnAxes(experts)};
}

static bool areEqual(ArrayRef<planning::AxisRef> left,
                     ArrayRef<planning::AxisRef> right) {
  return llvm::equal(
      left, right, [](const planning::AxisRef &a, const planning::AxisRef &b) {
        return a.toString() == b.toString();
      });
}

bool ExchangedLayer::hasTrafficOf(const ExchangedLayer &other) const {
  return shape == other.shape && localSlots == other.localSlots &&
         loads == other.loads && areEqual(expertAxes, other.expertAxes) &&
         areEqual(resultAxes, other.resultAxes) && placement == other.placement;
}

planning::ExchangeTraffic
mlir::moe::getTraffic(const planning::ExchangePlan &plan,
                      const planning::Topology &topology,
                      ArrayRef<planning::GroupCounts> groups) {
  planning::ExchangeTraffic traffic;
  traffic.tiers.resize(topology.tierCount());
  for (const planning::GroupCounts &group : groups) {
    traffic += plan.bytes(group.counts, topology, group.group);
  }
  return traffic;
}

std::vector<planning::AxisRef>
mlir::moe::getExchangedTokenAxes(const PlanFacts &facts,
                                 ArrayRef<planning::AxisRef> expertAxes) {
  // As comm-insert-reshard does it for an axis that an operation requires.
  std::vector<planning::AxisRef> axes = facts.tokenAxes;
  for (const planning::AxisRef &axis : expertAxes) {
    bool isThere = llvm::any_of(axes, [&](const planning::AxisRef &other) {
      return other.toString() == axis.toString();
    });
    if (!isThere) {
      axes.push_back(axis);
    }
  }
  return axes;
}

int64_t mlir::moe::getWorstCaseRows(const PlanFacts &facts,
                                    const ExchangedLayer &layer) {
  int64_t most = 0;
  std::vector<planning::AxisRef> tokenAxes =
      getExchangedTokenAxes(facts, layer.expertAxes);
  for (const planning::DeviceGroup &group :
       facts.mesh.groups(layer.expertAxes)) {
    int64_t tokens = 0;
    for (planning::TokenRange range :
         planning::tokenRanges(facts.mesh, group, tokenAxes, facts.tokens)) {
      tokens += range.size();
    }
    most = std::max(most, planning::worstCaseRows(tokens, layer.shape.choices,
                                                  layer.placement));
  }
  // A bound is positive even when there are no tokens.
  return std::max<int64_t>(most, 1);
}

std::vector<planning::GroupCounts>
mlir::moe::getExpectedRows(const PlanFacts &facts,
                           const ExchangedLayer &layer) {
  std::vector<planning::GroupCounts> expected;
  std::vector<planning::AxisRef> tokenAxes =
      getExchangedTokenAxes(facts, layer.expertAxes);
  for (planning::DeviceGroup &group : facts.mesh.groups(layer.expertAxes)) {
    std::vector<planning::TokenRange> sources =
        planning::tokenRanges(facts.mesh, group, tokenAxes, facts.tokens);
    planning::CountMatrix counts = planning::expectedRows(
        layer.shape.choices, layer.loads, sources, layer.placement);
    expected.push_back({std::move(group), std::move(counts)});
  }
  return expected;
}

LayerExchange mlir::moe::makeExchange(const PlanFacts &facts,
                                      const ExchangedLayer &layer,
                                      const ExchangeChoice &choice) {
  planning::ExchangeRequest dispatch;
  dispatch.form = choice.form;
  dispatch.axes = layer.expertAxes;
  dispatch.rowBytes = layer.shape.inputColumns * layer.shape.inputElementBytes;
  dispatch.localSlots = layer.localSlots;
  dispatch.bound = choice.bound;
  planning::ExchangeRequest combine = dispatch;
  combine.direction = planning::ExchangeDirection::Combine;
  // Each rank along the result's axes returns its own columns.
  combine.rowBytes = layer.shape.outputColumns *
                     layer.shape.outputElementBytes /
                     facts.mesh.groupSize(layer.resultAxes);
  return {planning::ExchangePlan::create(dispatch),
          planning::ExchangePlan::create(combine)};
}
