// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ModuleSource.h"

using namespace moe::runner;

llvm::Expected<std::unique_ptr<Session>>
Session::create(const SessionOptions &options) {
  llvm::Expected<mlir::moe::CPUTarget> target =
      mlir::moe::CPUTarget::parseToRunHere(options.cpu.empty() ? "native"
                                                               : options.cpu);
  if (!target) {
    return target.takeError();
  }
  llvm::Expected<std::unique_ptr<ModuleSource>> source =
      ModuleSource::create(options, RunLimits::query());
  if (!source) {
    return source.takeError();
  }
  return create(std::move(*source), options);
}
