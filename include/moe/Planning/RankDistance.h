//===- RankDistance.h - How far the ranks of a group are --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_RANKDISTANCE_H
#define MOE_PLANNING_RANKDISTANCE_H

#include "moe/Planning/Mesh.h"

namespace moe::planning {

/// The distance that decides which replicas are nearest (Placement::create). Of
/// two paths the one over outer tiers is longer; over the same tier the
/// narrower one is, in steps of 1 MB/s. All groups over the axes use one
/// placement: two ranks are as far as in the group where they are farthest.
class RankDistance {
public:
  /// The mesh must be on the topology and have the axes.
  RankDistance(const Mesh &mesh, llvm::ArrayRef<AxisRef> axes,
               Topology topology);

  /// Between two indices within the group; 0 for a rank and itself.
  int64_t operator()(int64_t source, int64_t target) const;

private:
  Topology topology;
  std::vector<DeviceGroup> groups;
};

} // namespace moe::planning

#endif // MOE_PLANNING_RANKDISTANCE_H
