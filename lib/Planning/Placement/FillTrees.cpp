//===- FillTrees.cpp - Groups as even as spare slots allow ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Best fit opens a group of several ranks only for an expert that one rank
// cannot hold. Where loads are nearly equal, spare slots are better spent
// otherwise: with two slots a rank, two ranks that share hold three experts,
// which the heaviest ones should be, and ranks alone hold two light ones. So
// the sizes of groups are set first, as even as they can be beside those that
// heavy experts need, and then filled, so that all come to the same level.
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include <queue>

using namespace moe::planning;

namespace {
class TreeFiller {
public:
  TreeFiller(const GroupProblem &problem, double level)
      : problem(problem), level(level), spare(problem.spareSlots) {}
  bool fill();
  Partition take() { return std::move(groups); }

private:
  ExpertGroup &open(int64_t ranks);
  int64_t ranksFor(double weight) const;
  bool openForHeavyItems();
  void openOthers();
  void fillEvenly();
  /// What each free slot of a group has to take for it to reach the level.
  double needOf(const ExpertGroup &group) const {
    return (level * double(group.ranks()) - group.weight) /
           double(group.freeSlots());
  }

  const GroupProblem &problem;
  double level;
  int64_t spare;
  int64_t nextRank = 0;
  int64_t nextItem = 0;
  Partition groups;
};
} // namespace

ExpertGroup &TreeFiller::open(int64_t ranks) {
  ExpertGroup &group = groups.emplace_back();
  auto begin = problem.capacities.begin() + nextRank;
  group.capacities.assign(begin, begin + ranks);
  nextRank += ranks;
  spare -= ranks - 1;
  return group;
}

/// The fewest ranks that stay below the level with the item and, in all of
/// their other slots, the lightest ones. More than there are where none do.
int64_t TreeFiller::ranksFor(double weight) const {
  double lightest = problem.weights.back();
  double room = 0;
  for (int64_t ranks = 1; nextRank + ranks <= problem.ranks(); ++ranks) {
    int64_t slots = problem.capacities[nextRank + ranks - 1] - 1;
    room += level - lightest * double(slots);
    if (weight <= room * (1 + 1e-12)) {
      return ranks;
    }
  }
  return problem.ranks() + 1;
}

bool TreeFiller::openForHeavyItems() {
  for (; nextItem < problem.items(); ++nextItem) {
    int64_t ranks = ranksFor(problem.weights[nextItem]);
    if (ranks == 1) {
      return true;
    }
    if (ranks - 1 > spare || nextRank + ranks > problem.ranks()) {
      return false;
    }
    open(ranks).insert(problem, nextItem);
  }
  return true;
}

/// What is left of ranks and spare slots, as evenly as possible, the larger
/// groups first.
void TreeFiller::openOthers() {
  int64_t ranks = problem.ranks() - nextRank;
  if (ranks == 0) {
    return;
  }
  int64_t trees = std::max<int64_t>(ranks - spare, 1);
  for (int64_t tree = 0; tree < trees; ++tree) {
    open(ranks / trees + (tree < ranks % trees));
  }
}

void TreeFiller::fillEvenly() {
  struct Entry {
    double need = 0;
    size_t group = 0;

    bool operator<(const Entry &other) const {
      return need < other.need || (need == other.need && group > other.group);
    }
  };
  std::priority_queue<Entry> neediest;
  for (size_t index = 0; index < groups.size(); ++index) {
    if (groups[index].freeSlots() > 0) {
      neediest.push({needOf(groups[index]), index});
    }
  }
  for (; nextItem < problem.items(); ++nextItem) {
    size_t index = neediest.top().group;
    neediest.pop();
    groups[index].insert(problem, nextItem);
    if (groups[index].freeSlots() > 0) {
      neediest.push({needOf(groups[index]), index});
    }
  }
}

bool TreeFiller::fill() {
  if (!openForHeavyItems()) {
    return false;
  }
  openOthers();
  // Trees of R ranks in all hold at least as many items as there are.
  fillEvenly();
  return true;
}

std::optional<Partition> moe::planning::fillTrees(const GroupProblem &problem,
                                                  double level) {
  TreeFiller filler(problem, level);
  if (!filler.fill()) {
    return std::nullopt;
  }
  return filler.take();
}
