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
#include "moe/Planning/Memory.h"
#include "moe/Planning/MeshMapping.h"
#include "moe/Planning/PlacementSolver.h"
#include "moe/Report/Report.h"
#include <limits>

namespace moe::report {

/// Where each rank's experts are: rank, experts, share of the load, load over
/// the mean. The notes give the placement's size, its largest load over the
/// mean, replicas, and whether the loads are assumed. Of more than `most` ranks
/// only those of the largest loads are listed.
Table placementTable(llvm::StringRef title,
                     const planning::Placement &placement,
                     const planning::ExpertShares &loads,
                     size_t most = std::numeric_limits<size_t>::max());

enum class ReplicaDetail {
  /// How many of 64 tokens, for people.
  Shares,
  /// Which token classes, for scripts: the table can be made again from it.
  Classes
};

/// Which slot of a replicated expert serves which source ranks: expert, slot,
/// its rank, how many of 64 tokens, and of which ranks. A slot has a row for
/// each number of tokens (of each set of classes), and one without ranks where
/// it serves nobody. Of more than `most` replicated experts only those of the
/// largest `shares` of the load are listed, the first ones where none are
/// given.
Table replicaTable(llvm::StringRef title, const planning::Placement &placement,
                   ReplicaDetail detail, llvm::ArrayRef<double> shares = {},
                   size_t most = std::numeric_limits<size_t>::max());

/// The link that takes longest in dispatch or combine; empty where nothing
/// travels.
std::string slowestLinkOf(const planning::Topology &topology,
                          const planning::PlacementTime &time);

/// What a placement comes to, what none is below, and why: a record of the
/// largest load over the mean and of the time of a step. Times are unknown
/// where `topology` is null.
Table boundsTable(llvm::StringRef title,
                  const planning::PlacementResult &result,
                  const planning::Topology *topology);

/// Equal layers with what their placement comes to.
struct MeasuredPlacement {
  /// `3-60`
  std::string layers;
  /// Who chose the slots.
  std::string origin;
  const planning::PlacementResult *result = nullptr;
  /// Null where times are unknown.
  const planning::Topology *topology = nullptr;
};

/// A line for each: its largest load and the time of a step, beside what no
/// placement is below.
Table summaryTable(llvm::ArrayRef<MeasuredPlacement> placements);

/// What the memory of each rank holds; of more than `most` ranks, the fullest.
/// What is usable and to spare (below 0: missing) is unknown where no rank has
/// anything usable.
Table rankMemoryTable(llvm::ArrayRef<planning::MemoryEstimate> ranks,
                      size_t most);

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
