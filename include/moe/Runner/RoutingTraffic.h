// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a layer's exchanges carry: expected before anything ran, planned for
// the routing that occurred, counted by the runtime. The last two must agree.
#ifndef MOE_RUNNER_ROUTINGTRAFFIC_H
#define MOE_RUNNER_ROUTINGTRAFFIC_H

#include "moe/Planning/ExchangePlan.h"
#include "moe/Planning/LoadProfile.h"
#include "moe/Runner/RankRun.h"
#include "moe/Runner/TokenArray.h"

namespace moe::runner {

/// A layer's dispatch and combine, as they were planned.
struct LayerTraffic {
  /// With the device of each rank.
  planning::Mesh mesh;
  planning::Topology topology;
  planning::Placement placement;
  planning::ExpertShares loads;
  /// What tokens are split over where the experts get them.
  Axes tokenAxes;
  Axes expertAxes;
  /// What the columns that come back are split over.
  Axes columnAxes;
  int64_t choices = 1;
  int64_t outputColumns = 0;
  int64_t outputElementBytes = 0;
  planning::ExchangeRequest dispatch;
  planning::ExchangeRequest combine;

  /// For tokens that choose experts by `loads`.
  planning::ExchangeTraffic expect(int64_t tokens) const;
  /// For a routing that occurred.
  llvm::Expected<planning::ExchangeTraffic>
  plan(const RoutingArray &routing) const;
  /// Rows that each rank's experts got, by rank.
  llvm::Expected<std::vector<double>>
  rowsByRank(const RoutingArray &routing) const;

private:
  /// The traffic of one group over the expert axes.
  planning::ExchangeTraffic
  trafficOf(const planning::DeviceGroup &group,
            const planning::CountMatrix &counts) const;
  llvm::Expected<planning::CountMatrix>
  count(const RoutingArray &routing, const planning::DeviceGroup &group) const;
};

struct CountedTraffic {
  /// Dispatches and combines: rows, and the counts that announce them.
  planning::ExchangeTraffic exchange;
  /// All other collectives of the program.
  planning::ExchangeTraffic other;
};

/// Sums what the ranks counted, of which exchanges are those of layer numbers
/// that `isPlanned` says.
CountedTraffic sumTraffic(const RunMeasurement &measurement, size_t tiers,
                          llvm::function_ref<bool(int64_t layer)> isPlanned);
/// Nothing on so many tiers.
planning::ExchangeTraffic noTraffic(size_t tiers);

/// "" where the two agree on bytes and messages of every tier and of what stays
/// on a rank, else the first difference.
std::string compareTraffic(const planning::Topology &topology,
                           const planning::ExchangeTraffic &planned,
                           const planning::ExchangeTraffic &counted);

} // namespace moe::runner

#endif // MOE_RUNNER_ROUTINGTRAFFIC_H
