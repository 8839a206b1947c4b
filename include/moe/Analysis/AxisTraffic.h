// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each axis of a mesh is for, and what therefore travels along it.

#ifndef MOE_ANALYSIS_AXISTRAFFIC_H
#define MOE_ANALYSIS_AXISTRAFFIC_H

#include "moe/Analysis/ModelLayers.h"
#include "moe/Planning/MeshMapping.h"

namespace mlir::moe {

/// Names carry meaning only as defaults: everywhere else roles are what the
/// axes are known by.
struct AxisRoles {
  /// Tokens are sharded over these.
  std::vector<::moe::planning::AxisRef> tokens;
  /// Ranks along these share out the experts.
  std::vector<::moe::planning::AxisRef> experts;
  /// The columns of each expert's matrices are sharded over these.
  std::vector<::moe::planning::AxisRef> expertColumns;
  /// The dense parts' tensor parallelism, which the graph does not hold.
  std::vector<::moe::planning::AxisRef> denseTensor;
  /// Ranks along these run layers one after the other; nor does it hold that.
  std::vector<::moe::planning::AxisRef> stages;

  /// Writes the roles into `moe.plan`.
  void record(ModuleOp module) const;
  /// What was recorded; the defaults where no role was.
  static AxisRoles getRecorded(ModuleOp module,
                               const ::moe::planning::Mesh &mesh);

  /// The options that ask for these roles: `expert-axes` → `dp,ep` or `none`.
  std::map<std::string, std::string> toOptions() const;
};

/// The one place where names mean something, and only where no option says
/// otherwise: experts over `ep`, their columns over `etp`, dense tensor
/// parallelism over `tp`, stages over `pp`, tokens over every axis but `etp`,
/// `tp` and `pp`, as far as the mesh has them.
AxisRoles getDefaultRoles(const ::moe::planning::Mesh &mesh);

/// What a step of `tokens` tokens sends along the axes:
///  * dispatch and combine over the expert axes: tokens of a device times
///    choices times the bytes of a row, twice a layer;
///  * over the column axes, a gather of the inner rows and one of the output;
///  * and what the graph does not hold, marked as modelled: over the axes of
///    dense tensor parallelism two all-reduces of a device's activations a
///    layer; over those of stages one send of them to the next stage;
///  * where the module says that it is trained (recordStep), all of this once
///    more on the way back, and the gradients' all-reduces: of experts over the
///    token axes that do not share them out, of all else over all token axes.
/// Layers of one shape share their records.
std::vector<::moe::planning::AxisTraffic>
collectAxisTraffic(ModuleOp module, const ::moe::planning::Mesh &mesh,
                   const AxisRoles &roles, ArrayRef<MoELayer> layers,
                   int64_t tokens);

/// What a step of the module is, as `moe.plan` records it.
enum class StepKind { Inference, Training };
void recordStep(ModuleOp module, StepKind step);
StepKind getStep(ModuleOp module);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_AXISTRAFFIC_H
