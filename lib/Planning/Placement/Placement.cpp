//===- Placement.cpp - Which rank hosts which expert ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Placement.h"
#include "moe/Planning/TokenSplit.h"
#include <cassert>
#include <limits>

using namespace moe::planning;

namespace {
/// What serves an expert without a table of its own: each (source rank, token
/// class) one of the replicas nearest to the source, in turn.
class DefaultRule {
public:
  DefaultRule(llvm::ArrayRef<int64_t> slots,
              llvm::ArrayRef<int64_t> ranksBySlot, Placement::Distance distance)
      : slots(slots), ranksBySlot(ranksBySlot), distance(distance) {}

  /// Turns to the cells of a source rank.
  void moveTo(int64_t rank);
  /// The slot that serves a class of the source.
  int64_t slotFor(int64_t tokenClass) const {
    return nearest[(source + tokenClass) % nearest.size()];
  }

private:
  llvm::ArrayRef<int64_t> slots;
  llvm::ArrayRef<int64_t> ranksBySlot;
  Placement::Distance distance;
  int64_t source = 0;
  std::vector<int64_t> nearest;
};
} // namespace

void DefaultRule::moveTo(int64_t rank) {
  source = rank;
  nearest.clear();
  int64_t least = std::numeric_limits<int64_t>::max();
  for (int64_t slot : slots) {
    int64_t target = ranksBySlot[slot];
    // A replica on the source itself is nearer than any other rank's.
    int64_t here = target == source ? std::numeric_limits<int64_t>::min()
                   : distance       ? distance(source, target)
                                    : 0;
    if (here < least) {
      least = here;
      nearest.clear();
    }
    if (here == least) {
      nearest.push_back(slot);
    }
  }
}

static ReplicaTable makeReplicaTable(DefaultRule rule, int64_t ranks) {
  std::vector<int64_t> table;
  table.reserve(ranks * Placement::tokenClasses);
  for (int64_t source = 0; source < ranks; ++source) {
    rule.moveTo(source);
    for (int64_t cls = 0; cls < Placement::tokenClasses; ++cls) {
      table.push_back(rule.slotFor(cls));
    }
  }
  return ReplicaTable(table);
}

void Placement::layOutSlots(const PlacementData &data) {
  slotsByExpert.resize(data.expertCount);
  firstSlots.push_back(0);
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    int64_t rank = firstSlots.size() - 1;
    for (int64_t expert : experts) {
      if (expert >= 0) {
        slotsByExpert[expert].push_back(expertsBySlot.size());
      }
      expertsBySlot.push_back(expert);
      ranksBySlot.push_back(rank);
    }
    firstSlots.push_back(expertsBySlot.size());
    maxSlots = std::max<int64_t>(maxSlots, experts.size());
  }
}

llvm::Expected<Placement> Placement::create(const PlacementData &data,
                                            Distance distance) {
  if (llvm::Error error = verify(data)) {
    return std::move(error);
  }
  Placement placement;
  placement.layOutSlots(data);
  for (int64_t expert = 0; expert < data.expertCount; ++expert) {
    llvm::ArrayRef<int64_t> slots = placement.slotsByExpert[expert];
    if (slots.size() == 1) {
      continue;
    }
    auto given = data.replicaTables.find(expert);
    placement.replicaTables[expert] =
        given != data.replicaTables.end()
            ? given->second
            : makeReplicaTable({slots, placement.ranksBySlot, distance},
                               placement.rankCount());
  }
  return placement;
}

Placement Placement::contiguous(int64_t experts, int64_t ranks) {
  assert(experts >= 1 && ranks >= 1 && "nothing to place");
  PlacementData data;
  data.expertCount = experts;
  // Experts are split as tokens are: the first ranks one more.
  for (const TokenRange &range : splitTokens(experts, ranks)) {
    std::vector<int64_t> &hosted = data.expertsByRank.emplace_back();
    for (int64_t expert = range.begin; expert < range.end; ++expert) {
      hosted.push_back(expert);
    }
  }
  return llvm::cantFail(create(data));
}

Placement Placement::roundRobin(int64_t experts, int64_t ranks) {
  assert(experts >= 1 && ranks >= 1 && "nothing to place");
  PlacementData data;
  data.expertCount = experts;
  data.expertsByRank.resize(ranks);
  for (int64_t expert = 0; expert < experts; ++expert) {
    data.expertsByRank[expert % ranks].push_back(expert);
  }
  return llvm::cantFail(create(data));
}

int64_t Placement::expertsOn(int64_t rank) const {
  int64_t count = 0;
  for (int64_t slot = firstSlots[rank]; slot < firstSlots[rank + 1]; ++slot) {
    count += expertsBySlot[slot] >= 0;
  }
  return count;
}

int64_t Placement::maxExpertsOnRank() const {
  int64_t most = 0;
  for (int64_t rank = 0; rank < rankCount(); ++rank) {
    most = std::max(most, expertsOn(rank));
  }
  return most;
}

int64_t Placement::slotFor(int64_t expert, int64_t sourceRank,
                           int64_t tokenClass) const {
  auto table = replicaTables.find(expert);
  return table == replicaTables.end()
             ? slotsByExpert[expert].front()
             : table->second.slotAt(sourceRank * tokenClasses + tokenClass);
}

bool Placement::isServedByDefault(int64_t expert, Distance distance) const {
  auto table = replicaTables.find(expert);
  if (table == replicaTables.end()) {
    return true;
  }
  DefaultRule rule(slotsByExpert[expert], ranksBySlot, distance);
  llvm::ArrayRef<ReplicaTable::Run> runs = table->second.runs();
  for (int64_t cell = 0; cell < table->second.cells(); ++cell) {
    if (cell % tokenClasses == 0) {
      rule.moveTo(cell / tokenClasses);
    }
    if (runs.size() > 1 && runs[1].begin == cell) {
      runs = runs.drop_front();
    }
    if (runs.front().slot != rule.slotFor(cell % tokenClasses)) {
      return false;
    }
  }
  return true;
}

RankTables Placement::tablesFor(int64_t sourceRank) const {
  RankTables tables;
  int64_t classes = hasReplicas() ? tokenClasses : 1;
  tables.classMask = classes - 1;
  tables.destinationRank.reserve(expertCount() * classes);
  tables.destinationSlot.reserve(expertCount() * classes);
  for (int64_t expert = 0; expert < expertCount(); ++expert) {
    for (int64_t cls = 0; cls < classes; ++cls) {
      int64_t slot = slotFor(expert, sourceRank, cls);
      tables.destinationRank.push_back(rankOfSlot(slot));
      tables.destinationSlot.push_back(localSlotOf(slot));
    }
  }
  tables.hostedExperts.assign(localSlots(), -1);
  for (int64_t local = 0; local < slotsOn(sourceRank); ++local) {
    tables.hostedExperts[local] = expertsBySlot[firstSlots[sourceRank] + local];
  }
  return tables;
}

std::vector<double>
Placement::rankLoads(llvm::ArrayRef<double> expertLoads) const {
  assert(static_cast<int64_t>(expertLoads.size()) == expertCount() &&
         "one load an expert");
  std::vector<double> loads(rankCount());
  for (int64_t expert = 0; expert < expertCount(); ++expert) {
    auto table = replicaTables.find(expert);
    if (table == replicaTables.end()) {
      loads[rankOfSlot(slotsByExpert[expert].front())] += expertLoads[expert];
      continue;
    }
    const ReplicaTable &runs = table->second;
    double perCell = expertLoads[expert] / runs.cells();
    for (size_t index = 0; index < runs.runs().size(); ++index) {
      loads[rankOfSlot(runs.runs()[index].slot)] +=
          perCell * runs.lengthOf(index);
    }
  }
  return loads;
}

PlacementData Placement::data() const {
  PlacementData result;
  result.expertCount = expertCount();
  for (int64_t rank = 0; rank < rankCount(); ++rank) {
    result.expertsByRank.emplace_back(expertsBySlot.begin() + firstSlots[rank],
                                      expertsBySlot.begin() +
                                          firstSlots[rank + 1]);
  }
  result.replicaTables = replicaTables;
  return result;
}
