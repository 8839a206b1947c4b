//===- SplitGreedily.cpp - Experts cut to fit ranks of uneven slots -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For ranks whose slots are too uneven for groups to be shared out evenly. No
// rank gets more than a limit. The heaviest expert comes first and goes where
// it fits best; where it fits nowhere whole, it fills the rank with most room
// and what is left of it is placed on. The least limit that works is searched
// for, and the shares are then balanced for the places that it gave.
//
//===----------------------------------------------------------------------===//

#include "ExpertGroups.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::planning;

namespace {
class GreedySplitter {
public:
  GreedySplitter(const GroupProblem &problem, double limit);
  bool split();
  std::vector<std::vector<int64_t>> take() { return std::move(ranksByExpert); }

private:
  bool placeItem(int64_t item);
  bool hosts(int64_t rank, int64_t expert) const {
    return llvm::is_contained(ranksByExpert[expert], rank);
  }

  const GroupProblem &problem;
  double limit;
  std::vector<double> room;
  std::vector<int64_t> freeSlots;
  /// Slots that items to come need at least.
  int64_t slotsLeft = 0;
  std::vector<std::vector<int64_t>> ranksByExpert;
};
} // namespace

GreedySplitter::GreedySplitter(const GroupProblem &problem, double limit)
    : problem(problem), limit(limit), room(problem.problem.ranks(), limit),
      freeSlots(problem.problem.slotsByRank),
      ranksByExpert(problem.problem.experts()) {
  for (int64_t &slots : freeSlots) {
    slots = std::min(slots, problem.items());
    slotsLeft += slots;
  }
}

bool GreedySplitter::placeItem(int64_t item) {
  int64_t expert = problem.expertOfItem[item];
  double weight = problem.weights[item];
  while (true) {
    int64_t best = -1, widest = -1;
    for (int64_t rank = 0; rank < problem.problem.ranks(); ++rank) {
      if (freeSlots[rank] == 0 || hosts(rank, expert)) {
        continue;
      }
      bool fits = weight <= room[rank] + 1e-9 * limit;
      // Ranks of few slots first: their room is the hardest to use.
      if (fits &&
          (best < 0 || std::make_pair(room[rank], freeSlots[rank]) <
                           std::make_pair(room[best], freeSlots[best]))) {
        best = rank;
      }
      if (widest < 0 || room[rank] > room[widest] ||
          (room[rank] == room[widest] && freeSlots[rank] < freeSlots[widest])) {
        widest = rank;
      }
    }
    int64_t rank = best >= 0 ? best : widest;
    // Items that are to come need a slot each.
    if (rank < 0 || slotsLeft < problem.items() - item) {
      return false;
    }
    ranksByExpert[expert].push_back(rank);
    --freeSlots[rank];
    --slotsLeft;
    double part = std::min(weight, std::max(room[rank], 0.0));
    room[rank] -= part;
    weight -= part;
    if (weight <= 1e-9 * limit) {
      return true;
    }
    if (part == 0) {
      return false;
    }
  }
}

bool GreedySplitter::split() {
  for (int64_t item = 0; item < problem.items(); ++item) {
    if (!placeItem(item)) {
      return false;
    }
  }
  return true;
}

FractionalPlacement moe::planning::splitGreedily(const GroupProblem &problem,
                                                 double bound) {
  double low = bound, high = problem.total;
  std::vector<std::vector<int64_t>> best;
  for (int step = 0; step < 20 && high - low > 1e-6 * low; ++step) {
    double limit = step == 0 ? bound * (1 + 1e-9) : (low + high) / 2;
    GreedySplitter splitter(problem, limit);
    if (splitter.split()) {
      high = limit;
      best = splitter.take();
    } else {
      low = limit;
    }
  }
  return best.empty() ? FractionalPlacement()
                      : balanceShares(problem.problem, best);
}
