//===- Planner.h - A planner's question from flags and files ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_PLANNER_H
#define MOE_PLACEMENTTOOL_PLANNER_H

#include "moe/PlacementTool/Workload.h"
#include "moe/Report/Report.h"

namespace moe::placement {

/// What only plain numbers need.
struct PlannerOptions {
  /// Of an expert: 2, or 3 with a gate.
  int64_t matrices = 3;
  double weightBits = 16;
};

/// The planner's report (report::plannerReport) about the configuration of the
/// options, or about plain numbers: experts, choices, hidden size, width.
/// `layers` says how many layers there are. Links that no file describes are
/// assumed, and said. Fails on missing numbers, naming the flag.
llvm::Expected<report::Report> planReport(const WorkloadOptions &options,
                                          const PlannerOptions &planner);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_PLANNER_H
