//===- TimePlacements.h - Problems with links for tests ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_PLANNING_TIMEPLACEMENTS_H
#define MOE_TEST_UNIT_PLANNING_TIMEPLACEMENTS_H

#include "GraphBuilder.h"
#include "PlacementProblems.h"

namespace moe::planning::test {

/// Four ranks on one of several kinds of links: no NVLink, pairs with bridges,
/// two nodes of two with a NIC for each GPU or one for both, a ring, a switch.
inline Topology smallTopology(int64_t kind) {
  GigabytesPerSecond slow(25), fast(200);
  Microseconds near(2), far(5);
  switch (kind) {
  case 0:
    return llvm::cantFail(Topology::ofNodes(fourGpus({}).build(), {}));
  case 1:
    return llvm::cantFail(
        Topology::ofNodes(fourGpus({{0, 1}, {2, 3}}).build(), {}));
  case 2:
    return llvm::cantFail(
        Topology::ofNodes(fourGpus({{0, 1}, {1, 2}}).build(), {}));
  case 3:
    return llvm::cantFail(
        Topology::create({{"ib", 2, slow, far}, {"nvlink", 2, fast, near}}));
  case 4:
    return llvm::cantFail(
        Topology::create({{"ib", 2, slow, far, 2}, {"nvlink", 2, fast, near}}));
  case 5:
    return llvm::cantFail(
        Topology::create({{"ring", 4, slow, near, 1, TierShape::Ring}}));
  default:
    return Topology::uniform(4, "nvlink", fast, near);
  }
}
inline constexpr int64_t smallTopologies = 7;

/// Sources that differ, keeping the sum of the loads of each expert.
inline void drawSources(PlacementProblem &problem, std::mt19937 &random) {
  problem.loadsBySource.assign(problem.ranks(),
                               std::vector<double>(problem.experts()));
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    double sum = 0;
    for (std::vector<double> &source : problem.loadsBySource) {
      source[expert] = random() % 4 ? random() % 10 : 30;
      sum += source[expert];
    }
    for (std::vector<double> &source : problem.loadsBySource) {
      source[expert] = sum > 0
                           ? source[expert] * problem.loads[expert] / sum
                           : problem.loads[expert] / double(problem.ranks());
    }
  }
}

/// 2 to 5 experts on four ranks with links, few enough for the oracle; nothing
/// when the slots that were drawn are too few.
inline std::optional<PlacementProblem> smallTimedProblem(std::mt19937 &random) {
  PlacementProblem problem;
  int64_t experts = 2 + random() % 4;
  for (int64_t expert = 0; expert < experts; ++expert) {
    problem.loads.push_back(1 + random() % (random() % 3 ? 10 : 100));
  }
  double placements = 1;
  for (int64_t rank = 0; rank < 4; ++rank) {
    int64_t slots = random() % 3;
    problem.slotsByRank.push_back(slots);
    placements *= slots == 0   ? 1
                  : slots == 1 ? experts + 1
                               : 1 + experts + experts * (experts - 1) / 2;
  }
  constexpr double mostPlacements = 3000;
  if (problem.slots() < experts || placements > mostPlacements) {
    return std::nullopt;
  }
  if (random() % 2) {
    drawSources(problem, random);
  }
  int64_t tokens = 256 * (1 + random() % 32);
  deploy(problem, smallTopology(random() % smallTopologies), tokens);
  return problem;
}

} // namespace moe::planning::test

#endif // MOE_TEST_UNIT_PLANNING_TIMEPLACEMENTS_H
