//===- SimplePolicies.cpp - Placements that look at no load ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include <algorithm>

using namespace moe::planning;

/// How many experts each rank gets: as even as its slots allow, the first ranks
/// one more.
static std::vector<int64_t> evenCounts(const PlacementProblem &problem) {
  std::vector<int64_t> counts(problem.ranks());
  int64_t left = problem.experts();
  while (left > 0) {
    int64_t open = std::count_if(counts.begin(), counts.end(),
                                 [&, rank = 0](int64_t count) mutable {
                                   return count < problem.slotsByRank[rank++];
                                 });
    // Full rounds at once, then one expert each to the first ranks.
    int64_t rounds = std::max<int64_t>(left / open, 1);
    for (int64_t rank = 0; rank < problem.ranks() && left > 0; ++rank) {
      int64_t more =
          std::min({rounds, left, problem.slotsByRank[rank] - counts[rank]});
      counts[rank] += more;
      left -= more;
    }
  }
  return counts;
}

/// The ranks' lists with -1 in the slots that are left.
static PlacementData padded(const PlacementProblem &problem,
                            std::vector<std::vector<int64_t>> experts) {
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    experts[rank].resize(problem.slotsByRank[rank], -1);
  }
  return {problem.experts(), std::move(experts), {}};
}

PlacementData moe::planning::placeContiguous(const PlacementProblem &problem) {
  std::vector<std::vector<int64_t>> experts;
  int64_t next = 0;
  for (int64_t count : evenCounts(problem)) {
    std::vector<int64_t> &hosted = experts.emplace_back();
    for (int64_t end = next + count; next < end; ++next) {
      hosted.push_back(next);
    }
  }
  return padded(problem, std::move(experts));
}

PlacementData moe::planning::placeRoundRobin(const PlacementProblem &problem) {
  std::vector<std::vector<int64_t>> experts(problem.ranks());
  int64_t rank = 0;
  auto isFull = [&](int64_t index) {
    return static_cast<int64_t>(experts[index].size()) ==
           problem.slotsByRank[index];
  };
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    while (isFull(rank)) {
      rank = (rank + 1) % problem.ranks();
    }
    experts[rank].push_back(expert);
    rank = (rank + 1) % problem.ranks();
  }
  return padded(problem, std::move(experts));
}
