// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_PLANNEDLAYER_H
#define MOE_RUNNER_PLANNEDLAYER_H

#include "moe/Runner/LayerFacts.h"
#include "moe/Runner/ProgramLayout.h"
#include "moe/Runner/RoutingTraffic.h"

#include <map>
#include <memory>

namespace moe::runner {

/// What a plan says of its layer, its ranks and its exchanges.
struct PlannedLayer {
  LayerFacts facts;
  LayerTraffic traffic;
  /// Without handles and groups, which only lowering decides.
  ProgramLayout layout;
  /// The layer's own among the layout's placements.
  std::string placement;
  /// What it was planned with, by the names of moe-plan-pipeline's options, as
  /// far as that is recorded.
  std::map<std::string, std::string> recordedOptions = {};
  /// What the layer was compiled with, where its placement was replaced.
  std::optional<planning::Placement> replaced = std::nullopt;
};

/// Which of the two roads from a planned module to code.
enum class ProgramKind { Partitioned, Reference };

/// Code in this process and what it expects of its callers.
struct CompiledProgram {
  /// The code lives as long as this does.
  std::shared_ptr<const void> code;
  void *entry = nullptr;
  /// With handles and groups.
  ProgramLayout layout;
};

/// Where a session's programs come from: a module that is compiled, or a bundle
/// that has been.
class ProgramSource {
public:
  virtual ~ProgramSource() = default;

  virtual const PlannedLayer &planned() const = 0;
  virtual llvm::Expected<CompiledProgram> load(ProgramKind kind) = 0;
};

} // namespace moe::runner

#endif // MOE_RUNNER_PLANNEDLAYER_H
