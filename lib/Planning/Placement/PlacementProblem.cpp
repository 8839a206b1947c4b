//===- PlacementProblem.cpp - What a placement has to serve ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PlacementProblem.h"
#include "moe/Planning/Topology.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <numeric>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

llvm::StringRef moe::planning::toString(Objective objective) {
  switch (objective) {
  case Objective::Load:
    return "load";
  case Objective::Time:
    return "time";
  }
  llvm_unreachable("unknown objective");
}

int64_t PlacementProblem::slots() const {
  return std::accumulate(slotsByRank.begin(), slotsByRank.end(), int64_t(0));
}

double PlacementProblem::loadOfCell(int64_t expert, int64_t cell) const {
  return loadsBySource.empty()
             ? loads[expert] / (ranks() * tokenClasses)
             : loadsBySource[cell / tokenClasses][expert] / tokenClasses;
}

std::vector<int64_t> PlacementProblem::spreadSlots(int64_t slots,
                                                   int64_t ranks) {
  std::vector<int64_t> result(ranks, slots / ranks);
  for (int64_t rank = 0; rank < slots % ranks; ++rank) {
    ++result[rank];
  }
  return result;
}

/// The loads and, where they are known, the sources.
static llvm::Error verifyLoads(const PlacementProblem &problem) {
  for (auto [expert, load] : llvm::enumerate(problem.loads)) {
    if (!std::isfinite(load) || load < 0) {
      return createStringError(
          formatv("expert {0}: expected a finite load of at least 0, but got "
                  "{1}",
                  expert, load)
              .str());
    }
  }
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  if (!(sum > 0) || !std::isfinite(sum)) {
    return createStringError(
        formatv("expected a finite sum of loads above 0, but got {0}", sum)
            .str());
  }
  size_t sources = problem.loadsBySource.size();
  if (sources != 0 && static_cast<int64_t>(sources) != problem.ranks()) {
    return createStringError(
        formatv("expected loads of {0} source ranks, but got {1}",
                problem.ranks(), sources)
            .str());
  }
  for (const std::vector<double> &source : problem.loadsBySource) {
    if (source.size() != problem.loads.size()) {
      return createStringError(
          formatv("expected loads of {0} experts from each source rank, but "
                  "got {1}",
                  problem.loads.size(), source.size())
              .str());
    }
  }
  return llvm::Error::success();
}

llvm::Error moe::planning::verify(const PlacementProblem &problem) {
  if (problem.experts() < 1 || problem.experts() > Placement::maxExperts) {
    return createStringError(formatv("expected 1 to {0} experts, but got {1}",
                                     Placement::maxExperts, problem.experts())
                                 .str());
  }
  if (problem.ranks() < 1 || problem.ranks() > Topology::maxDevices) {
    return createStringError(formatv("expected 1 to {0} ranks, but got {1}",
                                     Topology::maxDevices, problem.ranks())
                                 .str());
  }
  for (auto [rank, slots] : llvm::enumerate(problem.slotsByRank)) {
    if (slots < 0 || slots > Placement::maxExperts) {
      return createStringError(
          formatv("rank {0}: expected 0 to {1} slots, but got {2}", rank,
                  Placement::maxExperts, slots)
              .str());
    }
  }
  if (problem.slots() < problem.experts()) {
    return createStringError(
        formatv("expected at least {0} slots for {0} experts, but got {1}",
                problem.experts(), problem.slots())
            .str());
  }
  if (problem.nodes < 1 || problem.ranks() % problem.nodes != 0) {
    return createStringError(
        formatv("expected a number of nodes that divides the {0} ranks, but "
                "got {1}",
                problem.ranks(), problem.nodes)
            .str());
  }
  if (problem.expertGroups < 1 ||
      problem.experts() % problem.expertGroups != 0) {
    return createStringError(
        formatv("expected a number of groups that divides the {0} experts, "
                "but got {1}",
                problem.experts(), problem.expertGroups)
            .str());
  }
  if (problem.deployment) {
    if (llvm::Error error = verify(*problem.deployment, problem.ranks())) {
      return error;
    }
  }
  return verifyLoads(problem);
}

/// Adds what the slots of one expert serve.
static void addShares(const PlacementProblem &problem, int64_t expert,
                      const ReplicaTable &table,
                      std::vector<double> &loadOfSlot) {
  if (problem.loadsBySource.empty()) {
    double perCell = problem.loadOfCell(expert, 0);
    for (size_t index = 0; index < table.runs().size(); ++index) {
      loadOfSlot[table.runs()[index].slot] += perCell * table.lengthOf(index);
    }
    return;
  }
  for (size_t index = 0; index < table.runs().size(); ++index) {
    const ReplicaTable::Run &run = table.runs()[index];
    for (int64_t cell = run.begin; cell < run.begin + table.lengthOf(index);
         ++cell) {
      loadOfSlot[run.slot] += problem.loadOfCell(expert, cell);
    }
  }
}

ServedLoads moe::planning::servedLoads(const PlacementProblem &problem,
                                       const PlacementData &data) {
  std::vector<int64_t> expertOfSlot;
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    llvm::append_range(expertOfSlot, experts);
  }
  std::vector<int64_t> replicas(data.expertCount);
  for (int64_t expert : expertOfSlot) {
    if (expert >= 0) {
      ++replicas[expert];
    }
  }
  std::vector<double> loadOfSlot(expertOfSlot.size());
  for (auto [slot, expert] : llvm::enumerate(expertOfSlot)) {
    if (expert >= 0 && !data.replicaTables.count(expert)) {
      loadOfSlot[slot] = problem.loads[expert] / replicas[expert];
    }
  }
  for (const auto &[expert, table] : data.replicaTables) {
    addShares(problem, expert, table, loadOfSlot);
  }
  ServedLoads result;
  int64_t slot = 0;
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    double &load = result.byRank.emplace_back(0);
    for (size_t local = 0; local < experts.size(); ++local, ++slot) {
      load += loadOfSlot[slot];
      double all =
          expertOfSlot[slot] < 0 ? 0 : problem.loads[expertOfSlot[slot]];
      result.shareOfSlot.push_back(all > 0 ? loadOfSlot[slot] / all : 0);
    }
    result.max = std::max(result.max, load);
  }
  result.mean =
      std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0) /
      problem.ranks();
  return result;
}
