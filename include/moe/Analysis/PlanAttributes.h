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

/// The tables that `moe.placement` stands for: token t of any source rank finds
/// an expert of n replicas in replica `t mod 64 mod n`, in (rank, slot) order.
::moe::planning::PlacementData toPlacementData(PlacementOp placement);
llvm::Expected<::moe::planning::Placement> toPlanning(PlacementOp placement);
/// The slots of a `moe.placement`, one list a rank.
ArrayAttr toAttribute(MLIRContext *context,
                      const ::moe::planning::Placement &placement);

::moe::planning::ExchangeForm toPlanning(ExchangeForm form);
ExchangeForm toAttribute(::moe::planning::ExchangeForm form);

/// The shares of a layer's experts: those of `moe.loads`, else equal ones that
/// say so. Fails when the module knows the layer with another number of
/// experts.
llvm::Expected<::moe::planning::ExpertShares>
getShares(ModuleOp module, int64_t layer, int64_t experts);
/// Records shares for getShares.
void setShares(ModuleOp module, int64_t layer, ArrayRef<double> shares);

/// Adds an entry to `moe.plan`.
void recordPlan(ModuleOp module, StringRef key, const Twine &value);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANATTRIBUTES_H
