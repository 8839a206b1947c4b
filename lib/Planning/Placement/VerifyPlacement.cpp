//===- VerifyPlacement.cpp - What a placement must fulfil -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Placement.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// Each listed expert in range and at most once on a rank, none lost.
static llvm::Error verifySlots(const PlacementData &data) {
  std::vector<int64_t> lastRank(data.expertCount, -1);
  for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
    for (auto [slot, expert] : llvm::enumerate(experts)) {
      if (expert == -1) {
        continue;
      }
      if (expert < 0 || expert >= data.expertCount) {
        return createStringError(
            formatv("rank {0}, local slot {1}: expected an expert from 0 to "
                    "{2}, or -1, but got {3}",
                    rank, slot, data.expertCount - 1, expert)
                .str());
      }
      if (lastRank[expert] == static_cast<int64_t>(rank)) {
        return createStringError(
            formatv("expert {0} is placed twice on rank {1}", expert, rank)
                .str());
      }
      lastRank[expert] = rank;
    }
  }
  for (auto [expert, rank] : llvm::enumerate(lastRank)) {
    if (rank < 0) {
      return createStringError(formatv("expert {0} is on none of the {1} ranks",
                                       expert, data.expertsByRank.size())
                                   .str());
    }
  }
  return llvm::Error::success();
}

/// One expert's replica table against the slots.
static llvm::Error verifyTable(const PlacementData &data, int64_t expert,
                               const ReplicaTable &table,
                               llvm::ArrayRef<int64_t> expertsBySlot) {
  if (expert < 0 || expert >= data.expertCount) {
    return createStringError(
        formatv("replica table: expected an expert from 0 to {0}, but got {1}",
                data.expertCount - 1, expert)
            .str());
  }
  int64_t ranks = data.rankCount();
  if (table.cells() != ranks * tokenClasses) {
    return createStringError(
        formatv("replica table of expert {0}: expected {1} entries ({2} ranks "
                "x {3} token classes), but got {4}",
                expert, ranks * tokenClasses, ranks, tokenClasses,
                table.cells())
            .str());
  }
  int64_t slots = expertsBySlot.size();
  for (const ReplicaTable::Run &run : table.runs()) {
    int64_t found =
        run.slot < 0 || run.slot >= slots ? -1 : expertsBySlot[run.slot];
    if (found != expert) {
      return createStringError(
          formatv("replica table of expert {0}, source rank {1}, token class "
                  "{2}: expected a slot that holds the expert, but got {3}",
                  expert, run.begin / tokenClasses, run.begin % tokenClasses,
                  run.slot)
              .str());
    }
  }
  return llvm::Error::success();
}

static bool hasDuplicates(llvm::ArrayRef<int64_t> experts) {
  llvm::SmallVector<int64_t, 16> sorted(experts);
  llvm::sort(sorted);
  for (size_t index = 1; index < sorted.size(); ++index) {
    if (sorted[index] >= 0 && sorted[index] == sorted[index - 1]) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> moe::planning::mergeDuplicates(PlacementData &data) {
  std::vector<std::string> found;
  // Most placements have none.
  if (llvm::none_of(data.expertsByRank, hasDuplicates)) {
    return found;
  }
  // For each slot the one that serves in its place.
  std::vector<int64_t> replacement;
  for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
    std::map<int64_t, int64_t> firstSlots;
    std::map<int64_t, int64_t> counts;
    for (int64_t &expert : experts) {
      int64_t slot = replacement.size();
      auto [first, isNew] = firstSlots.insert({expert, slot});
      replacement.push_back(expert < 0 ? slot : first->second);
      if (expert >= 0 && ++counts[expert] > 1) {
        expert = -1;
      }
    }
    for (auto [expert, count] : counts) {
      if (count > 1) {
        found.push_back(
            formatv("expert {0} is {1} times on rank {2}", expert, count, rank)
                .str());
      }
    }
  }
  if (found.empty()) {
    return found;
  }
  for (auto &[expert, table] : data.replicaTables) {
    std::vector<ReplicaTable::Run> runs = table.runs().vec();
    for (ReplicaTable::Run &run : runs) {
      // What is out of range is verify's to say.
      if (run.slot >= 0 &&
          run.slot < static_cast<int64_t>(replacement.size())) {
        run.slot = replacement[run.slot];
      }
    }
    table = ReplicaTable(table.cells(), runs);
  }
  return found;
}

llvm::Error moe::planning::verify(const PlacementData &data) {
  if (data.expertCount < 1 || data.expertCount > Placement::maxExperts) {
    return createStringError(
        formatv("expected a placement of 1 to {0} experts, but got {1}",
                Placement::maxExperts, data.expertCount)
            .str());
  }
  if (data.expertsByRank.empty()) {
    return createStringError("expected a placement over at least 1 rank, but "
                             "got 0");
  }
  if (llvm::Error error = verifySlots(data)) {
    return error;
  }
  std::vector<int64_t> expertsBySlot;
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    llvm::append_range(expertsBySlot, experts);
  }
  for (const auto &[expert, table] : data.replicaTables) {
    if (llvm::Error error = verifyTable(data, expert, table, expertsBySlot)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error moe::planning::verify(const PlacementData &data, int64_t experts,
                                  int64_t ranks) {
  if (data.expertCount != experts) {
    return createStringError(
        formatv("expected a placement of {0} experts, but got {1}", experts,
                data.expertCount)
            .str());
  }
  if (static_cast<int64_t>(data.expertsByRank.size()) != ranks) {
    return createStringError(
        formatv("expected a placement over {0} ranks, but got {1}", ranks,
                data.expertsByRank.size())
            .str());
  }
  return verify(data);
}
