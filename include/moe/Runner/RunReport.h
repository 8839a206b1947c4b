// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_RUNREPORT_H
#define MOE_RUNNER_RUNREPORT_H

#include "moe/Report/Report.h"
#include "moe/Runner/Session.h"

namespace moe::runner {

/// What a report says of a run that the run does not know.
struct RunCaption {
  /// Of the module or the bundle.
  std::string module;
  /// What a comparison found; empty: there was none.
  std::string check = {};
};

/// What moe-run says of a run: its layers, time by phase, bytes by tier, load
/// by rank. The program takes and gives one matrix (Session::checkSignature).
/// Fails where a routing does not fit its placement.
llvm::Expected<report::Report> makeRunReport(const Session &session,
                                             const ProgramRun &run,
                                             const RunCaption &caption);

} // namespace moe::runner

#endif // MOE_RUNNER_RUNREPORT_H
