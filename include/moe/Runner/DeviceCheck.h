// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run on devices is compared with.
#ifndef MOE_RUNNER_DEVICECHECK_H
#define MOE_RUNNER_DEVICECHECK_H

#include "moe/Runner/Session.h"

namespace moe::runner {

/// Compares a run on devices with the same layer on one of them, bit for bit,
/// and, given the routing that it chose, with the same layer on the CPU, within
/// the tolerance of compareGivenRouting; the latter only where there is one
/// layer. Both run here. Returns what differs first; empty if nothing does.
/// `options` are those of the run.
llvm::Expected<std::string> checkOnDevices(const SessionOptions &options,
                                           const ProgramInput &input,
                                           const ProgramRun &run);

} // namespace moe::runner

#endif // MOE_RUNNER_DEVICECHECK_H
