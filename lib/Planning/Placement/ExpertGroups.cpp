//===- ExpertGroups.cpp - Experts that share ranks ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>
#include <limits>
#include <numeric>

using namespace moe::planning;

GroupProblem::GroupProblem(const PlacementProblem &problem)
    : problem(problem), expertOfItem(problem.experts()) {
  std::iota(expertOfItem.begin(), expertOfItem.end(), 0);
  llvm::sort(expertOfItem, [&](int64_t a, int64_t b) {
    return std::make_pair(-problem.loads[a], a) <
           std::make_pair(-problem.loads[b], b);
  });
  for (int64_t expert : expertOfItem) {
    weights.push_back(problem.loads[expert]);
    total += weights.back();
  }
  for (int64_t slots : problem.slotsByRank) {
    if (slots > 0) {
      capacities.push_back(std::min(slots, problem.experts()));
      spareSlots += capacities.back();
    }
  }
  llvm::sort(capacities);
  spareSlots -= items();
}

int64_t ExpertGroup::room() const {
  return std::accumulate(capacities.begin(), capacities.end(), int64_t(0)) -
         ranks() + 1;
}

void ExpertGroup::insert(const GroupProblem &problem, int64_t item) {
  items.insert(llvm::lower_bound(items, item), item);
  weight += problem.weights[item];
}

void ExpertGroup::erase(const GroupProblem &problem, int64_t item) {
  items.erase(llvm::lower_bound(items, item));
  weight -= problem.weights[item];
}

double moe::planning::maxLoad(const Partition &partition) {
  double most = 0;
  for (const ExpertGroup &group : partition) {
    most = std::max(most, group.loadOfRank());
  }
  return most;
}

Partition moe::planning::spreadItems(const GroupProblem &problem) {
  Partition groups(problem.ranks());
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    groups[rank].capacities = {problem.capacities[rank]};
  }
  for (int64_t item = 0; item < problem.items(); ++item) {
    ExpertGroup *lightest = nullptr;
    for (ExpertGroup &group : groups) {
      if (group.freeSlots() > 0 &&
          (!lightest || group.weight < lightest->weight)) {
        lightest = &group;
      }
    }
    lightest->insert(problem, item);
  }
  return groups;
}

namespace {
/// Sets of numbers that are merged; the least number stands for its set.
class MergedSets {
public:
  explicit MergedSets(int64_t size) : parents(size) {
    std::iota(parents.begin(), parents.end(), 0);
  }

  int64_t find(int64_t element) {
    while (parents[element] != element) {
      parents[element] = parents[parents[element]];
      element = parents[element];
    }
    return element;
  }

  void merge(int64_t a, int64_t b) {
    a = find(a);
    b = find(b);
    parents[std::max(a, b)] = std::min(a, b);
  }

private:
  std::vector<int64_t> parents;
};
} // namespace

Partition moe::planning::groupsOf(const GroupProblem &problem,
                                  const PlacementData &data) {
  // Experts are 0 … E - 1 and ranks E … E + R - 1.
  int64_t experts = problem.items(), ranks = problem.problem.ranks();
  MergedSets sharing(experts + ranks);
  for (int64_t rank = 0; rank < ranks; ++rank) {
    for (int64_t expert : data.expertsByRank[rank]) {
      if (expert >= 0) {
        sharing.merge(experts + rank, expert);
      }
    }
  }
  Partition partition;
  std::vector<int64_t> groupOfSet(experts + ranks, -1);
  auto groupOf = [&](int64_t element) -> ExpertGroup & {
    int64_t &index = groupOfSet[sharing.find(element)];
    if (index < 0) {
      index = partition.size();
      partition.emplace_back();
    }
    return partition[index];
  };
  for (int64_t item = 0; item < experts; ++item) {
    groupOf(problem.expertOfItem[item]).insert(problem, item);
  }
  for (int64_t rank = 0; rank < ranks; ++rank) {
    int64_t slots = problem.problem.slotsByRank[rank];
    if (slots > 0) {
      groupOf(experts + rank).capacities.push_back(std::min(slots, experts));
    }
  }
  for (ExpertGroup &group : partition) {
    llvm::sort(group.capacities);
  }
  return partition;
}

std::optional<Partition>
moe::planning::partitionExactly(const GroupProblem &problem) {
  constexpr int64_t mostItems = 10;
  int64_t items = problem.items(), ranks = problem.ranks();
  int64_t slots = problem.capacities.front();
  if (items > mostItems || slots != problem.capacities.back()) {
    return std::nullopt;
  }
  // More ranks than items in groups of one rank each are never needed.
  size_t sets = size_t(1) << items;
  std::vector<double> weight(sets);
  for (size_t set = 1; set < sets; ++set) {
    weight[set] =
        weight[set & (set - 1)] + problem.weights[llvm::countr_zero(set)];
  }
  struct Choice {
    double load = std::numeric_limits<double>::infinity();
    size_t group = 0;
    int64_t ranks = 0;
  };
  // best[set][n]: the set's items on n ranks.
  std::vector<Choice> best(sets * (ranks + 1));
  auto at = [&](size_t set, int64_t n) -> Choice & {
    return best[set * (ranks + 1) + n];
  };
  for (int64_t n = 0; n <= ranks; ++n) {
    at(0, n).load = 0;
  }
  for (size_t set = 1; set < sets; ++set) {
    // Groups that hold the set's first item, so that none is met twice.
    size_t first = set & (~set + 1), rest = set ^ first;
    for (size_t part = rest;; part = (part - 1) & rest) {
      size_t group = part | first;
      int64_t extra = llvm::popcount(group) - 1;
      int64_t least =
          slots == 1 ? (extra == 0 ? 1 : ranks + 1)
                     : std::max<int64_t>(1, (extra + slots - 2) / (slots - 1));
      for (int64_t n = least; n <= ranks; ++n) {
        for (int64_t all = n; all <= ranks; ++all) {
          double load =
              std::max(weight[group] / n, at(set ^ group, all - n).load);
          if (load < at(set, all).load) {
            at(set, all) = {load, group, n};
          }
        }
      }
      if (part == 0) {
        break;
      }
    }
  }
  Partition partition;
  int64_t left = ranks;
  for (size_t set = sets - 1; set != 0;) {
    const Choice &choice = at(set, left);
    assert(choice.ranks > 0 && "fewer slots than experts");
    ExpertGroup &group = partition.emplace_back();
    group.capacities.assign(choice.ranks, slots);
    for (int64_t item = 0; item < items; ++item) {
      if (choice.group >> item & 1) {
        group.insert(problem, item);
      }
    }
    set ^= choice.group;
    left -= choice.ranks;
  }
  return partition;
}
