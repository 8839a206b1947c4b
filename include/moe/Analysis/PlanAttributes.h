// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where plans become attributes and attributes plans. Both ways
// lose nothing: toPlanning(toAttribute(x)) is x for everything that a solver
// can decide.
//
// A rank of the program is a *position* of the mesh; `comm.mesh`'s order says
// which device runs it. Planning speaks of devices and positions alike, see
// Planning/Mesh.h.

#ifndef MOE_ANALYSIS_PLANATTRIBUTES_H
#define MOE_ANALYSIS_PLANATTRIBUTES_H

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Planning/ExchangePlan.h"
#include "moe/Planning/LoadProfile.h"

namespace mlir::moe {

::moe::planning::AxisRef toPlanning(comm::AxisRefAttr axis);
std::vector<::moe::planning::AxisRef> toPlanning(comm::AxisListAttr axes);
comm::AxisListAttr toAttribute(MLIRContext *context,
                               ArrayRef<::moe::planning::AxisRef> axes);

/// Fails on what the operation's verifier does not check, such as a bandwidth
/// of 0.
llvm::Expected<::moe::planning::Topology> toPlanning(comm::TopologyOp topology);
/// Makes a `comm.topology` of the name.
comm::TopologyOp createTopology(OpBuilder &builder, Location location,
                                StringRef name,
                                const ::moe::planning::Topology &topology);

llvm::Expected<::moe::planning::Mesh> toPlanning(comm::MeshOp mesh);
/// The axes of a `comm.mesh`; its order is `mesh.deviceOrder()`.
ArrayAttr toAttribute(MLIRContext *context, const ::moe::planning::Mesh &mesh);

/// The slots and the replica tables that are written in `moe.placement`.
::moe::planning::PlacementData toPlacementData(PlacementOp placement);
/// The placement that `moe.placement` stands for: experts without a table are
/// served by the default rule of Placement::create, with distances over the
/// topology of the module. Fails on what the operation's verifier does not
/// check, such as a topology of another size.
llvm::Expected<::moe::planning::Placement> toPlanning(PlacementOp placement);

/// How a placement is written.
struct PlacementAttributes {
  /// One list of experts a rank.
  ArrayAttr slots;
  /// The tables that the default rule would not give; null without any.
  ArrayAttr replicas;
};

/// `distance` is that of the ranks in the module which the attributes are for.
PlacementAttributes
toAttributes(MLIRContext *context, const ::moe::planning::Placement &placement,
             ::moe::planning::Placement::Distance distance = nullptr);

::moe::planning::ExchangeForm toPlanning(ExchangeForm form);
ExchangeForm toAttribute(::moe::planning::ExchangeForm form);

/// The loads of a layer's experts for a group of `ranks` source ranks: those of
/// `moe.loads`, apart by source where the module knows them so, else equal ones
/// that say so. They sum to 1. Fails when the module knows the layer with
/// another number of experts, or of sources.
llvm::Expected<::moe::planning::LayerLoads>
getLoads(ModuleOp module, int64_t layer, int64_t experts, int64_t ranks);
/// The same as shares.
llvm::Expected<::moe::planning::ExpertShares>
getShares(ModuleOp module, int64_t layer, int64_t experts, int64_t ranks);
/// Records loads for getLoads.
void setLoads(ModuleOp module, int64_t layer,
              const ::moe::planning::LayerLoads &loads);

/// Adds an entry to `moe.plan`. The key is the name of an option of
/// moe-plan-pipeline, with `_` for `-`. Options that had their default are
/// recorded only where that is worth a reader's eye.
void recordPlan(ModuleOp module, StringRef key, const Twine &value);
void recordPlan(ModuleOp module, StringRef key, Attribute value);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANATTRIBUTES_H
