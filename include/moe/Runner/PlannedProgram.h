// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_PLANNEDPROGRAM_H
#define MOE_RUNNER_PLANNEDPROGRAM_H

#include "moe/Runner/DeviceCode.h"
#include "moe/Runner/ProgramFacts.h"
#include "moe/Runner/ProgramLayout.h"
#include "moe/Runner/RoutingTraffic.h"

#include <map>
#include <memory>

namespace moe::runner {

/// What a plan says of one layer of experts and of its exchanges.
struct PlannedLayer {
  /// As the model calls it: "3", "encoder.1"; empty for the only layer of a
  /// function that gives it no name.
  std::string name;
  /// The layer number of its collectives; none where the calls that lead to it
  /// have none, as those of an encoder–decoder.
  std::optional<int64_t> number;
  int64_t experts = 0;
  /// The layer's own among the layout's placements.
  std::string placement;
  /// Who chose it; see getPlacementOrigin.
  std::string placementPolicy;
  LayerTraffic traffic;
  /// What the layer was compiled with, where its placement was replaced.
  std::optional<planning::Placement> replaced = std::nullopt;

  /// "flat exact, at most 128 rows a rank"
  std::string exchange() const;
};

/// A program as it was planned: its ranks, what goes in and out, its layers.
struct PlannedProgram {
  ProgramFacts facts;
  /// With the device of each rank.
  planning::Mesh mesh;
  planning::Topology topology;
  /// Without handles and groups, which only lowering decides.
  ProgramLayout layout;
  /// In the order in which they run. The program returns the routing of each
  /// after its own results.
  std::vector<PlannedLayer> layers;
  /// What it was planned with, by the names of moe-plan-pipeline's options, as
  /// far as that is recorded.
  std::map<std::string, std::string> recordedOptions;

  /// The name of the only layer; "" where there are more or none.
  std::string layerName() const;
  /// Whether exchanges that are counted under a number are a planned layer's.
  bool isPlanned(int64_t number) const;
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
  /// Null for code of the CPU.
  std::shared_ptr<const DeviceCode> device = nullptr;
};

/// Where a session's programs come from: a module that is compiled, or a bundle
/// that has been.
class ProgramSource {
public:
  virtual ~ProgramSource() = default;

  virtual const PlannedProgram &planned() const = 0;
  virtual llvm::Expected<CompiledProgram> load(ProgramKind kind) = 0;
};

} // namespace moe::runner

#endif // MOE_RUNNER_PLANNEDPROGRAM_H
