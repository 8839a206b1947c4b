//===- PackGroups.cpp - Groups under a limit, by best fit -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Items come by descending weight. An item goes into the group that it fills
// best, or opens a group of as many ranks as it needs to stay below the limit.
// What counts besides is slots: a group of n ranks spends n - 1 of the spare
// ones, and slots that must stay empty, since not even the lightest experts fit
// beside what is there, are spent too. Of all ways to place an item the one
// that spends least is taken.
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace moe::planning;

namespace {
class GroupPacker {
public:
  GroupPacker(const GroupProblem &problem, double limit, double partner)
      : problem(problem), limit(limit), spare(problem.spareSlots),
        partner(partner) {}
  bool pack();
  Partition take() { return std::move(groups); }

private:
  struct Place {
    /// Index of an opening, or that after the last for a new group.
    size_t opening = 0;
    int64_t ranks = 0;
    int64_t spent = std::numeric_limits<int64_t>::max();
    double room = 0;

    bool isBetterThan(const Place &other) const {
      return spent < other.spent || (spent == other.spent && room < other.room);
    }
  };

  int64_t wasted(double room, int64_t slots) const;
  Place findGroup(double weight) const;
  Place findRanks(double weight) const;
  void place(int64_t item, const Place &chosen);

  const GroupProblem &problem;
  double limit;
  int64_t spare;
  /// What an expert that fills up a group is taken to weigh.
  double partner;
  Partition groups;
  /// What a group can still take.
  struct Opening {
    size_t group = 0;
    double room = 0;
    int64_t freeSlots = 0;
    /// Slots among them that must stay empty.
    int64_t wasted = 0;
  };
  std::vector<Opening> openings;
  /// Ranks before it are taken.
  int64_t nextRank = 0;
};
} // namespace

/// Slots that stay empty when `slots` are left beside this much room.
int64_t GroupPacker::wasted(double room, int64_t slots) const {
  if (slots == 0 || partner * slots <= room * (1 + 1e-12)) {
    return 0;
  }
  return slots - static_cast<int64_t>(room * (1 + 1e-12) / partner);
}

GroupPacker::Place GroupPacker::findGroup(double weight) const {
  Place best;
  for (size_t index = 0; index < openings.size(); ++index) {
    const Opening &opening = openings[index];
    double room = opening.room - weight;
    if (room < -1e-12 * limit) {
      continue;
    }
    Place candidate = {index, 0, 0, room};
    candidate.spent =
        wasted(std::max(room, 0.0), opening.freeSlots - 1) - opening.wasted;
    if (candidate.isBetterThan(best)) {
      best = candidate;
    }
  }
  return best;
}

/// A new group for an item, of the ranks that come next.
GroupPacker::Place GroupPacker::findRanks(double weight) const {
  Place best;
  int64_t slots = 1;
  for (int64_t ranks = 1; nextRank + ranks <= problem.ranks(); ++ranks) {
    slots += problem.capacities[nextRank + ranks - 1] - 1;
    double room = limit * ranks - weight;
    if (ranks - 1 > spare || ranks - 1 > best.spent) {
      break;
    }
    if (room < -1e-12 * limit) {
      continue;
    }
    int64_t spent = ranks - 1 + wasted(std::max(room, 0.0), slots - 1);
    // At equal cost rather ranks that can be used than slots that cannot.
    if (spent <= best.spent) {
      best = {openings.size(), ranks, spent, room};
    }
  }
  return best;
}

void GroupPacker::place(int64_t item, const Place &chosen) {
  if (chosen.opening == openings.size()) {
    ExpertGroup &group = groups.emplace_back();
    auto begin = problem.capacities.begin() + nextRank;
    group.capacities.assign(begin, begin + chosen.ranks);
    nextRank += chosen.ranks;
    openings.push_back({groups.size() - 1, limit * chosen.ranks, group.room()});
  }
  Opening &opening = openings[chosen.opening];
  groups[opening.group].insert(problem, item);
  opening.room -= problem.weights[item];
  --opening.freeSlots;
  opening.wasted = wasted(std::max(opening.room, 0.0), opening.freeSlots);
  spare -= chosen.spent;
  if (opening.freeSlots == 0) {
    openings.erase(openings.begin() + chosen.opening);
  }
}

bool GroupPacker::pack() {
  for (int64_t item = 0; item < problem.items(); ++item) {
    double weight = problem.weights[item];
    Place there = findGroup(weight);
    Place fresh = findRanks(weight);
    // Spending a slot on ranks keeps other groups open for a better fit.
    bool opens = fresh.spent < there.spent ||
                 (fresh.spent == there.spent && fresh.spent > 0);
    const Place &chosen = opens ? fresh : there;
    if (chosen.spent > spare) {
      return false;
    }
    place(item, chosen);
  }
  // Ranks that no item needed help whoever has most to do.
  for (; nextRank < problem.ranks(); ++nextRank) {
    groups.emplace_back().capacities = {problem.capacities[nextRank]};
  }
  return true;
}

std::optional<Partition> moe::planning::packGroups(const GroupProblem &problem,
                                                   double limit,
                                                   double partner) {
  GroupPacker packer(problem, limit, partner);
  if (!packer.pack()) {
    return std::nullopt;
  }
  return packer.take();
}
