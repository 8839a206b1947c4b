// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs out of a module: read, planned where it is not, lowered and
// compiled, into this process or into objects for a bundle.
#ifndef MOE_RUNNER_MODULESOURCE_H
#define MOE_RUNNER_MODULESOURCE_H

#include "moe/Runner/RunLimits.h"
#include "moe/Runner/Session.h"
#include "moe/Target/CPU/CPUTarget.h"

namespace moe::runner {

/// A program that is lowered, and becomes an object file.
class LoweredObject {
public:
  LoweredObject(LoweredObject &&other) noexcept;
  ~LoweredObject();

  /// The function to call.
  const std::string &entry() const;
  /// With handles and groups.
  const ProgramLayout &layout() const;
  /// What the host brings, by name.
  std::vector<std::string> functions() const;
  /// `stamp` is put into the object, for readStamp.
  llvm::Expected<std::string> emit(llvm::StringRef stamp) const;

private:
  friend class ModuleSource;
  struct State;
  explicit LoweredObject(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

class ModuleSource : public ProgramSource {
public:
  /// Reads and plans the module; nothing is compiled yet. Errors are one line;
  /// those about the module begin with file and position. `limits` are those
  /// of who will run it.
  static llvm::Expected<std::unique_ptr<ModuleSource>>
  create(const SessionOptions &options, const RunLimits &limits = {});
  ~ModuleSource() override;

  const PlannedProgram &planned() const override;
  /// Fails where the target is not this machine's.
  llvm::Expected<CompiledProgram> load(ProgramKind kind) override;

  const mlir::moe::CPUTarget &target() const;
  llvm::Expected<LoweredObject> lower(ProgramKind kind) const;
  /// The topology of the plan, as a `comm.topology`.
  std::string printTopology() const;

private:
  struct State;
  explicit ModuleSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace moe::runner

#endif // MOE_RUNNER_MODULESOURCE_H
