//===- BalanceShares.cpp - The best shares for a given support ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For a limit T, loads fit when a flow from experts to ranks of capacity T
// carries them all. Where it does not, the experts that the flow's cut leaves
// over need more: all of their load on the ranks that they reach, which is the
// next T. That rises to the least limit in a few steps (Newton's method on the
// cut function), each a maximum flow.
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

using namespace moe::planning;

namespace {
/// A flow from experts to ranks, along the edges of a support.
class ShareFlow {
public:
  ShareFlow(const PlacementProblem &problem,
            const std::vector<std::vector<int64_t>> &ranksByExpert);

  /// Sends all that fits under the limit.
  void sendAll(double limit);
  /// The largest amount that an expert could not send.
  double mostLeft() const {
    return *std::max_element(unsent.begin(), unsent.end());
  }
  /// Load over ranks of the experts that the unsent ones can push aside, and
  /// the ranks that they reach.
  double requiredLimit() const;
  FractionalPlacement placement() const;

private:
  struct Edge {
    int64_t expert = 0;
    int64_t rank = 0;
    double amount = 0;
  };

  bool augment(int64_t expert);
  void search(int64_t expert);
  double negligible() const { return 1e-12 * scale; }

  const PlacementProblem &problem;
  std::vector<Edge> edges;
  std::vector<std::vector<int64_t>> edgesOfExpert;
  std::vector<std::vector<int64_t>> edgesOfRank;
  std::vector<double> unsent;
  std::vector<double> loadOfRank;
  double limit = 0;
  double scale = 0;
  /// Of the last search: the edge that reached a rank, and the one that an
  /// expert's load was pushed back along; -1 where it did not come.
  std::vector<int64_t> edgeToRank;
  std::vector<int64_t> edgeToExpert;
  std::vector<bool> isReached;
  std::vector<int64_t> ranksInOrder;
};
} // namespace

ShareFlow::ShareFlow(const PlacementProblem &problem,
                     const std::vector<std::vector<int64_t>> &ranksByExpert)
    : problem(problem), edgesOfExpert(problem.experts()),
      edgesOfRank(problem.ranks()), unsent(problem.loads),
      loadOfRank(problem.ranks()),
      scale(*std::max_element(problem.loads.begin(), problem.loads.end())) {
  for (auto [expert, ranks] : llvm::enumerate(ranksByExpert)) {
    for (int64_t rank : ranks) {
      edgesOfExpert[expert].push_back(edges.size());
      edgesOfRank[rank].push_back(edges.size());
      edges.push_back({static_cast<int64_t>(expert), rank, 0});
    }
  }
}

/// Finds what the expert's load can reach: its ranks, and through load that
/// other experts have there, theirs.
void ShareFlow::search(int64_t expert) {
  edgeToRank.assign(problem.ranks(), -1);
  edgeToExpert.assign(problem.experts(), -1);
  isReached.assign(problem.experts(), false);
  isReached[expert] = true;
  ranksInOrder.clear();
  std::vector<int64_t> queue = {expert};
  for (size_t next = 0; next < queue.size(); ++next) {
    for (int64_t edge : edgesOfExpert[queue[next]]) {
      int64_t rank = edges[edge].rank;
      if (edgeToRank[rank] >= 0) {
        continue;
      }
      edgeToRank[rank] = edge;
      ranksInOrder.push_back(rank);
      for (int64_t back : edgesOfRank[rank]) {
        int64_t other = edges[back].expert;
        if (!isReached[other] && edges[back].amount > negligible()) {
          isReached[other] = true;
          edgeToExpert[other] = back;
          queue.push_back(other);
        }
      }
    }
  }
}

/// Sends more of one expert along the first way to a rank with room. False
/// where there is none.
bool ShareFlow::augment(int64_t expert) {
  search(expert);
  auto open = llvm::find_if(ranksInOrder, [&](int64_t rank) {
    return limit - loadOfRank[rank] > negligible();
  });
  if (open == ranksInOrder.end()) {
    return false;
  }
  double amount = std::min(unsent[expert], limit - loadOfRank[*open]);
  for (int64_t rank = *open, from = -1; true; rank = edges[from].rank) {
    from = edgeToExpert[edges[edgeToRank[rank]].expert];
    if (from < 0) {
      break;
    }
    amount = std::min(amount, edges[from].amount);
  }
  loadOfRank[*open] += amount;
  unsent[expert] -= amount;
  for (int64_t rank = *open; true;) {
    edges[edgeToRank[rank]].amount += amount;
    int64_t from = edgeToExpert[edges[edgeToRank[rank]].expert];
    if (from < 0) {
      break;
    }
    edges[from].amount -= amount;
    rank = edges[from].rank;
  }
  return true;
}

void ShareFlow::sendAll(double newLimit) {
  limit = newLimit;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    while (unsent[expert] > negligible() && augment(expert)) {
    }
  }
}

double ShareFlow::requiredLimit() const {
  ShareFlow probe = *this;
  std::vector<bool> isIn(problem.experts());
  std::vector<bool> isHost(problem.ranks());
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    if (unsent[expert] <= negligible()) {
      continue;
    }
    probe.search(expert);
    for (int64_t other = 0; other < problem.experts(); ++other) {
      isIn[other] = isIn[other] || probe.isReached[other];
    }
    for (int64_t rank : probe.ranksInOrder) {
      isHost[rank] = true;
    }
  }
  double load = 0;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    load += isIn[expert] ? problem.loads[expert] : 0;
  }
  return load / llvm::count(isHost, true);
}

FractionalPlacement ShareFlow::placement() const {
  FractionalPlacement result;
  result.piecesByRank.resize(problem.ranks());
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    double sent = problem.loads[expert] - unsent[expert];
    for (int64_t edge : edgesOfExpert[expert]) {
      // An expert without load still has to be somewhere.
      double share = sent > 0 ? edges[edge].amount / sent
                              : double(edge == edgesOfExpert[expert].front());
      if (share > 1e-9) {
        result.piecesByRank[edges[edge].rank].push_back({expert, share});
      }
    }
  }
  return result;
}

FractionalPlacement moe::planning::balanceShares(
    const PlacementProblem &problem,
    const std::vector<std::vector<int64_t>> &ranksByExpert) {
  ShareFlow flow(problem, ranksByExpert);
  double limit =
      std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0) /
      problem.ranks();
  flow.sendAll(limit);
  // Each step raises the limit to that of another set of experts, so it ends;
  // rounding must not keep it going.
  for (int64_t step = 0; step < 64 && flow.mostLeft() > 1e-11 * limit; ++step) {
    limit = std::max(flow.requiredLimit(), limit * (1 + 1e-15));
    flow.sendAll(limit);
  }
  return flow.placement();
}

double FractionalPlacement::maxLoad(const PlacementProblem &problem) const {
  double most = 0;
  for (const std::vector<Piece> &pieces : piecesByRank) {
    double load = 0;
    for (const Piece &piece : pieces) {
      load += problem.loads[piece.expert] * piece.share;
    }
    most = std::max(most, load);
  }
  return most;
}
