//===- Estimates.cpp - Closed forms that planners compare -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Estimates.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace moe::planning;

int64_t moe::planning::fp8RowBytes(int64_t hidden) {
  constexpr int64_t block = 128;
  return hidden + 4 * ((hidden + block - 1) / block);
}

ExchangeBytes moe::planning::lowLatencyBytes(int64_t tokens, int64_t choices,
                                             int64_t hidden) {
  constexpr int64_t header = 16;
  double rows = double(tokens) * choices;
  return {Bytes(rows * (fp8RowBytes(hidden) + header)),
          Bytes(rows * 2 * hidden)};
}

double moe::planning::groupsReached(const GroupedRouting &routing) {
  int64_t allowed = routing.groupsAllowed > 0
                        ? std::min(routing.groupsAllowed, routing.groups)
                        : routing.groups;
  // Within the groups that are allowed, every expert is as likely.
  return expectedGroupsReached(routing.experts * allowed / routing.groups,
                               routing.choices, allowed);
}

DeduplicatedBytes
moe::planning::deduplicatedBytes(int64_t tokens, int64_t rowBytes,
                                 const GroupedRouting &routing) {
  Bytes logical(double(tokens) * rowBytes * groupsReached(routing));
  return {logical, logical * (1 - 1.0 / routing.groups)};
}

NodeMessages moe::planning::messagesBetweenNodes(int64_t devices,
                                                 int64_t devicesPerNode) {
  assert(devicesPerNode > 0 && devices % devicesPerNode == 0 &&
         "whole nodes only");
  return {devices - devicesPerNode, devices / devicesPerNode - 1};
}

int64_t moe::planning::expertCapacity(CapacityRule rule,
                                      const CapacityRequest &request) {
  double even = double(request.tokens) * request.choices / request.experts;
  switch (rule) {
  case CapacityRule::DeepSpeed:
    return std::max(int64_t(std::ceil(even * request.factor)), request.minimum);
  case CapacityRule::Megatron:
    return int64_t(std::ceil(even * request.factor));
  case CapacityRule::Tutel: {
    int64_t perExpert =
        (request.tokens + request.experts - 1) / request.experts;
    return request.choices * int64_t(request.factor * perExpert);
  }
  case CapacityRule::MegaBlocks:
    return int64_t(even * request.factor);
  }
  llvm_unreachable("unknown rule of capacity");
}

LayerFigures moe::planning::expertLayerFigures(const LayerSize &layer,
                                               int64_t tokens) {
  LayerFigures figures;
  figures.parameters = layer.experts * layer.expertParameters();
  figures.flopsPerToken = Flops(2 * layer.choices * layer.expertParameters());
  figures.exchanged =
      Bytes(2.0 * layer.choices * tokens * double(layer.rowBytes()));
  figures.weights = Bytes(layer.experts * layer.expertBytes());
  return figures;
}

LayerFigures moe::planning::denseLayerFigures(const LayerSize &layer) {
  LayerFigures figures;
  figures.parameters = layer.choices * layer.expertParameters();
  figures.flopsPerToken = Flops(2 * figures.parameters);
  figures.weights = Bytes(layer.choices * layer.expertBytes());
  return figures;
}
