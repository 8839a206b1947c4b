//===- ShareOut.cpp - A group's load over its ranks -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ranks are filled one after the other, each to the same load L. With the
// items in ascending order there is a run of c items, for a rank of c slots,
// such that all but its last stay below L together and with the last reach it:
// the last is cut, what is left of it goes on as an item. A group that has
// fewer items than it could is filled up with items of weight 0.
//
// With equal slots the run always exists; the argument is in
// docs/Rationale/placement.md. Otherwise any rank that has one is filled next,
// and the group is given up when none has.
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace moe::planning;

namespace {
/// What is left of an item; item -1 is an empty slot.
struct Remainder {
  double weight = 0;
  int64_t item = -1;

  bool operator<(const Remainder &other) const {
    return weight < other.weight ||
           (weight == other.weight && item > other.item);
  }
};

class GroupFiller {
public:
  GroupFiller(const GroupProblem &problem, const ExpertGroup &group);
  /// One bundle a rank, or nothing.
  std::vector<Bundle> fill();

private:
  double sumOf(int64_t begin, int64_t count) const;
  std::optional<int64_t> findRun(int64_t slots) const;
  bool fillNext(std::vector<int64_t> &capacities);
  void cut(int64_t begin, int64_t slots);
  void put(Bundle &bundle, const Remainder &remainder, double weight) const;
  double slack() const { return 1e-9 * level; }

  const GroupProblem &problem;
  const ExpertGroup &group;
  double level;
  /// Ascending.
  std::vector<Remainder> left;
  std::vector<Bundle> bundles;
  /// The rank of the group that each bundle is for.
  std::vector<int64_t> capacityOfBundle;
};
} // namespace

GroupFiller::GroupFiller(const GroupProblem &problem, const ExpertGroup &group)
    : problem(problem), group(group), level(group.loadOfRank()) {
  left.resize(std::max<int64_t>(group.freeSlots(), 0));
  for (int64_t item : llvm::reverse(group.items)) {
    left.push_back({problem.weights[item], item});
  }
}

double GroupFiller::sumOf(int64_t begin, int64_t count) const {
  double sum = 0;
  for (int64_t index = begin; index < begin + count; ++index) {
    sum += left[index].weight;
  }
  return sum;
}

/// Where a run begins whose items reach the level with the last one and not
/// without it. Sums of runs ascend with their begins.
std::optional<int64_t> GroupFiller::findRun(int64_t slots) const {
  int64_t size = left.size();
  if (slots > size || sumOf(size - slots, slots) < level - slack()) {
    return std::nullopt;
  }
  int64_t low = 0, high = size - slots;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (sumOf(middle, slots) < level - slack()) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (sumOf(low, slots - 1) > level + slack()) {
    return std::nullopt;
  }
  return low;
}

void GroupFiller::put(Bundle &bundle, const Remainder &remainder,
                      double weight) const {
  if (remainder.item < 0) {
    return;
  }
  double all = problem.weights[remainder.item];
  double share = all > 0 ? weight / all : 1;
  if (share > 1e-9) {
    bundle.push_back({problem.expertOfItem[remainder.item], share});
  }
}

/// Fills a rank with a run; its last item goes on with what is left.
void GroupFiller::cut(int64_t begin, int64_t slots) {
  Bundle bundle;
  double filled = 0;
  for (int64_t index = begin; index < begin + slots - 1; ++index) {
    put(bundle, left[index], left[index].weight);
    filled += left[index].weight;
  }
  Remainder last = left[begin + slots - 1];
  double part = std::clamp(level - filled, 0.0, last.weight);
  bool isAll = last.weight - part <= slack();
  put(bundle, last, isAll ? last.weight : part);
  left.erase(left.begin() + begin, left.begin() + begin + slots);
  // The cut item, or an empty slot in its place.
  Remainder rest =
      isAll ? Remainder() : Remainder{last.weight - part, last.item};
  left.insert(llvm::lower_bound(left, rest), rest);
  bundles.push_back(std::move(bundle));
}

/// Fills one of the ranks that are left. The first capacity, being the least,
/// is tried first.
bool GroupFiller::fillNext(std::vector<int64_t> &capacities) {
  for (size_t index = 0; index < capacities.size(); ++index) {
    if (index > 0 && capacities[index] == capacities[index - 1]) {
      continue;
    }
    if (std::optional<int64_t> begin = findRun(capacities[index])) {
      cut(*begin, capacities[index]);
      capacityOfBundle.push_back(capacities[index]);
      capacities.erase(capacities.begin() + index);
      return true;
    }
  }
  return false;
}

std::vector<Bundle> GroupFiller::fill() {
  std::vector<int64_t> capacities(group.capacities.begin(),
                                  group.capacities.end());
  while (capacities.size() > 1) {
    if (!fillNext(capacities)) {
      return {};
    }
  }
  // What is left is one rank's level, up to rounding.
  Bundle &bundle = bundles.emplace_back();
  capacityOfBundle.push_back(capacities.front());
  double filled = 0;
  for (const Remainder &remainder : left) {
    put(bundle, remainder, remainder.weight);
    filled += remainder.weight;
  }
  if (static_cast<int64_t>(bundle.size()) > capacities.front() ||
      filled > level * (1 + 1e-6)) {
    return {};
  }
  // In the order of the group's ranks, which is that of their slots.
  std::vector<size_t> order(bundles.size());
  for (size_t index = 0; index < order.size(); ++index) {
    order[index] = index;
  }
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(capacityOfBundle[a], a) <
           std::make_pair(capacityOfBundle[b], b);
  });
  std::vector<Bundle> result;
  for (size_t index : order) {
    result.push_back(std::move(bundles[index]));
  }
  return result;
}

std::vector<Bundle> moe::planning::shareOut(const GroupProblem &problem,
                                            const ExpertGroup &group) {
  if (group.freeSlots() < 0) {
    return {};
  }
  return GroupFiller(problem, group).fill();
}
