//===- ServeCells.cpp - From shares to replica tables ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each replica has a quota of cells. It takes those of its own rank first, then
// those of its own node that no replica has taken, then any, always from the
// lowest cell on. Everything works on runs of cells, so that 2048 ranks cost no
// more than their replicas do.
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>
#include <cmath>

using namespace moe::planning;

namespace {
/// One replica of the expert at hand.
struct Replica {
  int64_t rank = 0;
  int64_t slot = 0;
  /// What it is still to serve, in the load of an average cell.
  double quota = 0;
};

/// Cells from begin to end, served by a slot or by none.
struct Stretch {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t slot = -1;
};

/// Hands the cells of one expert to its replicas.
class CellServer {
public:
  CellServer(const PlacementProblem &problem, int64_t expert,
             std::vector<Replica> replicas);
  ReplicaTable serve();

private:
  /// A replica may take cells from begin to end.
  struct Request {
    Replica *replica = nullptr;
    int64_t begin = 0;
    int64_t end = 0;
  };

  int64_t cellCount() const { return problem.ranks() * tokenClasses; }
  double weightOf(int64_t cell) const;
  int64_t endOfWeight(int64_t cell) const;
  int64_t takeCells(Replica &replica, int64_t begin, int64_t end) const;
  void serveRequests(llvm::ArrayRef<Request> requests);

  const PlacementProblem &problem;
  int64_t expert;
  /// By rank.
  std::vector<Replica> replicas;
  /// All cells, in order.
  std::vector<Stretch> stretches;
};
} // namespace

CellServer::CellServer(const PlacementProblem &problem, int64_t expert,
                       std::vector<Replica> replicas)
    : problem(problem), expert(expert), replicas(std::move(replicas)),
      stretches({{0, cellCount(), -1}}) {}

/// The load of a cell, in that of an average one.
double CellServer::weightOf(int64_t cell) const {
  return problem.loadsBySource.empty() || problem.loads[expert] == 0
             ? 1
             : problem.loadOfCell(expert, cell) * cellCount() /
                   problem.loads[expert];
}

/// Where another weight may begin.
int64_t CellServer::endOfWeight(int64_t cell) const {
  return problem.loadsBySource.empty()
             ? cellCount()
             : (cell / tokenClasses + 1) * tokenClasses;
}

/// Takes cells from `begin` on as far as the quota goes; returns where it ends.
int64_t CellServer::takeCells(Replica &replica, int64_t begin,
                              int64_t end) const {
  for (int64_t cell = begin; cell < end;) {
    int64_t next = std::min(end, endOfWeight(cell));
    double weight = weightOf(cell);
    int64_t cells = next - cell;
    if (weight > 0) {
      cells = std::clamp<int64_t>(std::floor(replica.quota / weight + 0.5), 0,
                                  cells);
    }
    replica.quota -= cells * weight;
    cell += cells;
    if (cell < next) {
      return cell;
    }
  }
  return end;
}

/// One pass over the cells. Requests are in the order of their begins; those
/// of one range follow each other.
void CellServer::serveRequests(llvm::ArrayRef<Request> requests) {
  std::vector<Stretch> result;
  auto next = stretches.begin();
  auto emit = [&](int64_t end, int64_t slot) {
    if (next->begin < end) {
      result.push_back({next->begin, end, slot});
      next->begin = end;
    }
    if (next->begin == next->end) {
      ++next;
    }
  };
  for (const Request &request : requests) {
    bool isHungry = true;
    while (isHungry && next != stretches.end() && next->begin < request.end) {
      if (next->slot >= 0 || next->end <= request.begin) {
        emit(next->end, next->slot);
        continue;
      }
      int64_t begin = std::max(request.begin, next->begin);
      emit(begin, -1);
      int64_t end = std::min(request.end, next->end);
      int64_t taken = takeCells(*request.replica, begin, end);
      isHungry = taken == end;
      emit(taken, request.replica->slot);
    }
  }
  result.insert(result.end(), next, stretches.end());
  stretches = std::move(result);
}

ReplicaTable CellServer::serve() {
  int64_t nodeCells = cellCount() / problem.nodes;
  std::vector<Request> ofRank, ofNode, any;
  for (Replica &replica : replicas) {
    int64_t begin = replica.rank * tokenClasses;
    ofRank.push_back({&replica, begin, begin + tokenClasses});
    begin = problem.nodeOf(replica.rank) * nodeCells;
    ofNode.push_back({&replica, begin, begin + nodeCells});
    any.push_back({&replica, 0, cellCount()});
  }
  serveRequests(ofRank);
  serveRequests(ofNode);
  serveRequests(any);
  // Quotas of whole cells leave none; others may, by rounding.
  std::vector<ReplicaTable::Run> runs;
  for (const Stretch &stretch : stretches) {
    runs.push_back({stretch.begin,
                    stretch.slot >= 0 ? stretch.slot : replicas.back().slot});
  }
  return ReplicaTable(cellCount(), runs);
}

namespace {
/// The whole numbers of cells that replicas serve.
class ShareRounder {
public:
  ShareRounder(const PlacementProblem &problem,
               const FractionalPlacement &placement);

  struct Quota {
    int64_t rank = 0;
    int64_t cells = 0;
  };
  /// By expert, in the order of ranks; no quota is 0.
  std::vector<std::vector<Quota>> round();

private:
  struct Remainder {
    int64_t expert = 0;
    int64_t cells = 0;
  };
  void handOut(const Remainder &remainder);

  const PlacementProblem &problem;
  std::vector<std::vector<Quota>> quotas;
  std::vector<Remainder> remainders;
  std::vector<double> loadOfRank;
};
} // namespace

ShareRounder::ShareRounder(const PlacementProblem &problem,
                           const FractionalPlacement &placement)
    : problem(problem), quotas(problem.experts()), loadOfRank(problem.ranks()) {
  int64_t cells = problem.ranks() * tokenClasses;
  for (auto [rank, pieces] : llvm::enumerate(placement.piecesByRank)) {
    for (const FractionalPlacement::Piece &piece : pieces) {
      // A share that is whole up to rounding is whole.
      int64_t whole = std::floor(piece.share * cells + 1e-6);
      quotas[piece.expert].push_back({static_cast<int64_t>(rank), whole});
      loadOfRank[rank] += problem.loads[piece.expert] * whole / cells;
    }
  }
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    int64_t left = cells;
    for (const Quota &quota : quotas[expert]) {
      left -= quota.cells;
    }
    if (left > 0) {
      remainders.push_back({expert, left});
    }
  }
}

/// Gives the cells that are left of an expert to its ranks with least load.
void ShareRounder::handOut(const Remainder &remainder) {
  double perCell =
      problem.loads[remainder.expert] / (problem.ranks() * tokenClasses);
  std::vector<Quota> &targets = quotas[remainder.expert];
  for (int64_t cell = 0; cell < remainder.cells; ++cell) {
    auto target =
        llvm::min_element(targets, [&](const Quota &a, const Quota &b) {
          return loadOfRank[a.rank] < loadOfRank[b.rank];
        });
    ++target->cells;
    loadOfRank[target->rank] += perCell;
  }
}

std::vector<std::vector<ShareRounder::Quota>> ShareRounder::round() {
  llvm::sort(remainders, [&](const Remainder &a, const Remainder &b) {
    return std::make_pair(-problem.loads[a.expert], a.expert) <
           std::make_pair(-problem.loads[b.expert], b.expert);
  });
  for (const Remainder &remainder : remainders) {
    handOut(remainder);
  }
  for (std::vector<Quota> &targets : quotas) {
    llvm::erase_if(targets,
                   [](const Quota &quota) { return quota.cells == 0; });
  }
  return std::move(quotas);
}

PlacementData moe::planning::serveCells(const PlacementProblem &problem,
                                        const FractionalPlacement &placement) {
  std::vector<std::vector<ShareRounder::Quota>> quotas =
      ShareRounder(problem, placement).round();
  PlacementData data;
  data.expertCount = problem.experts();
  data.expertsByRank.resize(problem.ranks());
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    for (const ShareRounder::Quota &quota : quotas[expert]) {
      data.expertsByRank[quota.rank].push_back(expert);
    }
  }
  std::vector<std::vector<Replica>> replicas(problem.experts());
  int64_t slot = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    std::vector<int64_t> &experts = data.expertsByRank[rank];
    assert(static_cast<int64_t>(experts.size()) <= problem.slotsByRank[rank] &&
           "more experts than slots");
    experts.resize(problem.slotsByRank[rank], -1);
    for (int64_t expert : experts) {
      if (expert >= 0) {
        replicas[expert].push_back({rank, slot, 0});
      }
      ++slot;
    }
  }
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    if (replicas[expert].size() < 2) {
      continue;
    }
    for (auto [replica, quota] :
         llvm::zip_equal(replicas[expert], quotas[expert])) {
      replica.quota = quota.cells;
    }
    data.replicaTables[expert] =
        CellServer(problem, expert, std::move(replicas[expert])).serve();
  }
  return data;
}

void moe::planning::addEqualTables(const PlacementProblem &problem,
                                   PlacementData &data) {
  std::vector<std::vector<Replica>> replicas(problem.experts());
  int64_t slot = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (int64_t expert : data.expertsByRank[rank]) {
      // What is out of range is verify's to say.
      if (expert >= 0 && expert < problem.experts()) {
        replicas[expert].push_back({rank, slot, 0});
      }
      ++slot;
    }
  }
  int64_t cells = problem.ranks() * tokenClasses;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    int64_t count = replicas[expert].size();
    if (count < 2 || data.replicaTables.count(expert)) {
      continue;
    }
    int64_t each = cells / count;
    int64_t oneMore = cells % count;
    for (auto [index, replica] : llvm::enumerate(replicas[expert])) {
      replica.quota = each + (static_cast<int64_t>(index) < oneMore ? 1 : 0);
    }
    data.replicaTables[expert] =
        CellServer(problem, expert, std::move(replicas[expert])).serve();
  }
}
