// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What planning needs to know of a module, gathered once: devices, ranks,
// tokens and layers, as the plain data that the planning library takes.

#ifndef MOE_ANALYSIS_PLANFACTS_H
#define MOE_ANALYSIS_PLANFACTS_H

#include "moe/Analysis/ModelLayers.h"
#include "moe/Planning/CostModel.h"

namespace mlir::moe {

/// The devices. A module without a `comm.topology` is costed on one uniform
/// tier of defaults, which reports label.
struct DeviceFacts {
  ::moe::planning::Topology topology;
  /// Null where the topology is the default.
  comm::TopologyOp op;

  bool isDefault() const { return !op; }
};

/// The only operation of its kind in the module, or null. Fails, with a
/// diagnostic, when there are more.
FailureOr<comm::TopologyOp> findTopology(ModuleOp module);
FailureOr<comm::MeshOp> findMesh(ModuleOp module);

/// `devices` is used where the module has no topology.
FailureOr<DeviceFacts> gatherDevices(ModuleOp module, int64_t devices);

/// The most tokens that the module is for: `moe.max_tokens`, else the static
/// extent of a root function's first tensor. Fails when neither is there.
FailureOr<int64_t> getMaxTokens(ModuleOp module);

/// A module with a mesh.
struct PlanFacts {
  DeviceFacts devices;
  comm::MeshOp meshOp;
  ::moe::planning::Mesh mesh;
  int64_t tokens = 0;
  /// What the tokens are sharded over, as the arguments of the root functions
  /// say.
  std::vector<::moe::planning::AxisRef> tokenAxes;
  SmallVector<MoELayer> layers;

  /// Fails, with a diagnostic, when there is no mesh or it does not fit.
  static FailureOr<PlanFacts> gather(ModuleOp module);
};

/// Whether dimension 0 of an argument or result of the function counts tokens:
/// it has the extent, or is dynamic as that, of the first tensor argument.
bool isTokenwise(func::FuncOp function, Type type);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANFACTS_H
