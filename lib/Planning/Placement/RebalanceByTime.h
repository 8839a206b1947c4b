//===- RebalanceByTime.h - Placements between two others --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_REBALANCEBYTIME_H
#define MOE_LIB_PLANNING_PLACEMENT_REBALANCEBYTIME_H

#include "moe/Planning/PlacementProblem.h"

namespace moe::planning {

/// A placement on the way.
struct Waypoint {
  /// Experts on ranks that did not have them.
  int64_t moves = 0;
  /// Comparable among waypoints of one call; in microseconds.
  double value = 0;
  PlacementData data;
};

/// Placements by time, from `previous` with few moves and more, and from `goal`
/// with fewer moves and fewer. No budget decides which: a larger one only
/// reaches more of them.
std::vector<Waypoint> waypointsByTime(const PlacementProblem &problem,
                                      const Placement &previous,
                                      const Placement &goal);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_REBALANCEBYTIME_H
