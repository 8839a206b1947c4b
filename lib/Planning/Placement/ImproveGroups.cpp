//===- ImproveGroups.cpp - Local search over partitions -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each step looks at the group with the largest load a rank and takes the
// change that leaves the smaller largest load of the two groups concerned: an
// item moved out, or swapped for a lighter one, or moved out or in together
// with a rank. When none helps, the group is
// joined with another one, which spends a spare slot. When that does not help
// either, the groups that have most to do after it are evened out, so that
// other items stand beside it: loads in descending order fall
// lexicographically with each step.
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <numeric>

using namespace moe::planning;

namespace {
class GroupImprover {
public:
  GroupImprover(const GroupProblem &problem, double bound, Partition &partition,
                int64_t asides)
      : problem(problem), bound(bound), groups(partition), asides(asides) {}
  void run();

private:
  /// An item out of the worst group, and one of another group in return; -1
  /// stands for none. A rank may go with the item, or come with it.
  struct Exchange {
    size_t other = 0;
    int64_t out = -1;
    int64_t in = -1;
    int64_t ranks = 0;
    double load = std::numeric_limits<double>::infinity();
  };

  void consider(size_t other, int64_t out, int64_t in, int64_t ranks,
                Exchange &best) const;
  void findRankMoves(size_t other, Exchange &best) const;
  void moveRank(ExpertGroup &from, ExpertGroup &to) const;
  void findSwaps(size_t other, Exchange &best) const;
  bool exchange();
  bool exchangeAside();
  bool join();
  bool freeSlot(size_t a, size_t b, double limit);
  void sortByLoad();
  void moveInOrder(size_t group);
  /// Groups after the worst that are looked at at a time.
  static constexpr size_t mostAsides = 12;

  double weightOf(int64_t item) const {
    return item < 0 ? 0 : problem.weights[item];
  }

  const GroupProblem &problem;
  double bound;
  Partition &groups;
  /// Groups besides the worst that may still be looked at.
  int64_t asides;
  /// Groups by ascending load of a rank.
  std::vector<size_t> byLoad;
  std::vector<double> loads;
  int64_t mostRanks = 1;
  /// The change that each group last took part in, and the last one after which
  /// it found no exchange: until then it need only look at what has changed.
  std::vector<int64_t> changed;
  std::vector<int64_t> failed;
  int64_t changes = 0;
  size_t worst = 0;
};
} // namespace

void GroupImprover::sortByLoad() {
  byLoad.resize(groups.size());
  std::iota(byLoad.begin(), byLoad.end(), 0);
  loads.clear();
  changed.assign(groups.size(), 0);
  failed.assign(groups.size(), -1);
  changes = 0;
  for (const ExpertGroup &group : groups) {
    loads.push_back(group.loadOfRank());
    mostRanks = std::max(mostRanks, group.ranks());
  }
  llvm::sort(byLoad, [&](size_t a, size_t b) {
    return std::make_pair(loads[a], a) < std::make_pair(loads[b], b);
  });
}

/// To its place among the others, after a change.
void GroupImprover::moveInOrder(size_t group) {
  byLoad.erase(llvm::find(byLoad, group));
  loads[group] = groups[group].loadOfRank();
  mostRanks = std::max(mostRanks, groups[group].ranks());
  auto place = llvm::partition_point(byLoad, [&](size_t other) {
    return std::make_pair(loads[other], other) <
           std::make_pair(loads[group], group);
  });
  byLoad.insert(place, group);
  changed[group] = changes;
}

/// `ranks` go from the worst group to the other one.
void GroupImprover::consider(size_t other, int64_t out, int64_t in,
                             int64_t ranks, Exchange &best) const {
  double change = weightOf(out) - weightOf(in);
  double mine = groups[worst].weight - change;
  double theirs = groups[other].weight + change;
  auto mineRanks = double(groups[worst].ranks() - ranks);
  auto theirRanks = double(groups[other].ranks() + ranks);
  if (mine < best.load * mineRanks && theirs < best.load * theirRanks) {
    best = {other, out, in, ranks,
            std::max(mine / mineRanks, theirs / theirRanks)};
  }
}

/// An item together with a rank of slots enough for it, which takes a spare
/// slot from one group to the other.
void GroupImprover::findRankMoves(size_t other, Exchange &best) const {
  const ExpertGroup &mine = groups[worst], &theirs = groups[other];
  auto canGive = [](const ExpertGroup &from) {
    return from.ranks() > 1 && from.capacities.front() > 1 &&
           static_cast<int64_t>(from.items.size()) - 1 <=
               from.room() - (from.capacities.front() - 1);
  };
  if (canGive(mine)) {
    for (int64_t item : mine.items) {
      consider(other, item, -1, 1, best);
    }
  }
  if (canGive(theirs)) {
    for (int64_t item : theirs.items) {
      consider(other, -1, item, -1, best);
    }
  }
}

/// The rank of fewest slots.
void GroupImprover::moveRank(ExpertGroup &from, ExpertGroup &to) const {
  to.capacities.push_back(from.capacities.front());
  from.capacities.erase(from.capacities.begin());
  llvm::sort(to.capacities);
}

/// For each item of the worst group those of the other whose weight differs by
/// about what evens the two out. Both lists are sorted, so one walk finds them.
void GroupImprover::findSwaps(size_t other, Exchange &best) const {
  const ExpertGroup &mine = groups[worst], &theirs = groups[other];
  double ideal = (mine.weight * theirs.ranks() - theirs.weight * mine.ranks()) /
                 (mine.ranks() + theirs.ranks());
  if (theirs.freeSlots() > 0) {
    for (int64_t item : mine.items) {
      consider(other, item, -1, 0, best);
    }
  }
  size_t next = 0;
  for (int64_t item : mine.items) {
    double target = weightOf(item) - ideal;
    while (next < theirs.items.size() &&
           weightOf(theirs.items[next]) > target) {
      ++next;
    }
    if (next < theirs.items.size()) {
      consider(other, item, theirs.items[next], 0, best);
    }
    if (next > 0) {
      consider(other, item, theirs.items[next - 1], 0, best);
    }
  }
}

/// The best exchange with any group. However two groups share, one has at least
/// what both have on average: from some load on no group helps any more.
bool GroupImprover::exchange() {
  Exchange best;
  double load = loads[worst];
  auto mineRanks = double(groups[worst].ranks());
  best.load = load * (1 - 1e-12);
  for (size_t other : byLoad) {
    double excess = (load - best.load) * mineRanks;
    double missing = best.load - loads[other];
    if (missing * double(mostRanks) <= excess) {
      break;
    }
    bool isKnown = std::max(changed[worst], changed[other]) <= failed[worst];
    if (other != worst && !isKnown &&
        missing * double(groups[other].ranks()) > excess) {
      findSwaps(other, best);
      findRankMoves(other, best);
    }
  }
  if (best.out < 0 && best.in < 0) {
    failed[worst] = changes;
    return false;
  }
  ++changes;
  ExpertGroup &mine = groups[worst], &theirs = groups[best.other];
  if (best.out >= 0) {
    mine.erase(problem, best.out);
    theirs.insert(problem, best.out);
  }
  if (best.in >= 0) {
    theirs.erase(problem, best.in);
    mine.insert(problem, best.in);
  }
  if (best.ranks > 0) {
    moveRank(mine, theirs);
  } else if (best.ranks < 0) {
    moveRank(theirs, mine);
  }
  moveInOrder(worst);
  moveInOrder(best.other);
  return true;
}

/// An exchange of one of the groups that have most to do after the worst.
bool GroupImprover::exchangeAside() {
  size_t count = std::min<size_t>(byLoad.size(), mostAsides + 1);
  for (size_t place = 1; place < count && asides > 0; ++place) {
    --asides;
    worst = byLoad[byLoad.size() - 1 - place];
    if (exchange()) {
      return true;
    }
  }
  return false;
}

/// Moves the lightest item of two groups to a third that has a free slot and
/// stays below the limit with it.
bool GroupImprover::freeSlot(size_t a, size_t b, double limit) {
  size_t from = groups[a].items.empty()                           ? b
                : groups[b].items.empty()                         ? a
                : groups[a].items.back() > groups[b].items.back() ? a
                                                                  : b;
  int64_t item = groups[from].items.back();
  for (size_t other = 0; other < groups.size(); ++other) {
    ExpertGroup &group = groups[other];
    if (other != a && other != b && group.freeSlots() > 0 &&
        (group.weight + weightOf(item)) / group.ranks() < limit) {
      groups[from].erase(problem, item);
      group.insert(problem, item);
      return true;
    }
  }
  return false;
}

/// Joins the worst group with the one that has least to do.
bool GroupImprover::join() {
  size_t other = groups.size();
  double load = groups[worst].loadOfRank(), least = load * (1 - 1e-12);
  for (size_t index = 0; index < groups.size(); ++index) {
    if (index == worst) {
      continue;
    }
    double joint = (groups[worst].weight + groups[index].weight) /
                   (groups[worst].ranks() + groups[index].ranks());
    if (joint < least) {
      least = joint;
      other = index;
    }
  }
  if (other == groups.size()) {
    return false;
  }
  bool isFull = groups[worst].freeSlots() + groups[other].freeSlots() == 0;
  if (isFull && !freeSlot(worst, other, load)) {
    return false;
  }
  ExpertGroup &target = groups[worst], &source = groups[other];
  for (int64_t item : source.items) {
    target.insert(problem, item);
  }
  target.capacities.insert(target.capacities.end(), source.capacities.begin(),
                           source.capacities.end());
  llvm::sort(target.capacities);
  groups.erase(groups.begin() + other);
  sortByLoad();
  return true;
}

void GroupImprover::run() {
  // Loads fall with every step, but maybe by little: the number of steps keeps
  // the time bounded.
  int64_t steps = 4 * problem.items() + 64;
  sortByLoad();
  for (int64_t step = 0; step < steps; ++step) {
    worst = byLoad.back();
    if (loads[worst] <= bound * (1 + 1e-9) ||
        (!exchange() && !join() && !exchangeAside())) {
      return;
    }
  }
}

void moe::planning::improveGroups(const GroupProblem &problem, double bound,
                                  Partition &partition, int64_t asides) {
  GroupImprover(problem, bound, partition, asides).run();
}
