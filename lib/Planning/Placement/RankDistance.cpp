//===- RankDistance.cpp - How far the ranks of a group are ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/RankDistance.h"
#include <algorithm>
#include <cmath>

using namespace moe::planning;

/// Steps of bandwidth within a tier, more than any path has.
static constexpr int64_t tierStep = int64_t(1) << 48;

RankDistance::RankDistance(const Mesh &mesh, llvm::ArrayRef<AxisRef> axes,
                           Topology topology)
    : topology(std::move(topology)), groups(mesh.groups(axes)) {}

int64_t RankDistance::operator()(int64_t source, int64_t target) const {
  if (source == target) {
    return 0;
  }
  int64_t farthest = 0;
  for (const DeviceGroup &group : groups) {
    Path path = topology.path(group[source], group[target]);
    double megabytes = std::min(std::round(path.bandwidth.value() * 1e3),
                                static_cast<double>(tierStep - 1));
    int64_t tier = topology.tierCount() - path.tier;
    farthest =
        std::max(farthest, tier * tierStep - static_cast<int64_t>(megabytes));
  }
  return farthest;
}
