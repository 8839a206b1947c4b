//===- Placement.h - Which rank hosts which expert --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A placement is data: each rank of an expert-parallel group has an ordered
// list of slots, each slot holds one expert or nothing. Ranks may have lists of
// different lengths; the compiled program, which is one for all ranks, works on
// `localSlots` slots, the length of the longest.
//
//   slot        0    1    2  |  3    4  |  5    6       experts 7, ranks 3
//   expert      0    1    2  |  3    4  |  5    6
//   rank        0    0    0  |  1    1  |  2    2
//   local slot  0    1    2  |  0    1  |  0    1       localSlots = 3
//
// Slots are numbered rank by rank. An expert that sits in several slots is
// replicated; which replica serves a token is fixed by the replica table
//
//   slotFor(expert, source rank, global token index mod 64)
//
// and so depends on nothing that another rank routes. Ranks are indices within
// the expert-parallel group, and every group uses the same placement.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PLACEMENT_H
#define MOE_PLANNING_PLACEMENT_H

#include "moe/Planning/ReplicaTable.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace moe::planning {

/// A placement as written by hand, by a solver or by another engine: unchecked.
struct PlacementData {
  int64_t expertCount = 0;
  /// For each rank the expert in each of its slots; -1 is an empty slot.
  std::vector<std::vector<int64_t>> expertsByRank;
  /// For an expert the slot that serves each of the `rank count * tokenClasses`
  /// cells. A replicated expert without a table gets the default one (see
  /// Placement::create).
  std::map<int64_t, ReplicaTable> replicaTables;

  int64_t rankCount() const { return expertsByRank.size(); }
};

/// Makes one of several replicas of an expert on one rank, which only waste
/// memory: the first slot keeps it and serves what the others did. Returns a
/// sentence for each expert and rank that had more than one.
std::vector<std::string> mergeDuplicates(PlacementData &data);

/// What the code of one source rank needs to send its rows. All tables are
/// indexed by `expert * (classMask + 1) + (global token index & classMask)`;
/// the mask is 0 when no expert is replicated, else tokenClasses - 1.
struct RankTables {
  int32_t classMask = 0;
  /// Rank of the group that hosts the expert for this source rank.
  std::vector<int32_t> destinationRank;
  /// The expert's local slot there, in [0, localSlots).
  std::vector<int32_t> destinationSlot;
  /// The expert in each of this rank's own slots, `localSlots` entries; -1 is
  /// an empty slot.
  std::vector<int32_t> hostedExperts;
};

class Placement {
public:
  static constexpr int64_t tokenClasses = moe::planning::tokenClasses;
  /// The most experts that a placement may have.
  static constexpr int64_t maxExperts = int64_t(1) << 20;

  /// Distance between two ranks of the group; smaller is nearer.
  using Distance = llvm::function_ref<int64_t(int64_t source, int64_t target)>;

  /// Checks the data (see verify) and builds the tables. A replicated expert
  /// without a table of its own is served by its nearest replicas: the one on
  /// the source rank, else those at the least `distance` (all are equally far
  /// when none is given), in turn by (source rank + token class).
  static llvm::Expected<Placement> create(const PlacementData &data,
                                          Distance distance = nullptr);

  /// Consecutive experts together, the first E mod R ranks one more: 10 experts
  /// over 4 ranks are 3, 3, 2, 2; 4 over 8 leave four ranks empty. Both numbers
  /// must be at least 1.
  static Placement contiguous(int64_t experts, int64_t ranks);
  /// Expert e on rank e mod R.
  static Placement roundRobin(int64_t experts, int64_t ranks);

  int64_t expertCount() const { return slotsByExpert.size(); }
  int64_t rankCount() const { return firstSlots.size() - 1; }
  /// Slots of all ranks together, empty ones that were listed included.
  int64_t slotCount() const { return expertsBySlot.size(); }
  /// Slots that every rank's code works on: the maximum over the ranks, at
  /// least 1.
  int64_t localSlots() const { return maxSlots; }
  int64_t slotsOn(int64_t rank) const {
    return firstSlots[rank + 1] - firstSlots[rank];
  }
  /// Number of experts that the rank hosts.
  int64_t expertsOn(int64_t rank) const;
  /// The largest number of experts that a rank hosts.
  int64_t maxExpertsOnRank() const;
  bool hasReplicas() const { return !replicaTables.empty(); }

  int64_t rankOfSlot(int64_t slot) const { return ranksBySlot[slot]; }
  int64_t localSlotOf(int64_t slot) const {
    return slot - firstSlots[ranksBySlot[slot]];
  }
  /// The expert in a slot, or -1.
  int64_t expertIn(int64_t slot) const { return expertsBySlot[slot]; }
  /// The slots that hold the expert, ascending.
  llvm::ArrayRef<int64_t> slotsOf(int64_t expert) const {
    return slotsByExpert[expert];
  }
  /// The slot that serves tokens of a class that are held by a source rank.
  int64_t slotFor(int64_t expert, int64_t sourceRank, int64_t tokenClass) const;

  /// Whether the expert is served as without a table of its own (see create,
  /// with the same distance). Looks no further than to the first cell that is
  /// not: the default table of thousands of ranks has a run a cell.
  bool isServedByDefault(int64_t expert, Distance distance = nullptr) const;

  RankTables tablesFor(int64_t sourceRank) const;

  /// Each rank's sum of loads, for loads per expert whose tokens are spread
  /// evenly over source ranks and token classes.
  std::vector<double> rankLoads(llvm::ArrayRef<double> expertLoads) const;

  /// Whether the same slots hold the same experts and serve the same tokens.
  bool operator==(const Placement &other) const {
    return expertsBySlot == other.expertsBySlot &&
           firstSlots == other.firstSlots &&
           replicaTables == other.replicaTables;
  }

  /// The data that makes this placement, all replica tables written out.
  PlacementData data() const;

private:
  Placement() = default;
  void layOutSlots(const PlacementData &data);

  std::vector<int64_t> firstSlots;
  std::vector<int64_t> ranksBySlot;
  std::vector<int64_t> expertsBySlot;
  std::vector<std::vector<int64_t>> slotsByExpert;
  std::map<int64_t, ReplicaTable> replicaTables;
  int64_t maxSlots = 1;
};

/// Checks a placement without building it: every expert somewhere and at most
/// once on each rank, every number in range, every replica table complete and
/// naming slots that hold its expert. The error is one line and names the
/// expert and the rank. `ranks` and `experts` are what the program needs.
llvm::Error verify(const PlacementData &data, int64_t experts, int64_t ranks);

/// The same, against the numbers that the data itself states.
llvm::Error verify(const PlacementData &data);

} // namespace moe::planning

#endif // MOE_PLANNING_PLACEMENT_H
