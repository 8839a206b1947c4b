//===- RoundingBound.cpp - What no placement can beat, in points ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Steps are looked for at a limit slightly above what is proved: one step after
// the other goes to where experts need most points, from coarse to fine, until
// they need more than there are. The limit then rises as far as the same steps
// prove it, and the search goes on from there. Only steps at an expert's load,
// or where T less its load is, change anything.
//
//===----------------------------------------------------------------------===//

#include "RoundingBound.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <array>

using namespace moe::planning;

namespace {
/// The most points that half a rank is worth.
constexpr int64_t mostHalfPoints = 4;
/// What rounding may do to sums of loads.
constexpr double tolerance = 1e-9;
/// How far from a load a step is, so that it is on the right side of it.
constexpr double nudge = 1e-8;

class RoundingSearch {
public:
  RoundingSearch(llvm::ArrayRef<double> weights, int64_t ranksOfTwo,
                 int64_t ranksOfOne, double limit)
      : weights(weights), ranksOfTwo(ranksOfTwo), ranksOfOne(ranksOfOne),
        proof{limit, {}} {}
  RoundingProof run();

private:
  int64_t pointsNeeded(double limit, llvm::ArrayRef<double> steps);
  int64_t pointsThere(size_t steps) const;
  bool proves(double limit, llvm::ArrayRef<double> steps) {
    return pointsNeeded(limit, steps) > pointsThere(steps.size());
  }
  void findCandidates(double limit);
  bool moveStep(double limit, RoundingSteps &steps, size_t index,
                int64_t &most);
  bool findSteps(double limit, RoundingSteps &steps);
  void raiseLimit(double limit, const RoundingSteps &steps);
  void searchFrom(RoundingSteps steps);

  llvm::ArrayRef<double> weights;
  int64_t ranksOfTwo;
  int64_t ranksOfOne;
  RoundingProof proof;
  /// Where a step may be, ascending.
  std::vector<double> candidates;
  /// The most load that parts worth i points can have.
  std::vector<double> reach;
};
} // namespace

int64_t RoundingSearch::pointsThere(size_t steps) const {
  int64_t full = 2 * (steps + 1);
  return full * ranksOfTwo + (full - 1) * ranksOfOne;
}

/// What all experts are worth at least. An expert needs i points or more where
/// parts worth i - 1 cannot have its load, so the sum is over i of the number
/// of experts heavier than that.
int64_t RoundingSearch::pointsNeeded(double limit,
                                     llvm::ArrayRef<double> steps) {
  int64_t half = steps.size() + 1, most = 2 * half - 1;
  // A part worth i points is at most that large.
  std::array<double, 2 * mostHalfPoints> largest;
  largest[most] = limit;
  for (int64_t step = 0; step < half - 1; ++step) {
    largest[1 + step] = steps[step];
    largest[most - 1 - step] = limit - steps[step];
  }
  reach.assign(1, 0);
  int64_t needed = 0;
  size_t heavier = weights.size();
  while (heavier > 0) {
    needed += heavier;
    int64_t points = reach.size();
    double reached = 0;
    for (int64_t part = 1; part <= std::min(points, most); ++part) {
      reached = std::max(reached, reach[points - part] + largest[part]);
    }
    reach.push_back(reached);
    // In strides first: of a few hundred weights most fall at once.
    constexpr size_t stride = 8;
    double atMost = reached * (1 + tolerance);
    while (heavier >= stride && weights[heavier - stride] <= atMost) {
      heavier -= stride;
    }
    while (heavier > 0 && weights[heavier - 1] <= atMost) {
      --heavier;
    }
  }
  return needed;
}

void RoundingSearch::findCandidates(double limit) {
  auto isOver = [](double most) {
    return [most](double weight) { return weight > most; };
  };
  const double *large = llvm::partition_point(weights, isOver(limit));
  const double *small = llvm::partition_point(weights, isOver(limit / 2));
  candidates.assign(1, 0);
  for (const double *weight = weights.end(); weight != small;) {
    candidates.push_back(*--weight * (1 - nudge));
  }
  for (; large != small; ++large) {
    candidates.push_back(std::min(limit - *large * (1 - nudge), limit / 2));
  }
  candidates.push_back(limit / 2);
  llvm::sort(candidates);
}

/// Moves a step to where most points are needed, between its neighbours;
/// `most` is what is needed so far. Returns whether that is more.
bool RoundingSearch::moveStep(double limit, RoundingSteps &steps, size_t index,
                              int64_t &most) {
  constexpr int64_t parts = 16, finer = 4;
  auto first = candidates.begin(), last = candidates.end();
  if (index > 0) {
    first = llvm::lower_bound(candidates, steps[index - 1]);
  }
  if (index + 1 < steps.size()) {
    last = llvm::upper_bound(candidates, steps[index + 1]);
  }
  int64_t begin = first - candidates.begin(), end = last - candidates.begin();
  int64_t best =
      llvm::lower_bound(candidates, steps[index]) - candidates.begin();
  double bestStep = steps[index];
  bool isMoved = false;
  auto tryAll = [&](int64_t from, int64_t to, int64_t stride) {
    for (int64_t place = from; place < to; place += stride) {
      steps[index] = candidates[place];
      int64_t needed = pointsNeeded(limit, steps);
      if (needed > most) {
        most = needed;
        best = place;
        bestStep = candidates[place];
        isMoved = true;
      }
    }
  };
  int64_t stride = std::max<int64_t>(1, (end - begin) / parts);
  tryAll(begin, end, stride);
  while (stride > 1) {
    int64_t next = std::max<int64_t>(1, stride / finer);
    tryAll(std::max(begin, best - stride + next), std::min(end, best + stride),
           next);
    stride = next;
  }
  steps[index] = bestStep;
  return isMoved;
}

/// Moves steps until they prove the limit; false where none moves any more.
bool RoundingSearch::findSteps(double limit, RoundingSteps &steps) {
  constexpr int sweeps = 3;
  findCandidates(limit);
  int64_t there = pointsThere(steps.size());
  int64_t most = pointsNeeded(limit, steps);
  for (int sweep = 0; sweep < sweeps && most <= there; ++sweep) {
    bool isMoved = false;
    for (size_t index = steps.size(); index-- > 0 && most <= there;) {
      isMoved |= moveStep(limit, steps, index, most);
    }
    if (!isMoved) {
      break;
    }
  }
  return most > there;
}

/// The largest limit that these steps prove; they do prove `limit`.
void RoundingSearch::raiseLimit(double limit, const RoundingSteps &steps) {
  double low = limit, high = limit * 1.1;
  for (int halving = 0; halving < 16; ++halving) {
    double middle = (low + high) / 2;
    (proves(middle, steps) ? low : high) = middle;
  }
  proof = {low, steps};
}

void RoundingSearch::searchFrom(RoundingSteps steps) {
  constexpr int rounds = 12;
  constexpr double raise = 1 + 3e-4;
  for (int round = 0; round < rounds; ++round) {
    double limit = proof.limit * raise;
    if (!findSteps(limit, steps)) {
      return;
    }
    raiseLimit(limit, steps);
  }
}

RoundingProof RoundingSearch::run() {
  for (int64_t half = 2; half <= mostHalfPoints; ++half) {
    searchFrom(RoundingSteps(half - 1, 0.0));
  }
  return proof;
}

RoundingProof moe::planning::proveByRounding(llvm::ArrayRef<double> weights,
                                             int64_t ranksOfTwo,
                                             int64_t ranksOfOne, double limit) {
  return RoundingSearch(weights, ranksOfTwo, ranksOfOne, limit).run();
}
