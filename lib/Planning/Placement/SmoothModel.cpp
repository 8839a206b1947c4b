//===- SmoothModel.cpp - Which rows load what -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmoothTime.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <map>
#include <tuple>

using namespace moe::planning;

/// What the model is made from: every link in each direction, and what devices
/// send and receive where that was measured.
struct SmoothModel::Draft {
  /// [resource]; the class is what it is merged by.
  std::vector<double> units;
  std::vector<double> firsts;
  std::vector<uint64_t> pairSets;
  size_t links = 0;
  size_t rampsBegin = 0;

  explicit Draft(const SearchModel &facts);
  void visit(const SearchModel &facts, int64_t source, int64_t target,
             llvm::function_ref<void(uint32_t)> visitor) const;
  std::vector<uint32_t> merge();
  bool isDispatch(size_t resource) const;

private:
  void addRamps(const SearchModel &facts);

  int64_t ranks = 0;
};

SmoothModel::Draft::Draft(const SearchModel &facts)
    : links(facts.linkTiers.size()), ranks(facts.ranks()) {
  units = facts.dispatchTimes;
  llvm::append_range(units, facts.combineTimes);
  // A rank sends to all others, so that each tier's messages are as many.
  std::vector<double> peers(facts.tiers.size());
  for (int64_t target = 1; target < ranks; ++target) {
    ++peers[facts.pairTiers.front()[target]];
  }
  for (int direction = 0; direction < 2; ++direction) {
    for (uint32_t tierIndex : facts.linkTiers) {
      const SearchModel::TierStart &tier = facts.tiers[tierIndex];
      firsts.push_back(tier.isCalibrated
                           ? 0
                           : tier.latency + tier.overhead * peers[tierIndex]);
    }
  }
  rampsBegin = units.size();
  addRamps(facts);
  pairSets.resize(units.size());
}

/// The measured time of a device's exchange is taken as a line through latency
/// and what rows spread evenly take.
void SmoothModel::Draft::addRamps(const SearchModel &facts) {
  double rows = 0;
  for (int64_t expert = 0; expert < facts.experts(); ++expert) {
    rows += facts.rowsOf(expert);
  }
  for (llvm::ArrayRef<SearchModel::RankPair> pairs : facts.rampPairs) {
    double peers = std::max(double(pairs.size()) / double(ranks), 1.0);
    double even = rows / double(ranks) / double(ranks) * peers;
    for (double bytes : {facts.dispatchRowBytes, facts.combineRowBytes}) {
      double unit = 0, first = 0;
      if (facts.ramps) {
        const MessageRamp &ramp = (*facts.ramps)[peers > 3   ? 2
                                                 : peers > 1 ? 1
                                                             : 0];
        first = ramp.latency.value();
        unit = (ramp.timeOf(Bytes(even * bytes)).value() - first) / even;
      }
      units.insert(units.end(), 2 * ranks, unit);
      firsts.insert(firsts.end(), 2 * ranks, first);
    }
  }
}

bool SmoothModel::Draft::isDispatch(size_t resource) const {
  return resource < rampsBegin ? resource < links
                               : (resource - rampsBegin) / (2 * ranks) % 2 == 0;
}

/// Everything that a row from the source's tokens to the target loads.
void SmoothModel::Draft::visit(
    const SearchModel &facts, int64_t source, int64_t target,
    llvm::function_ref<void(uint32_t)> visitor) const {
  for (uint32_t link : facts.path(source, target)) {
    visitor(link);
  }
  for (uint32_t link : facts.path(target, source)) {
    visitor(links + link);
  }
  size_t first = rampsBegin;
  for (size_t group = 0; group < facts.rampPairs.size(); ++group) {
    unsigned tier = facts.pairTiers[group][source * ranks + target];
    if (facts.tiers[tier].isCalibrated) {
      // Out of one and into the other, and back.
      visitor(first + source);
      visitor(first + ranks + target);
      visitor(first + 2 * ranks + target);
      visitor(first + 3 * ranks + source);
    }
    first += 4 * ranks;
  }
}

static uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// For each drafted resource its number among those that are kept, or the
/// largest number: of those that the same pairs load only the slowest is.
std::vector<uint32_t> SmoothModel::Draft::merge() {
  using Key = std::tuple<bool, double, uint64_t>;
  std::map<Key, uint32_t> slowest;
  for (uint32_t index = 0; index < units.size(); ++index) {
    if (pairSets[index] == 0) {
      continue;
    }
    Key key{isDispatch(index), firsts[index], pairSets[index]};
    uint32_t &kept = slowest.insert({key, index}).first->second;
    kept = units[index] > units[kept] ? index : kept;
  }
  std::vector<uint32_t> numbers(units.size(), UINT32_MAX);
  uint32_t next = 0;
  for (bool wantsDispatch : {true, false}) {
    for (uint32_t index = 0; index < units.size(); ++index) {
      Key key{isDispatch(index), firsts[index], pairSets[index]};
      auto found = slowest.find(key);
      if (isDispatch(index) == wantsDispatch && found != slowest.end() &&
          found->second == index) {
        numbers[index] = next++;
      }
    }
  }
  return numbers;
}

SmoothModel::SmoothModel(const SearchModel &facts) : facts(facts) {
  Draft draft(facts);
  auto visitPairs = [&](llvm::function_ref<void(int64_t, int64_t)> visitor) {
    for (int64_t source = 0; source < ranks(); ++source) {
      for (int64_t target = 0; target < ranks(); ++target) {
        visitor(source, target);
      }
    }
  };
  visitPairs([&](int64_t source, int64_t target) {
    if (source != target) {
      draft.visit(facts, source, target, [&](uint32_t index) {
        draft.pairSets[index] += mixed(source * ranks() + target + 1);
      });
    }
  });
  std::vector<uint32_t> numbers = draft.merge();
  for (bool isDispatch : {true, false}) {
    for (uint32_t index = 0; index < numbers.size(); ++index) {
      if (numbers[index] != UINT32_MAX &&
          draft.isDispatch(index) == isDispatch) {
        units.push_back(draft.units[index]);
        firsts.push_back(draft.firsts[index]);
        dispatchResources += isDispatch;
      }
    }
  }
  visitPairs([&](int64_t source, int64_t target) {
    routeBegins.push_back(routes.size());
    if (source != target) {
      draft.visit(facts, source, target, [&](uint32_t index) {
        if (numbers[index] != UINT32_MAX) {
          routes.push_back(numbers[index]);
        }
      });
    }
  });
  routeBegins.push_back(routes.size());
  if (!facts.rowsBySource.empty()) {
    return;
  }
  patterns.resize(ranks() * resources());
  visitPairs([&](int64_t source, int64_t target) {
    for (uint32_t resource : route(source, target)) {
      patterns[target * resources() + resource] += facts.sourceParts[source];
    }
  });
}
