// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ModuleSource.h"

using namespace moe::runner;

llvm::Expected<std::unique_ptr<Session>>
Session::create(const SessionOptions &options) {
  llvm::Expected<mlir::moe::CPUTarget> target =
      mlir::moe::CPUTarget::parse(options.cpu);
  if (!target) {
    return target.takeError();
  }
  // Known before the module is read.
  if (llvm::Error error = target->checkRunsHere()) {
    return std::move(error);
  }
  llvm::Expected<std::unique_ptr<ModuleSource>> source =
      ModuleSource::create(options, RunLimits::query());
  if (!source) {
    return source.takeError();
  }
  return create(std::move(*source), options);
}
