//===- PlacementProblems.h - Problems for tests of solvers ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_PLANNING_PLACEMENTPROBLEMS_H
#define MOE_TEST_UNIT_PLANNING_PLACEMENTPROBLEMS_H

#include "TestSupport.h"
#include "moe/Planning/PlacementSolver.h"
#include <cmath>
#include <memory>
#include <random>

namespace moe::planning::test {

inline PlacementProblem problemOf(std::vector<double> loads, int64_t slots,
                                  int64_t ranks) {
  PlacementProblem problem;
  problem.loads = std::move(loads);
  problem.slotsByRank = PlacementProblem::spreadSlots(slots, ranks);
  return problem;
}

inline PlacementResult placed(PlacementPolicy policy,
                              const PlacementProblem &problem,
                              Objective objective = Objective::Load) {
  return llvm::cantFail(place(policy, problem, objective));
}

/// Rows of 4096 bytes out and 2 bytes more back to experts of 24 MB, two for
/// each of `tokens` tokens on all devices of the topology.
inline void deploy(PlacementProblem &problem, Topology topology,
                   int64_t tokens) {
  Deployment deployment = Deployment::ofAllDevices(
      std::make_shared<Topology>(std::move(topology)), tokens);
  deployment.choices = 2;
  deployment.dispatchRowBytes = 4096;
  deployment.combineRowBytes = 4098;
  deployment.work = {Flops(24e6), Bytes(24e6), Bytes(8192)};
  problem.deployment = std::make_shared<Deployment>(std::move(deployment));
}

/// Loads that fall as rank^-0.8, shuffled.
inline std::vector<double> zipfLoads(int64_t experts, std::mt19937 &random) {
  std::vector<double> loads;
  for (int64_t expert = 0; expert < experts; ++expert) {
    loads.push_back(std::pow(expert + 1, -0.8));
  }
  std::shuffle(loads.begin(), loads.end(), random);
  return loads;
}

/// 2 to 6 experts on 1 to 4 ranks of equal or unequal slots, with loads of many
/// kinds. Nothing when the slots that were drawn are too few.
inline std::optional<PlacementProblem> smallProblem(std::mt19937 &random) {
  PlacementProblem problem;
  auto draw = [&](int64_t below) { return int64_t(random() % below); };
  int64_t experts = 2 + draw(5), ranks = 1 + draw(4), kind = draw(4);
  bool isEven = draw(2), slots = 1 + draw(3);
  for (int64_t expert = 0; expert < experts; ++expert) {
    double load = kind == 0   ? draw(10)
                  : kind == 1 ? 1 + draw(1000)
                  : kind == 2 ? std::exp(draw(1000) / 200.0)
                              : 1.0 / (expert + 1);
    problem.loads.push_back(draw(12) == 0 ? 0 : load);
  }
  problem.loads[0] += 1;
  int64_t usable = 0;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    problem.slotsByRank.push_back(isEven ? slots : draw(4));
    usable += std::min(problem.slotsByRank.back(), experts);
  }
  if (usable < experts) {
    return std::nullopt;
  }
  return problem;
}

} // namespace moe::planning::test

#endif // MOE_TEST_UNIT_PLANNING_PLACEMENTPROBLEMS_H
