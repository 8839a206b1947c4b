// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What placing a layer's experts starts from, as the plain data of the planning
// library: loads, slots, nodes, and the devices and links that they run on.

#ifndef MOE_ANALYSIS_LAYERDEPLOYMENT_H
#define MOE_ANALYSIS_LAYERDEPLOYMENT_H

#include "moe/Analysis/PlanFacts.h"
#include "moe/Planning/PlacementProblem.h"

namespace mlir::moe {

/// What a user says of all placements.
struct PlacementSpec {
  /// Slots beyond one an expert, over all ranks of a group.
  int64_t replicas = 0;
  /// Consecutive experts that EPLB keeps together.
  int64_t expertGroups = 1;
  /// What the programs of a device can use; none: no limit is known.
  std::optional<::moe::planning::Bytes> memory;
};

struct LayerProblem {
  ::moe::planning::PlacementProblem problem;
  /// Nothing is known of the loads.
  bool isAssumedUniform = false;
};

/// The problem of placing a layer, which must have axes and a
/// `moe.use_placement`: one list of slots a rank, as even as they go; loads of
/// the module, by source where they are known so; consecutive ranks of a node
/// told as nodes where all groups lie alike; and a deployment for the module's
/// most tokens. Fails, with a diagnostic, when loads do not fit.
FailureOr<LayerProblem> gatherProblem(const PlanFacts &facts,
                                      const MoELayer &layer,
                                      const PlacementSpec &spec);

/// What one expert of the layer does on one device.
::moe::planning::ExpertWork getExpertWork(const PlanFacts &facts,
                                          const MoELayer &layer);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_LAYERDEPLOYMENT_H
