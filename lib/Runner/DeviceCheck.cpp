// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/DeviceCheck.h"

using namespace moe::runner;

/// Runs the layer of `options`, planned anew, on one rank.
static llvm::Expected<ProgramResult> runAlone(SessionOptions options,
                                              const ProgramInput &input) {
  options.plan = {};
  options.plan.ranks = 1;
  options.replan = true;
  options.tracePath.clear();
  options.stalledRank = -1;
  options.repeat = 1;
  llvm::Expected<std::unique_ptr<Session>> session = Session::create(options);
  if (!session) {
    return session.takeError();
  }
  llvm::Expected<ProgramRun> run = (*session)->run(input);
  if (!run) {
    return run.takeError();
  }
  return std::move(run->result);
}

llvm::Expected<std::string>
moe::runner::checkOnDevices(const SessionOptions &options,
                            const ProgramInput &input, const ProgramRun &run) {
  llvm::Expected<ProgramResult> alone = runAlone(options, input);
  if (!alone) {
    return alone.takeError();
  }
  if (std::optional<Difference> difference =
          compareResults(*alone, run.result)) {
    return "against one device: " + toString(*difference, "some slot");
  }
  // Of several layers each one's routing would have to be given.
  if (run.result.routings.size() != 1) {
    return std::string();
  }
  SessionOptions onCPU = options;
  onCPU.platform = {};
  onCPU.takesRouting = true;
  ProgramInput routed = input;
  routed.routing = run.result.routings.front();
  llvm::Expected<ProgramResult> expected = runAlone(onCPU, routed);
  if (!expected) {
    return expected.takeError();
  }
  std::optional<Difference> difference =
      compareGivenRouting(*expected, run.result);
  return difference ? "against the CPU: " + toString(*difference, "some slot")
                    : std::string();
}
