// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a planned module says of itself: the reports behind moe-print-placement
// and moe-print-traffic.

#ifndef MOE_ANALYSIS_PLANREPORTS_H
#define MOE_ANALYSIS_PLANREPORTS_H

#include "moe/Analysis/MemoryDemand.h"
#include "moe/Report/PlanDrawing.h"
#include "moe/Report/PlanReport.h"

#include "mlir/IR/BuiltinOps.h"

#include <limits>

namespace mlir::moe {

/// What a report of placements says beyond them.
struct PlacementReportOptions {
  ::moe::report::ReplicaDetail replicas = ::moe::report::ReplicaDetail::Shares;
  /// What programs can use of a device's memory; 0: what is known of the GPUs.
  double memoryGib = 0;
  CacheSpec cache;
  /// Of differing layers first a line for each.
  bool hasSummary = true;
  /// The layers that are shown in full, those of the largest loads.
  size_t mostLayers = 4;
  /// The fullest ranks, those that have most to do, and the replicated experts
  /// of most load that tables list.
  size_t mostRanks = 16;

  /// Leaves no layer, rank or replica out.
  void showAll() {
    mostLayers = mostRanks = std::numeric_limits<size_t>::max();
  }
  /// Everything, token classes too, as JSON has it.
  static PlacementReportOptions forScripts() {
    PlacementReportOptions options;
    options.replicas = ::moe::report::ReplicaDetail::Classes;
    options.hasSummary = false;
    options.showAll();
    return options;
  }
};

/// Where the experts of each layer are, which replica serves whom, what no
/// placement is below, and what each rank's memory holds. Layers that are equal
/// in it share tables. Fails, with a diagnostic, unless every layer has a
/// placement.
FailureOr<::moe::report::Report>
makePlacementReport(ModuleOp module,
                    const PlacementReportOptions &options = {});
/// The same as figures for people, beside a contiguous placement, with a reason
/// for every expert.
FailureOr<::moe::report::Report>
makePlacementPage(ModuleOp module, const PlacementReportOptions &options = {});

/// Devices in their nodes with their experts.
FailureOr<::moe::report::Drawing> makePlacementDrawing(ModuleOp module);

/// What each rank's memory holds, whether it fits and what would help.
FailureOr<::moe::report::Table>
makeMemoryTable(ModuleOp module, const PlanFacts &facts,
                const PlacementReportOptions &options);

/// What is expected to travel when the module's most tokens arrive, and how
/// long it takes: along each axis, for each layer by tier, in all, and the
/// constants that the times rest on. Fails, with a diagnostic, unless every
/// layer has a placement and an exchange.
FailureOr<::moe::report::Report> makeTrafficReport(ModuleOp module);
/// The same with figures: bytes by tier and from device to device, and the time
/// along each axis.
FailureOr<::moe::report::Report> makeTrafficPage(ModuleOp module);
/// What crosses the parts of each tier in a step's dispatches and combines.
FailureOr<::moe::report::Drawing> makeTrafficDrawing(ModuleOp module);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANREPORTS_H
