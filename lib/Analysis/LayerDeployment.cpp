// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/LayerDeployment.h"

#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/PlanAttributes.h"

#include <numeric>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// Parts that the columns of the layer's matrices are split into.
static int64_t getColumnParts(const PlanFacts &facts, const MoELayer &layer) {
  return layer.weights.empty()
             ? 1
             : facts.mesh.groupSize(getColumnAxes(layer.weights.front()));
}

planning::ExpertWork mlir::moe::getExpertWork(const PlanFacts &facts,
                                              const MoELayer &layer) {
  planning::ExpertWork work;
  auto parts = static_cast<double>(getColumnParts(facts, layer));
  for (UseWeightOp weight : layer.weights) {
    auto type = cast<WeightsType>(weight.getResult().getType());
    double elements = static_cast<double>(type.getInner()) *
                      static_cast<double>(type.getOuter()) / parts;
    work.flopsPerRow += planning::Flops(2 * elements);
    work.weightBytes += planning::Bytes(
        elements * type.getElementType().getIntOrFloatBitWidth() / 8);
  }
  ExpertShape shape = layer.getShape();
  work.bytesPerRow = planning::Bytes(
      static_cast<double>(shape.inputColumns * shape.inputElementBytes +
                          shape.outputColumns * shape.outputElementBytes));
  return work;
}

static std::shared_ptr<const planning::Deployment>
makeDeployment(const PlanFacts &facts, const MoELayer &layer) {
  ExpertsOp experts = layer.experts;
  ExpertShape shape = layer.getShape();
  planning::Deployment deployment;
  deployment.topology =
      std::make_shared<planning::Topology>(facts.devices.topology);
  deployment.axes = toPlanning(*experts.getAxes());
  std::vector<planning::AxisRef> tokenAxes =
      getExchangedTokenAxes(facts, deployment.axes);
  for (planning::DeviceGroup &group : facts.mesh.groups(deployment.axes)) {
    std::vector<planning::TokenRange> sources =
        planning::tokenRanges(facts.mesh, group, tokenAxes, facts.tokens);
    deployment.groups.push_back({std::move(group), std::move(sources)});
  }
  deployment.choices = shape.choices;
  deployment.work = getExpertWork(facts, layer);
  deployment.dispatchRowBytes = shape.inputColumns * shape.inputElementBytes;
  deployment.combineRowBytes = shape.outputColumns * shape.outputElementBytes /
                               facts.mesh.groupSize(getColumnAxes(experts));
  return std::make_shared<const planning::Deployment>(std::move(deployment));
}

/// Devices that share the innermost links.
static int64_t getNodeSize(const planning::Topology &topology) {
  if (topology.node()) {
    return topology.devicesPerNode();
  }
  return topology.tierCount() > 1 ? topology.tiers().back().size
                                  : topology.deviceCount();
}

/// How many nodes the ranks of each group lie on, consecutive ranks together; 1
/// where they lie otherwise.
static int64_t countNodes(const PlanFacts &facts,
                          ArrayRef<planning::DeployedGroup> groups) {
  const planning::Topology &topology = facts.devices.topology;
  int64_t size = getNodeSize(topology);
  auto nodeOf = [&](int64_t device) {
    return topology.positionOf(device) / size;
  };
  std::optional<int64_t> nodes;
  for (const planning::DeployedGroup &group : groups) {
    const planning::DeviceGroup &devices = group.devices;
    int64_t ranks = devices.size(), changes = 1;
    for (int64_t rank = 1; rank < ranks; ++rank) {
      changes += nodeOf(devices[rank]) != nodeOf(devices[rank - 1]);
    }
    if (ranks % changes != 0 || changes != nodes.value_or(changes)) {
      return 1;
    }
    nodes = changes;
    for (int64_t rank = 1; rank < ranks; ++rank) {
      bool isNext = rank % (ranks / changes) == 0;
      if (isNext == (nodeOf(devices[rank]) == nodeOf(devices[rank - 1]))) {
        return 1;
      }
    }
  }
  return nodes.value_or(1);
}

FailureOr<LayerProblem> mlir::moe::gatherProblem(const PlanFacts &facts,
                                                 const MoELayer &layer,
                                                 const PlacementSpec &spec) {
  UsePlacementOp handle = layer.placement;
  ExpertsOp expertsOp = layer.experts;
  int64_t experts = handle.getResult().getType().getExperts();
  int64_t ranks = facts.mesh.groupSize(toPlanning(*expertsOp.getAxes()));
  llvm::Expected<planning::LayerLoads> loads = getLoads(
      handle->getParentOfType<ModuleOp>(), layer.getNumber(), experts, ranks);
  if (!loads) {
    return handle.emitOpError() << llvm::toString(loads.takeError());
  }
  LayerProblem result;
  result.isAssumedUniform = loads->isAssumedUniform;
  planning::PlacementProblem &problem = result.problem;
  problem.slotsByRank =
      planning::PlacementProblem::spreadSlots(experts + spec.replicas, ranks);
  problem.loads = std::move(loads->loads);
  problem.loadsBySource = std::move(loads->bySource);
  problem.deployment = makeDeployment(facts, layer);
  problem.nodes = countNodes(facts, problem.deployment->groups);
  problem.expertGroups = spec.expertGroups;
  return result;
}
