//===- PlannerReport.h - A planner's questions, answered --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `moe-place --report` prints: a layer with experts against a dense one of
// equal arithmetic, numbers of experts, memory, exchange against compute and
// where they cross, and what an unbalanced load costs. Each assumption is
// stated, each constant labelled.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_PLANNERREPORT_H
#define MOE_REPORT_PLANNERREPORT_H

#include "moe/Planning/PlannerStudy.h"
#include "moe/Report/Report.h"

namespace moe::report {

/// The whole report.
Report plannerReport(const planning::PlannerStudy &study);

/// Dense layers and one with experts at equal arithmetic a token.
Table comparisonTable(const planning::LayerSize &layer, int64_t tokens);

/// Parts of a device's memory, whether they fit and what would help.
Table memoryTable(const planning::PlannerStudy &study);

/// Exchange and compute from balanced to collapsed loads.
LineChart balanceChart(const planning::PlannerStudy &study);

} // namespace moe::report

#endif // MOE_REPORT_PLANNERREPORT_H
