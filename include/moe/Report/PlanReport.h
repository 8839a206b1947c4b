//===- PlanReport.h - What a plan says for itself ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tables of moe-print-placement, moe-print-traffic and moe-run. Each
// function makes one table; callers put them into a Report.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_PLANREPORT_H
#define MOE_REPORT_PLANREPORT_H

#include "moe/Planning/LoadProfile.h"
#include "moe/Planning/MeshMapping.h"
#include "moe/Report/Report.h"

namespace moe::report {

/// Where each rank's experts are: rank, experts, share of the load, load over
/// the mean. The notes give the placement's size, its largest load over the
/// mean, replicas, and whether the loads are assumed.
Table placementTable(llvm::StringRef title,
                     const planning::Placement &placement,
                     const planning::ExpertShares &loads);

/// One exchange's traffic under one way of knowing it.
struct TrafficEntry {
  /// Such as `dispatch`.
  std::string exchange;
  /// Such as `expected`, `planned on this routing` or `counted`.
  std::string basis;
  planning::ExchangeTraffic traffic;
};

/// A line for each entry and tier, and one for what is local: payload,
/// metadata, padding, messages.
Table trafficTable(llvm::StringRef title, const planning::Topology &topology,
                   llvm::ArrayRef<TrafficEntry> entries);

/// One exchange's predicted time.
struct CostEntry {
  std::string exchange;
  planning::ExchangeCost cost;
};

/// A line for each entry: time on the wire, in memory, of the host, in all, and
/// of each tier.
Table costTable(llvm::StringRef title, const planning::Topology &topology,
                llvm::ArrayRef<CostEntry> entries);

/// The mapping that was chosen and at most `most` of those refused, with the
/// cost of each traffic record.
Table mappingTable(llvm::StringRef title, const planning::MeshMapping &mapping,
                   llvm::ArrayRef<planning::AxisTraffic> traffic,
                   size_t most = 8);

/// Name, value, unit, source and whether it is a default.
Table constantsTable(const planning::CostConstants &constants);

} // namespace moe::report

#endif // MOE_REPORT_PLANREPORT_H
