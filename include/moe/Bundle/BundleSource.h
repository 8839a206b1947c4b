// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs out of a bundle, for a session.
#ifndef MOE_BUNDLE_BUNDLESOURCE_H
#define MOE_BUNDLE_BUNDLESOURCE_H

#include "moe/Bundle/Bundle.h"
#include "moe/Runner/Session.h"

namespace moe::bundle {

class BundleSource : public runner::ProgramSource {
public:
  /// Reads the bundle that `options.modulePath` names. Fails, in one line that
  /// begins with the path, where it cannot be read (see readBundle), where its
  /// CPU is not this machine's, and where the options ask for another layer,
  /// CPU or plan than it has.
  static llvm::Expected<std::unique_ptr<BundleSource>>
  open(const runner::SessionOptions &options);

  const runner::PlannedProgram &planned() const override { return program; }
  llvm::Expected<runner::CompiledProgram>
  load(runner::ProgramKind kind) override;

private:
  BundleSource(std::string path, Bundle bundle, runner::PlannedProgram program,
               runner::HostFunctions functions)
      : path(std::move(path)), bundle(std::move(bundle)),
        program(std::move(program)), functions(std::move(functions)) {}

  std::string path;
  Bundle bundle;
  runner::PlannedProgram program;
  runner::HostFunctions functions;
};

} // namespace moe::bundle

#endif // MOE_BUNDLE_BUNDLESOURCE_H
