//===- ExpertGroups.h - Experts that share ranks ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The joint solver does not place replicas one by one. It splits the experts
// into groups and gives each group ranks of its own. Loads can be shared out
// evenly within a group of n ranks with c slots each whenever it has at most
// n (c - 1) + 1 experts (docs/Rationale/placement.md), so that a group's load a
// rank is all that counts: the search is over partitions, and replicas, places
// and shares follow from the best one.
//
// Example, three ranks of two slots: experts of 5, 1 and 1, 1 as {5, 1, 1} on
// two ranks and {1} on one: 3.5 and 1. As {5, 1, 1, 1} on all three: 8 / 3.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_EXPERTGROUPS_H
#define MOE_LIB_PLANNING_PLACEMENT_EXPERTGROUPS_H

#include "Policies.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace moe::planning {

/// Experts by descending load, ranks by ascending slots: what the search works
/// on. An *item* is an index into `weights`.
struct GroupProblem {
  explicit GroupProblem(const PlacementProblem &problem);

  const PlacementProblem &problem;
  std::vector<double> weights;
  std::vector<int64_t> expertOfItem;
  /// Slots of the ranks that have any, at most one an expert, ascending.
  std::vector<int64_t> capacities;
  double total = 0;
  /// Slots beyond one an expert.
  int64_t spareSlots = 0;

  int64_t items() const { return weights.size(); }
  int64_t ranks() const { return capacities.size(); }
};

struct ExpertGroup {
  /// Ascending, so by descending weight.
  llvm::SmallVector<int64_t, 4> items;
  /// Slots of its ranks.
  llvm::SmallVector<int64_t, 4> capacities;
  double weight = 0;

  int64_t ranks() const { return capacities.size(); }
  /// The most items that a tree over its ranks can hold.
  int64_t room() const;
  int64_t freeSlots() const { return room() - items.size(); }
  double loadOfRank() const { return ranks() ? weight / ranks() : 0; }

  void insert(const GroupProblem &problem, int64_t item);
  void erase(const GroupProblem &problem, int64_t item);
};

using Partition = std::vector<ExpertGroup>;

/// The largest load of a rank.
double maxLoad(const Partition &partition);

/// Groups such that no rank gets more than `limit`, by best fit of descending
/// weights; none where that does not work out. Room for experts of weight
/// `partner` is kept where slots are scarce.
std::optional<Partition> packGroups(const GroupProblem &problem, double limit,
                                    double partner);

/// Groups of sizes that are as even as spare slots allow, filled to the same
/// level as nearly as items in descending order go; none where heavy experts
/// need more spare slots than there are to stay below `level`.
std::optional<Partition> fillTrees(const GroupProblem &problem, double level);

/// Every item to the rank with least load that has a free slot; groups of one
/// rank.
Partition spreadItems(const GroupProblem &problem);

/// The groups that a placement's experts and ranks fall into.
Partition groupsOf(const GroupProblem &problem, const PlacementData &data);

/// Moves and swaps items between groups and joins groups, as long as the
/// largest load falls and is above `bound`. Where that ends, up to `asides`
/// other groups are evened out to go on.
void improveGroups(const GroupProblem &problem, double bound,
                   Partition &partition, int64_t asides = 0);

/// The best partition of few items over ranks of one capacity.
std::optional<Partition> partitionExactly(const GroupProblem &problem);

/// What each rank of a group serves; an empty list where the ranks' slots do
/// not allow to share it out evenly.
using Bundle = std::vector<FractionalPlacement::Piece>;
std::vector<Bundle> shareOut(const GroupProblem &problem,
                             const ExpertGroup &group);

/// A placement for ranks of very uneven slots, by cutting experts to fit. Empty
/// when that does not work out.
FractionalPlacement splitGreedily(const GroupProblem &problem, double bound);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_EXPERTGROUPS_H
