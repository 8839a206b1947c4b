//===- Migration.h - From one placement to another --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_MIGRATION_H
#define MOE_PLACEMENTTOOL_MIGRATION_H

#include "moe/PlacementTool/Workload.h"
#include "moe/Planning/Rebalance.h"
#include "moe/Report/Report.h"

namespace moe::placement {

/// What has to move in one layer.
struct LayerMigration {
  int64_t layer = 0;
  planning::MigrationPlan plan;
  /// Slots whose expert another slot keeps serving: nothing moves.
  int64_t replicasGivenUp = 0;
};

/// Two placements under the same loads, and the way from one to the other.
struct PlacementDiff {
  /// Of the later placement.
  Workload workload;
  PlacementFile before;
  PlacementFile after;
  std::vector<LayerMigration> layers;
  /// Of one expert; 0 where nothing says how large it is.
  planning::Bytes weightBytes;
  std::vector<std::string> notes;

  int64_t moves() const;
  planning::Bytes bytes() const;
};

/// A placement with the path of its file, for errors.
struct NamedPlacement {
  const PlacementFile &file;
  llvm::StringRef path;
};

/// Counts both anew under the loads of the options, or those that the later
/// file states. Fails where they are not over the same layers, experts and
/// GPUs.
llvm::Expected<PlacementDiff> diffPlacements(NamedPlacement before,
                                             NamedPlacement after,
                                             const WorkloadOptions &options);

/// What a rebalancing may cost over all layers together.
struct RebalanceBudget {
  std::optional<int64_t> moves;
  std::optional<int64_t> bytes;
};

/// The best placement that is found within the budget of `previous`: moves go
/// to the layers where they gain most. Fails on bytes without the size of an
/// expert.
llvm::Expected<PlacementDiff> rebalancePlacement(NamedPlacement previous,
                                                 const RebalanceBudget &budget,
                                                 planning::Objective objective,
                                                 const Workload &workload);

/// What moved and what it bought, at most `mostMoves` of the moves listed.
report::Report diffReport(const PlacementDiff &diff, size_t mostMoves = 200);

/// {"moves": [{"layer", "expert", "from_gpu", "from_slot", "to_gpu", "to_slot",
/// "tier", "bytes"}], "bytes", "bytes_by_tier", "time_us"}; layers move one
/// after the other, each layer's experts at once.
llvm::json::Value toJson(const PlacementDiff &diff);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_MIGRATION_H
