//===- SearchModel.cpp - What a search of placements rests on -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkCuts.h"
#include "SearchState.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

using namespace moe::planning;

bool SearchModel::canSearch(const PlacementProblem &problem,
                            Objective objective) {
  return objective == Objective::Load ||
         problem.ranks() * problem.ranks() *
                 static_cast<int64_t>(problem.deployment->groups.size()) <=
             mostTimedPairs;
}

SearchModel::SearchModel(const PlacementProblem &problem, Objective objective)
    : problem(problem), objective(objective), totals(problem.loads) {
  if (objective == Objective::Load) {
    sourceCells = problem.ranks() * tokenClasses;
    sourceParts = {1};
    return;
  }
  setUpTime();
}

double SearchModel::rows(int64_t source, int64_t expert) const {
  return rowsBySource.empty() ? sourceParts[source] * totals[expert]
                              : rowsBySource[source * experts() + expert];
}

void SearchModel::setUpTime() {
  const Deployment &deployment = *problem.deployment;
  const Topology &topology = *deployment.topology;
  sourceCount = problem.ranks();
  sourceCells = tokenClasses;
  double tokens = deployment.tokens();
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  double scale = tokens * deployment.choices / sum;
  for (double &total : totals) {
    total *= scale;
  }
  for (const TokenRange &range : deployment.groups.front().sources) {
    sourceParts.push_back(range.size() / tokens);
  }
  for (const std::vector<double> &source : problem.loadsBySource) {
    for (double load : source) {
      rowsBySource.push_back(load * scale);
    }
  }
  dispatchRowBytes = deployment.dispatchRowBytes;
  combineRowBytes = deployment.combineRowBytes;
  for (const Link &link : topology.links()) {
    linkTiers.push_back(link.tier);
    dispatchTimes.push_back((Bytes(dispatchRowBytes) / link.bandwidth).value());
    combineTimes.push_back((Bytes(combineRowBytes) / link.bandwidth).value());
  }
  const CostConstants &constants = deployment.constants;
  CostModel costs(topology, constants);
  tiers.resize(topology.tierCount());
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    tiers[tier].overhead = constants[ConstantId::MessageOverhead];
    tiers[tier].isCalibrated = costs.isCalibrated(tier);
    if (tiers[tier].isCalibrated) {
      ramps = &constants.accelerator()->ramps;
    }
  }
  pairTiers.resize(deployment.groups.size());
  rampPairs.resize(deployment.groups.size());
  for (int64_t source = 0; source < ranks(); ++source) {
    for (int64_t target = 0; target < ranks(); ++target) {
      pathBegins.push_back(pathLinks.size());
      addPair(source, target);
    }
  }
  pathBegins.push_back(pathLinks.size());
  flopTime = costs.computeTime(deployment.work.flopsPerRow, Bytes()).value();
  rowTime = costs.computeTime(Flops(), deployment.work.bytesPerRow).value();
  weightTime = costs.computeTime(Flops(), deployment.work.weightBytes).value();
  // Each row is read and written on its arrival and on its way back.
  permuteTime =
      costs
          .computeTime(Flops(), Bytes(2 * (dispatchRowBytes + combineRowBytes)))
          .value();
}

/// The links from a rank to another in all groups, and how far that is.
void SearchModel::addPair(int64_t source, int64_t target) {
  const Deployment &deployment = *problem.deployment;
  const Topology &topology = *deployment.topology;
  // Inner tiers are nearer; within one, wide paths are.
  int32_t furthest = 0;
  for (auto [index, group] : llvm::enumerate(deployment.groups)) {
    if (source == target) {
      pairTiers[index].push_back(0);
      continue;
    }
    int64_t from = group.devices[source], to = group.devices[target];
    Path path = topology.path(from, to);
    pairTiers[index].push_back(path.tier);
    TierStart &tier = tiers[path.tier];
    tier.latency = std::max(tier.latency, path.latency.value());
    if (tier.isCalibrated) {
      rampPairs[index].push_back(
          {static_cast<int32_t>(source), static_cast<int32_t>(target)});
    }
    llvm::append_range(pathLinks, topology.route(from, to));
    constexpr double slowest = 1e6;
    auto width = static_cast<int32_t>(
        std::clamp(path.bandwidth.value() * 100, 1.0, slowest));
    int32_t outer = topology.tierCount() - path.tier;
    furthest =
        std::max(furthest, outer * static_cast<int32_t>(slowest) - width + 1);
  }
  distances.push_back(furthest);
}

Service SearchModel::nearest(std::vector<int32_t> ranks) const {
  Service service;
  service.ranks = std::move(ranks);
  if (!service.isReplicated()) {
    return service;
  }
  if (!hasLinks()) {
    return equal(std::move(service.ranks));
  }
  size_t count = service.ranks.size();
  service.cells.assign(sources() * count, 0);
  std::vector<size_t> nearestOnes;
  for (int64_t source = 0; source < sources(); ++source) {
    int32_t least = std::numeric_limits<int32_t>::max();
    for (size_t index = 0; index < count; ++index) {
      int32_t far = distance(source, service.ranks[index]);
      if (far < least) {
        least = far;
        nearestOnes.clear();
      }
      if (far == least) {
        nearestOnes.push_back(index);
      }
    }
    // Sources round differently, so that no replica gets all remainders.
    auto share = static_cast<int32_t>(nearestOnes.size());
    for (size_t index : nearestOnes) {
      service.cells[source * count + index] = sourceCells / share;
    }
    for (int32_t left = 0; left < sourceCells % share; ++left) {
      ++service.cells[source * count + nearestOnes[(source + left) % share]];
    }
  }
  return service;
}

Service SearchModel::equal(std::vector<int32_t> ranks) const {
  Service service;
  service.ranks = std::move(ranks);
  size_t count = service.ranks.size();
  if (count < 2) {
    return service;
  }
  service.cells.assign(sources() * count, sourceCells / count);
  for (int64_t source = 0; source < sources(); ++source) {
    for (size_t left = 0; left < sourceCells % count; ++left) {
      ++service.cells[source * count + (source + left) % count];
    }
  }
  return service;
}
