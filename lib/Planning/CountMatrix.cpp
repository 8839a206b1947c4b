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

/// As many of the classes from `first` on.
static int64_t tokensOfClasses(const TokenRange &range, int64_t first,
                               int64_t count) {
  if (count == Placement::tokenClasses) {
    return range.size();
  }
  int64_t tokens = 0;
  for (int64_t cls = first; cls < first + count; ++cls) {
    tokens += tokensOfClass(range, cls);
  }
  return tokens;
}

namespace {
/// Classes of a source's tokens that one rank serves.
struct ServedClasses {
  int64_t source = 0;
  int64_t rank = 0;
  int64_t first = 0;
  int64_t count = 0;
};
} // namespace

/// Visits who serves an expert, source by source. Looking up each class would
/// take most of the time of planning for thousands of ranks.
static void
visitServers(const Placement &placement, const PlacementData &data,
             int64_t expert,
             llvm::function_ref<void(const ServedClasses &)> visit) {
  constexpr int64_t classes = Placement::tokenClasses;
  auto table = data.replicaTables.find(expert);
  if (table == data.replicaTables.end()) {
    int64_t rank = placement.rankOfSlot(placement.slotsOf(expert).front());
    for (int64_t source = 0; source < placement.rankCount(); ++source) {
      visit({source, rank, 0, classes});
    }
    return;
  }
  llvm::ArrayRef<ReplicaTable::Run> runs = table->second.runs();
  for (size_t index = 0; index < runs.size(); ++index) {
    int64_t rank = placement.rankOfSlot(runs[index].slot);
    int64_t end = runs[index].begin + table->second.lengthOf(index);
    for (int64_t cell = runs[index].begin; cell < end;) {
      int64_t source = cell / classes;
      int64_t next = std::min(end, (source + 1) * classes);
      visit({source, rank, cell % classes, next - cell});
      cell = next;
    }
  }
}

CountMatrix moe::planning::expectedRows(int64_t choices,
                                        llvm::ArrayRef<double> shares,
                                        llvm::ArrayRef<TokenRange> sources,
                                        const Placement &placement) {
  assert(static_cast<int64_t>(sources.size()) == placement.rankCount() &&
         static_cast<int64_t>(shares.size()) == placement.expertCount() &&
         "one range of tokens a rank, one share an expert");
  CountMatrix counts(placement.rankCount());
  PlacementData data = placement.data();
  for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
    visitServers(placement, data, expert, [&](const ServedClasses &served) {
      int64_t tokens =
          tokensOfClasses(sources[served.source], served.first, served.count);
      counts.add(served.source, served.rank, tokens * choices * shares[expert]);
    });
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
  PlacementData data = placement.data();
  for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
    visitServers(placement, data, expert, [&](const ServedClasses &served) {
      double load = loadsBySource[served.source][expert];
      counts.add(served.source, served.rank,
                 load * scale * double(served.count) / Placement::tokenClasses);
    });
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
