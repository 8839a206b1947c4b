//===- CountMatrix.cpp - Rows from each rank to each rank -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CountMatrix.h"
#include "moe/Planning/LoadProfile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cassert>
#include <cmath>
#include <numeric>

using namespace moe::planning;

double CountMatrix::total() const {
  return std::accumulate(sent.begin(), sent.end(), 0.0);
}

std::vector<TokenRange>
moe::planning::tokenRanges(const Mesh &mesh, const DeviceGroup &group,
                           llvm::ArrayRef<AxisRef> tokenAxes, int64_t tokens) {
  int64_t parts = mesh.groupSize(tokenAxes);
  std::vector<TokenRange> ranges;
  for (int64_t device : group) {
    ranges.push_back(
        tokenRange(tokens, parts, mesh.indexInGroup(device, tokenAxes)));
  }
  return ranges;
}

llvm::Expected<CountMatrix>
moe::planning::countRows(const Routing &routing,
                         llvm::ArrayRef<TokenRange> sources,
                         const Placement &placement) {
  assert(static_cast<int64_t>(sources.size()) == placement.rankCount() &&
         "one range of tokens a rank");
  CountMatrix counts(placement.rankCount());
  for (auto [source, range] : llvm::enumerate(sources)) {
    assert(range.end <= routing.tokens() && "the routing lacks tokens");
    for (int64_t token = range.begin; token < range.end; ++token) {
      for (int64_t choice = 0; choice < routing.choices; ++choice) {
        int64_t expert = routing.experts[token * routing.choices + choice];
        if (expert == -1) {
          continue;
        }
        if (expert < 0 || expert >= placement.expertCount()) {
          return llvm::createStringError(
              llvm::formatv("token {0}, choice {1}: expected an expert from 0 "
                            "to {2}, or -1, but got {3}",
                            token, choice, placement.expertCount() - 1, expert)
                  .str());
        }
        int64_t slot =
            placement.slotFor(expert, source, token % Placement::tokenClasses);
        counts.add(source, placement.rankOfSlot(slot), 1);
      }
    }
  }
  return counts;
}

/// How many tokens of the range have the class.
static int64_t tokensOfClass(const TokenRange &range, int64_t cls) {
  // Tokens below `end` with the class.
  auto below = [&](int64_t end) {
    return (end - cls + Placement::tokenClasses - 1) / Placement::tokenClasses;
  };
  return below(range.end) - below(range.begin);
}

CountMatrix moe::planning::expectedRows(int64_t choices,
                                        llvm::ArrayRef<double> shares,
                                        llvm::ArrayRef<TokenRange> sources,
                                        const Placement &placement) {
  assert(static_cast<int64_t>(sources.size()) == placement.rankCount() &&
         static_cast<int64_t>(shares.size()) == placement.expertCount() &&
         "one range of tokens a rank, one share an expert");
  CountMatrix counts(placement.rankCount());
  for (auto [source, range] : llvm::enumerate(sources)) {
    for (auto [expert, share] : llvm::enumerate(shares)) {
      if (placement.slotsOf(expert).size() == 1) {
        int64_t slot = placement.slotsOf(expert).front();
        counts.add(source, placement.rankOfSlot(slot),
                   range.size() * choices * share);
        continue;
      }
      for (int64_t cls = 0; cls < Placement::tokenClasses; ++cls) {
        counts.add(source,
                   placement.rankOfSlot(placement.slotFor(expert, source, cls)),
                   tokensOfClass(range, cls) * choices * share);
      }
    }
  }
  return counts;
}

CountMatrix moe::planning::expectedRowsBySource(
    int64_t choices, llvm::ArrayRef<std::vector<double>> loadsBySource,
    llvm::ArrayRef<TokenRange> sources, const Placement &placement) {
  assert(static_cast<int64_t>(sources.size()) == placement.rankCount() &&
         sources.size() == loadsBySource.size() &&
         "one range of tokens and one list of loads a rank");
  double tokens = 0, all = 0;
  for (auto [range, loads] : llvm::zip_equal(sources, loadsBySource)) {
    tokens += double(range.size());
    all = std::accumulate(loads.begin(), loads.end(), all);
  }
  double scale = tokens * double(choices) / all;
  CountMatrix counts(placement.rankCount());
  for (auto [source, loads] : llvm::enumerate(loadsBySource)) {
    for (auto [expert, load] : llvm::enumerate(loads)) {
      if (placement.slotsOf(expert).size() == 1) {
        int64_t slot = placement.slotsOf(expert).front();
        counts.add(source, placement.rankOfSlot(slot), load * scale);
        continue;
      }
      for (int64_t cls = 0; cls < Placement::tokenClasses; ++cls) {
        int64_t slot = placement.slotFor(expert, source, cls);
        counts.add(source, placement.rankOfSlot(slot),
                   load * scale / Placement::tokenClasses);
      }
    }
  }
  return counts;
}

CountMatrix moe::planning::expectedRows(int64_t choices,
                                        const ExpertShares &shares,
                                        llvm::ArrayRef<TokenRange> sources,
                                        const Placement &placement) {
  return shares.bySource.empty()
             ? expectedRows(choices, llvm::ArrayRef<double>(shares.shares),
                            sources, placement)
             : expectedRowsBySource(choices, shares.bySource, sources,
                                    placement);
}

std::vector<double> moe::planning::rankShares(const Placement &placement,
                                              const ExpertShares &shares) {
  std::vector<double> ranks;
  if (shares.bySource.empty()) {
    ranks = placement.rankLoads(shares.shares);
  } else {
    // Any number of tokens: only the parts matter.
    CountMatrix counts = expectedRowsBySource(
        1, shares.bySource,
        splitTokens(placement.rankCount(), placement.rankCount()), placement);
    for (int64_t rank = 0; rank < placement.rankCount(); ++rank) {
      ranks.push_back(counts.receivedBy(rank));
    }
  }
  double sum = std::accumulate(ranks.begin(), ranks.end(), 0.0);
  for (double &rank : ranks) {
    rank /= sum;
  }
  return ranks;
}

int64_t moe::planning::worstCaseRows(int64_t tokens, int64_t choices,
                                     const Placement &placement) {
  return tokens * std::min(choices, placement.maxExpertsOnRank());
}

double
moe::planning::expectedGroupsReached(llvm::ArrayRef<int64_t> expertsByGroup,
                                     int64_t choices) {
  int64_t experts =
      std::accumulate(expertsByGroup.begin(), expertsByGroup.end(), int64_t(0));
  assert(choices >= 0 && choices <= experts && "more choices than experts");
  double reached = 0;
  for (int64_t size : expertsByGroup) {
    // C(E − e, K) / C(E, K) = Π (1 − e / (E − i)), a chance to miss. Logarithms
    // keep the digits of chances that are nearly 1.
    double missed = 0;
    for (int64_t i = 0; i < choices; ++i) {
      missed += std::log1p(-std::min(double(size) / (experts - i), 1.0));
    }
    reached -= std::expm1(missed);
  }
  return reached;
}

double moe::planning::expectedGroupsReached(int64_t experts, int64_t choices,
                                            int64_t groups) {
  std::vector<int64_t> sizes;
  for (const TokenRange &range : splitTokens(experts, groups)) {
    sizes.push_back(range.size());
  }
  return expectedGroupsReached(sizes, choices);
}
