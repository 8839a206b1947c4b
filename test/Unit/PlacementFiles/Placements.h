// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TEST_UNIT_PLACEMENTFILES_PLACEMENTS_H
#define MOE_TEST_UNIT_PLACEMENTFILES_PLACEMENTS_H

#include "moe/PlacementFiles/PlacementFile.h"

namespace moe::placement {

/// Layers 1 and 4: five experts in six slots on three GPUs. Expert 2 of layer 1
/// and expert 0 of layer 4 are replicated; the latter has a table of its own.
inline PlacementFile twoLayers() {
  PlacementFile file;
  file.policy = "joint";
  file.objective = "load";
  file.problem.nodes = 3;
  file.layers.resize(2);
  LayerEntry &first = file.layers[0];
  first.layer = 1;
  first.data = {5, {{0, 1}, {2, 3}, {4, 2}}, {}};
  first.expertLoad = {1, 2, 3.5, 4, 5};
  first.figures.gpuLoad = {3, 5.75, 6.75};
  first.figures.maxOverMean = 1.25;
  first.boundArgument = "mean";
  first.notes = {"a note"};
  LayerEntry &second = file.layers[1];
  second.layer = 4;
  second.data = {5, {{0, 3}, {1, 0}, {4, 2}}, {}};
  second.data.replicaTables[0] =
      planning::ReplicaTable(3 * planning::tokenClasses, {{0, 0}, {100, 3}});
  return file;
}

/// The error's text, or what was wrong with there being none.
template <typename T> std::string messageOf(llvm::Expected<T> value) {
  return value ? "no error" : llvm::toString(value.takeError());
}

} // namespace moe::placement

#endif // MOE_TEST_UNIT_PLACEMENTFILES_PLACEMENTS_H
