//===- LinkCuts.h - What leads out of a part of the ranks -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows that leave a part of the ranks cross links. A set of links that every
// route out of the part meets carries all of them, so the slowest link takes at
// least
//
//   bytes that leave / bandwidth of the set
//
// Three such sets are looked at: the first link of each route, the last one,
// and the narrowest one. The set with the least bandwidth counts.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_LINKCUTS_H
#define MOE_LIB_PLANNING_PLACEMENT_LINKCUTS_H

#include "moe/Planning/PlacementProblem.h"

namespace moe::planning {

/// The most pairs of ranks, all groups together, whose routes are walked to
/// search by time and to bound it.
inline constexpr int64_t mostTimedPairs = int64_t(1) << 18;

/// The ranks split up in one way.
struct RankPartition {
  /// What reports call a part, and several: `device`, `parts of ib`.
  std::string name;
  std::string plural;
  /// The part of each rank, from 0.
  std::vector<int64_t> partOfRank;
  int64_t parts = 0;
};

/// Devices, the parts of each tier, and NUMA nodes, as the first group's
/// devices lie; those of one part only and repetitions left out. Devices come
/// last.
std::vector<RankPartition> partitionsOf(const Deployment &deployment,
                                        int64_t ranks);

/// What leads out of each part, or, for combine, brings the same rows back.
struct PartCut {
  /// Of the set of links; infinite where nothing leads out.
  GigabytesPerSecond bandwidth;
  size_t links = 0;
  /// The tier of all routes and of all links of the set, where it is one.
  std::optional<unsigned> tier;
};

/// One a part. In a combine rows that left come back: the links then lead into
/// the part.
std::vector<PartCut> cutsOf(const Deployment &deployment,
                            const RankPartition &partition,
                            ExchangeDirection direction);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_LINKCUTS_H
