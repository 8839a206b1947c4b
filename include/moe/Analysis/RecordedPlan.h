// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a module says of how it was planned, in the words of the options.

#ifndef MOE_ANALYSIS_RECORDEDPLAN_H
#define MOE_ANALYSIS_RECORDEDPLAN_H

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Planning/Mesh.h"

#include <map>
#include <string>

namespace mlir::moe {

/// The option that a key of `moe.plan` records: `expert_axes` is `expert-axes`.
std::string toOptionName(StringRef key);

/// The options of moe-plan-pipeline that gave a plan like the module's, as far
/// as `moe.plan` and the roles of the mesh's axes tell: `expert-axes` → `ep`,
/// `replicas` → `8`. An option without an entry had its default.
std::map<std::string, std::string>
getRecordedPlan(ModuleOp module, const ::moe::planning::Mesh &mesh);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_RECORDEDPLAN_H
