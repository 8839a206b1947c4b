//===- PlacedTraffic.cpp - What a placement makes travel ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacedTraffic.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <numeric>

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

std::vector<double> moe::report::relativeLoads(const Placement &placement,
                                               const ExpertShares &loads) {
  std::vector<double> ranks = rankShares(placement, loads);
  for (double &load : ranks) {
    load *= double(ranks.size());
  }
  return ranks;
}

int64_t moe::report::nodeSize(const Topology &topology) {
  if (topology.node()) {
    return topology.devicesPerNode();
  }
  return topology.tierCount() > 1 ? topology.tiers().back().size
                                  : topology.deviceCount();
}

double PlacedTraffic::partFrom(int64_t expert, int64_t source) const {
  bool isKnown = !loads.bySource.empty() && loads.shares[expert] > 0;
  return isKnown ? loads.bySource[source][expert] / loads.shares[expert]
                 : 1.0 / double(placement.rankCount());
}

std::vector<ServingSlot> PlacedTraffic::slotsOf(int64_t expert) const {
  llvm::ArrayRef<int64_t> slots = placement.slotsOf(expert);
  if (slots.size() == 1) {
    return {{placement.rankOfSlot(slots.front()), 1}};
  }
  std::map<int64_t, double> parts;
  for (int64_t source = 0; source < placement.rankCount(); ++source) {
    double cell = partFrom(expert, source) / double(Placement::tokenClasses);
    for (int64_t cls = 0; cls < Placement::tokenClasses; ++cls) {
      parts[placement.slotFor(expert, source, cls)] += cell;
    }
  }
  std::vector<ServingSlot> serving;
  for (int64_t slot : slots) {
    serving.push_back({placement.rankOfSlot(slot), parts[slot]});
  }
  return serving;
}

std::string PlacedTraffic::sourcesText(int64_t expert) const {
  // What is on the same device comes first, then tiers from the inside out.
  std::vector<double> byTier(model.topology->tierCount());
  double same = 0;
  bool isReplicated = placement.slotsOf(expert).size() > 1;
  int64_t classes = isReplicated ? Placement::tokenClasses : 1;
  for (int64_t source = 0; source < placement.rankCount(); ++source) {
    double cell = partFrom(expert, source) / double(classes);
    for (int64_t cls = 0; cls < classes; ++cls) {
      int64_t rank =
          placement.rankOfSlot(placement.slotFor(expert, source, cls));
      if (rank == source) {
        same += cell;
      } else {
        byTier[model.topology->path(deviceOf(source), deviceOf(rank)).tier] +=
            cell;
      }
    }
  }
  std::string text =
      formatv("Its rows come {0:F0} % from the same device", same * 100);
  for (unsigned tier = byTier.size(); tier-- > 0;) {
    if (byTier[tier] > 0) {
      text += formatv(", {0:F0} % over {1}", byTier[tier] * 100,
                      model.topology->tier(tier).name);
    }
  }
  return text;
}

DeviceGroup PlacedTraffic::group() const {
  if (!model.devices.empty()) {
    return model.devices;
  }
  DeviceGroup all(placement.rankCount());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

CountMatrix PlacedTraffic::counts() const {
  return expectedRows(model.choices, loads,
                      splitTokens(model.tokens, placement.rankCount()),
                      placement);
}

std::vector<ExchangePlan> PlacedTraffic::plans() const {
  std::vector<ExchangePlan> plans;
  for (ExchangeDirection direction :
       {ExchangeDirection::Dispatch, ExchangeDirection::Combine}) {
    ExchangeRequest request;
    request.direction = direction;
    request.axes = {"ep"};
    request.rowBytes = model.rowBytes;
    request.localSlots = placement.localSlots();
    request.bound = worstCaseRows(model.tokens, model.choices, placement);
    plans.push_back(ExchangePlan::create(request));
  }
  return plans;
}

void PlacedTraffic::visitBytes(
    llvm::function_ref<void(int64_t, int64_t, double)> visitor) const {
  CountMatrix rows = counts();
  for (const ExchangePlan &plan : plans()) {
    for (const std::shared_ptr<const Phase> &phase : plan.phases()) {
      phase->visitFlows(rows, [&](const Flow &flow) {
        if (!flow.isLocal()) {
          visitor(flow.source, flow.target, flow.traffic.payload.value());
        }
      });
    }
  }
}

ExchangeTraffic PlacedTraffic::bytes() const {
  CountMatrix rows = counts();
  ExchangeTraffic sum;
  for (const ExchangePlan &plan : plans()) {
    sum += plan.bytes(rows, *model.topology, group());
  }
  return sum;
}

PlacedCost PlacedTraffic::cost() const {
  CostModel costs(*model.topology, model.constants);
  GroupCounts rows = {group(), counts()};
  PlacedCost result;
  Microseconds slowest;
  for (const ExchangePlan &plan : plans()) {
    ExchangeCost cost = costs.exchangeCost(plan, {rows});
    result.total += cost.total();
    for (const TierCost &tier : cost.tiers) {
      if (tier.slowestLink && tier.time > slowest) {
        slowest = tier.time;
        result.slowestLink = model.topology->linkName(*tier.slowestLink);
      }
    }
  }
  return result;
}
