// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_RUNREPORT_H
#define MOE_RUNNER_RUNREPORT_H

#include "moe/Report/Report.h"
#include "moe/Runner/Session.h"

namespace moe::runner {

/// What moe-run says of a run: the layer, time by phase, bytes by tier, load
/// by rank. Fails where the routing does not fit the placement.
llvm::Expected<report::Report> makeRunReport(const Session &session,
                                             const LayerRun &run,
                                             llvm::StringRef module,
                                             llvm::StringRef check);

} // namespace moe::runner

#endif // MOE_RUNNER_RUNREPORT_H
