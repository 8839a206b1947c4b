// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RoutingTraffic.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
using namespace moe::planning;

ExchangeTraffic LayerTraffic::trafficOf(const DeviceGroup &group,
                                        const CountMatrix &counts) const {
  // Members of a group hold the same columns.
  TokenRange columns = tokenRange(outputColumns, mesh.groupSize(columnAxes),
                                  mesh.indexInGroup(group.front(), columnAxes));
  ExchangeRequest home = combine;
  home.rowBytes = columns.size() * outputElementBytes;
  ExchangeTraffic traffic =
      ExchangePlan::create(dispatch).bytes(counts, topology, group);
  traffic += ExchangePlan::create(home).bytes(counts, topology, group);
  return traffic;
}

ExchangeTraffic moe::runner::noTraffic(size_t tiers) {
  ExchangeTraffic traffic;
  traffic.tiers.resize(tiers);
  return traffic;
}

ExchangeTraffic LayerTraffic::expect(int64_t tokens) const {
  ExchangeTraffic traffic = noTraffic(topology.tierCount());
  for (const DeviceGroup &group : mesh.groups(expertAxes)) {
    traffic += trafficOf(
        group,
        expectedRows(choices, loads,
                     tokenRanges(mesh, group, tokenAxes, tokens), placement));
  }
  return traffic;
}

llvm::Expected<CountMatrix>
LayerTraffic::count(const RoutingArray &routing,
                    const DeviceGroup &group) const {
  return countRows(Routing{choices, routing.experts},
                   tokenRanges(mesh, group, tokenAxes, routing.tokens),
                   placement);
}

llvm::Expected<ExchangeTraffic>
LayerTraffic::plan(const RoutingArray &routing) const {
  ExchangeTraffic traffic = noTraffic(topology.tierCount());
  for (const DeviceGroup &group : mesh.groups(expertAxes)) {
    llvm::Expected<CountMatrix> counts = count(routing, group);
    if (!counts) {
      return counts.takeError();
    }
    traffic += trafficOf(group, *counts);
  }
  return traffic;
}

llvm::Expected<std::vector<double>>
LayerTraffic::rowsByRank(const RoutingArray &routing) const {
  std::vector<double> rows(mesh.deviceCount());
  for (const DeviceGroup &group : mesh.groups(expertAxes)) {
    llvm::Expected<CountMatrix> counts = count(routing, group);
    if (!counts) {
      return counts.takeError();
    }
    for (auto [index, device] : llvm::enumerate(group)) {
      rows[mesh.positionOf(device)] = counts->receivedBy(index);
    }
  }
  return rows;
}

CountedTraffic
moe::runner::sumTraffic(const RunMeasurement &measurement, size_t tiers,
                        llvm::function_ref<bool(int64_t layer)> isPlanned) {
  CountedTraffic sum{noTraffic(tiers), noTraffic(tiers)};
  for (const RankMeasurement &rank : measurement.ranks) {
    for (const CollectiveCount &collective : rank.collectives) {
      bool isExchange = isPlanned(collective.layer);
      bool isRows = isExchange && collective.kind == MOERT_ALL_TO_ALL_V;
      bool isCounts = isExchange && collective.kind == MOERT_ALL_TO_ALL;
      ExchangeTraffic one = noTraffic(tiers);
      auto convert = [&](const moert_traffic &counted) {
        Traffic traffic;
        (isCounts ? traffic.metadata : traffic.payload) = Bytes(counted.bytes);
        traffic.messages = counted.messages;
        return traffic;
      };
      one.local = convert(collective.local);
      for (size_t tier = 0; tier < collective.tiers.size(); ++tier) {
        one.tiers[tier] = convert(collective.tiers[tier]);
      }
      (isRows || isCounts ? sum.exchange : sum.other) += one;
    }
  }
  return sum;
}

static std::string compareTier(llvm::StringRef name, const Traffic &planned,
                               const Traffic &counted) {
  if (planned.total() == counted.total() &&
      planned.messages == counted.messages) {
    return "";
  }
  return llvm::formatv("expected {0} bytes in {1} messages on {2} by the plan "
                       "for this routing, but the runtime counted {3} bytes in "
                       "{4} messages",
                       static_cast<int64_t>(planned.total().value()),
                       static_cast<int64_t>(planned.messages), name,
                       static_cast<int64_t>(counted.total().value()),
                       static_cast<int64_t>(counted.messages));
}

std::string moe::runner::compareTraffic(const Topology &topology,
                                        const ExchangeTraffic &planned,
                                        const ExchangeTraffic &counted) {
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    std::string text = compareTier("tier " + topology.tier(tier).name,
                                   planned.tiers[tier], counted.tiers[tier]);
    if (!text.empty()) {
      return text;
    }
  }
  return compareTier("rows that stay on a rank", planned.local, counted.local);
}
