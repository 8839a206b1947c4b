//===- LoadBound.cpp - What no placement can beat, by load ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All arguments rest on one fact. Ranks and experts that share tokens form a
// graph; load can be moved around its cycles until there are none. What is left
// are trees: a tree of n ranks and i experts uses i + n - 1 slots. So with X
// slots more than experts, the trees' n - 1 sum to at most X.
//
//===----------------------------------------------------------------------===//

#include "RoundingBound.h"
#include "moe/Planning/LowerBound.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace moe::planning;
using llvm::formatv;

double LowerBound::gapOf(double reached) const {
  return value > 0 ? std::max(0.0, (reached - value) / value) : 0;
}

namespace {
class LoadArguments {
public:
  explicit LoadArguments(const PlacementProblem &problem);
  LowerBound best();

private:
  void raise(double value, llvm::function_ref<std::string()> argument);
  /// The slots that the `kept` heaviest experts need at least so that no rank
  /// has more than `limit`, when a rank's replica has `others` more experts
  /// beside it, each at least as heavy as the lightest that is kept.
  double slotsNeeded(double limit, int64_t kept, int64_t others) const;
  /// The largest limit, to rounding, for which more slots are needed than there
  /// are; `current` where that is less.
  double limitOfSlots(int64_t kept, int64_t others, double current) const;
  void tryReplicas();
  void tryHosts();
  void tryPairing();
  void tryAlone();
  void tryRounding();

  /// Descending.
  std::vector<double> weights;
  /// Sums of the first i, and of the last i.
  std::vector<double> heaviest;
  std::vector<double> lightest;
  /// Of ranks that have slots, descending; no rank can use more than it has
  /// experts to hold.
  std::vector<int64_t> capacities;
  std::vector<int64_t> capacitySums;
  LowerBound found;
};
} // namespace

LoadArguments::LoadArguments(const PlacementProblem &problem)
    : weights(problem.loads) {
  llvm::sort(weights, std::greater<>());
  heaviest.push_back(0);
  lightest.push_back(0);
  for (size_t index = 0; index < weights.size(); ++index) {
    heaviest.push_back(heaviest.back() + weights[index]);
    lightest.push_back(lightest.back() + weights[weights.size() - 1 - index]);
  }
  for (int64_t slots : problem.slotsByRank) {
    if (slots > 0) {
      capacities.push_back(std::min(slots, problem.experts()));
    }
  }
  llvm::sort(capacities, std::greater<>());
  capacitySums.push_back(0);
  for (int64_t slots : capacities) {
    capacitySums.push_back(capacitySums.back() + slots);
  }
}

void LoadArguments::raise(double value,
                          llvm::function_ref<std::string()> argument) {
  // An argument that is no better, up to rounding, does not replace another.
  if (value > found.value * (1 + 1e-9)) {
    found = {value, argument()};
  }
}

double LoadArguments::slotsNeeded(double limit, int64_t kept,
                                  int64_t others) const {
  double partner = others == 0 ? 0 : weights[kept - 1];
  double room = std::max(limit - others * partner, partner);
  double relative = partner / room;
  double slots = 0;
  // Experts of one tree have one partner less than replicas beyond the first:
  // those that only just need another replica may together do without one.
  llvm::SmallVector<double, 64> savings;
  double mostSaved = 0;
  for (double weight : llvm::ArrayRef(weights).take_front(kept)) {
    // A whole number that rounding has pushed up must not count as one more.
    double wanted = weight / room - 1e-9;
    auto whole = static_cast<int64_t>(wanted);
    double replicas = double(whole) + (wanted > double(whole));
    replicas = std::max(1.0, replicas);
    double excess = weight / room - (replicas - 1);
    if (replicas > 1 && excess < relative) {
      savings.push_back(relative - excess);
      mostSaved += savings.back();
    }
    slots += replicas;
  }
  if (mostSaved < relative * (1 - 1e-9)) {
    return slots;
  }
  llvm::sort(savings);
  double saved = 0;
  for (double saving : savings) {
    saved += saving;
    slots -= saved >= relative * (1 - 1e-9);
  }
  return slots;
}

double LoadArguments::limitOfSlots(int64_t kept, int64_t others,
                                   double current) const {
  double slots = capacitySums.back();
  if (slotsNeeded(current, kept, others) <= slots) {
    return current;
  }
  double low = current, high = std::max(heaviest.back(), current);
  while (2 * low < high) {
    if (slotsNeeded(2 * low, kept, others) <= slots) {
      high = 2 * low;
      break;
    }
    low *= 2;
  }
  for (int step = 0; step < 50 && high - low > 1e-9 * high; ++step) {
    double middle = (low + high) / 2;
    (slotsNeeded(middle, kept, others) > slots ? low : high) = middle;
  }
  return low;
}

void LoadArguments::tryReplicas() {
  int64_t experts = weights.size(), slots = capacitySums.back();
  raise(limitOfSlots(experts, 0, found.value), [&] {
    return formatv("replicas: below it experts need more than the {0} slots",
                   slots)
        .str();
  });
  int64_t others = capacities.back() - 1;
  if (others == 0) {
    return;
  }
  // Without the lightest experts the others need fewer slots, but have heavier
  // partners.
  for (int64_t dropped = 0; dropped <= experts / 2;
       dropped = std::max<int64_t>(1, dropped * 2)) {
    int64_t kept = experts - dropped;
    raise(limitOfSlots(kept, others, found.value), [&] {
      return formatv("partners: where {0} others of at least {1:G6} sit beside "
                     "each replica, the {2} heaviest experts need more than "
                     "the {3} slots",
                     others, weights[kept - 1], kept, slots)
          .str();
    });
  }
}

void LoadArguments::tryHosts() {
  int64_t experts = weights.size(), ranks = capacities.size();
  int64_t slots = capacitySums.back();
  for (int64_t heavy = 1; heavy <= experts; ++heavy) {
    int64_t rest = experts - heavy;
    // What the other ranks cannot hold must be beside the heavy experts.
    auto forced = [&](int64_t hosts) {
      return std::clamp<int64_t>(rest - capacitySums[ranks - hosts], 0, rest);
    };
    auto loadOf = [&](int64_t hosts) {
      return (heaviest[heavy] + lightest[forced(hosts)]) / hosts;
    };
    int64_t hosts = std::min(ranks, slots - rest);
    // Falls, then rises: the load is convex in the number of hosts.
    while (hosts > 1 && loadOf(hosts - 1) < loadOf(hosts)) {
      --hosts;
    }
    raise(loadOf(hosts), [&] {
      return formatv("hosts: the {0} heaviest experts, on {1} ranks, share "
                     "them with the {2} lightest",
                     heavy, hosts, forced(hosts))
          .str();
    });
  }
}

void LoadArguments::tryPairing() {
  int64_t experts = weights.size(), ranks = capacities.size();
  int64_t extra = capacitySums.back() - experts;
  for (int64_t each = 1; each * ranks + 1 <= experts; ++each) {
    int64_t top = each * ranks + 1;
    // Some tree has more than `each` of them for each of its ranks.
    double least = std::numeric_limits<double>::infinity();
    for (int64_t size = 1; size <= std::min(ranks, extra + 1); ++size) {
      double load = heaviest[top] - heaviest[top - (each * size + 1)];
      least = std::min(least, load / size);
    }
    raise(least, [&] {
      return formatv("pairing: of the {0} heaviest experts some {1} share a "
                     "rank{2}",
                     top, each + 1,
                     extra == 0 ? "" : ", or more of them a few ranks")
          .str();
    });
  }
}

/// Sharing takes spare slots, and so does a slot that stays empty: at most two
/// ranks for each spare slot are concerned, and all others hold as many experts
/// as they have slots, whole.
void LoadArguments::tryAlone() {
  int64_t ranks = capacities.size(), slots = capacities.back();
  int64_t extra = capacitySums.back() - static_cast<int64_t>(weights.size());
  int64_t alone = ranks - 2 * extra, held = alone * slots;
  if (alone < 1 || slots < 2) {
    return;
  }
  raise(lightest[held] / double(alone), [&] {
    return formatv("alone: {0} ranks share with none and hold {1} experts each",
                   alone, slots)
        .str();
  });
  // Of the j heaviest of the experts that they hold at least, one is beside
  // none of the j - 1 lightest.
  int64_t experts = weights.size();
  double most = 0;
  for (int64_t j = 1; j <= alone; ++j) {
    double beside = lightest[j + slots - 2] - lightest[j - 1];
    most = std::max(most, weights[experts - held + j - 1] + beside);
  }
  raise(most, [&] {
    return formatv("alone: {0} ranks share with none and hold {1} experts "
                   "each, heavy ones beside light ones at best",
                   alone, slots)
        .str();
  });
}

void LoadArguments::tryRounding() {
  int64_t experts = weights.size(), ranks = capacities.size();
  // With that many spare slots all ranks can share, and the mean is reached.
  bool isMeanReached = capacitySums.back() - ranks + 1 >= experts;
  if (isMeanReached || capacities.front() > 2 || found.value <= 0) {
    return;
  }
  int64_t ranksOfTwo =
      llvm::count_if(capacities, [](int64_t slots) { return slots == 2; });
  RoundingProof proof =
      proveByRounding(weights, ranksOfTwo, ranks - ranksOfTwo, found.value);
  raise(proof.limit, [&] {
    std::string steps;
    for (double step : proof.steps) {
      steps +=
          formatv("{0}{1:F3}", steps.empty() ? "" : ", ", step / proof.limit);
    }
    return formatv("rounding: where a rank has {0} points and parts of experts "
                   "are worth one more from {1} of the bound on, experts are "
                   "worth more than the {2} ranks have",
                   2 * (proof.steps.size() + 1), steps, ranks)
        .str();
  });
}

LowerBound LoadArguments::best() {
  raise(heaviest.back() / capacities.size(), [&] {
    return formatv("mean: the load of all experts over {0} ranks",
                   capacities.size())
        .str();
  });
  tryHosts();
  tryPairing();
  tryAlone();
  tryReplicas();
  tryRounding();
  return found;
}

LowerBound moe::planning::loadBound(const PlacementProblem &problem) {
  return LoadArguments(problem).best();
}
