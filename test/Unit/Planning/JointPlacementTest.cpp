//===- JointPlacementTest.cpp - The joint solver against its oracle -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacementProblems.h"
#include "moe/Planning/LoadProfile.h"
#include <numeric>

using namespace moe::planning;
using namespace moe::planning::test;

/// What holds for every placement of ours.
static void expectSound(const PlacementProblem &problem,
                        const PlacementResult &result) {
  ASSERT_EQ(message(verify(result.data, problem.experts(), problem.ranks())),
            "");
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    EXPECT_EQ(static_cast<int64_t>(result.data.expertsByRank[rank].size()),
              problem.slotsByRank[rank]);
  }
  // Nothing is lost, and the figures are those of the tables.
  Placement placement =
      llvm::cantFail(executablePlacement(problem, result.data));
  double sum = 0, most = 0;
  for (double load : placement.rankLoads(problem.loads)) {
    sum += load;
    most = std::max(most, load);
  }
  double all = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  EXPECT_NEAR(sum, all, 1e-9 * all);
  // Shares that are equal may have to be rounded.
  bool isRounded = placement.hasReplicas() && result.data.replicaTables.empty();
  EXPECT_NEAR(result.value, most,
              isRounded ? all / (problem.ranks() * tokenClasses) : 1e-9 * most);
  EXPECT_LE(result.bound.value, result.unroundedValue * (1 + 1e-9))
      << result.bound.argument;
  EXPECT_FALSE(result.bound.argument.empty());
}

TEST(JointPlacement, EqualsTheExhaustiveSolverOnSmallProblems) {
  std::mt19937 random(7);
  int64_t problems = 0, equal = 0, proven = 0;
  while (problems < 1500) {
    std::optional<PlacementProblem> problem = smallProblem(random);
    if (!problem) {
      continue;
    }
    ++problems;
    PlacementResult joint = placed(PlacementPolicy::Joint, *problem);
    PlacementResult best = placed(PlacementPolicy::Exhaustive, *problem);
    expectSound(*problem, joint);
    expectSound(*problem, best);
    EXPECT_GE(joint.unroundedValue, best.unroundedValue * (1 - 1e-9));
    // Rounding to cells may differ, by a cell of each expert on a rank.
    double cell =
        *std::max_element(problem->loads.begin(), problem->loads.end()) /
        (problem->ranks() * tokenClasses);
    EXPECT_LE(joint.value, best.value + 4 * cell);
    equal += joint.value <= best.value * (1 + 1e-9);
    proven += joint.unroundedValue <= joint.bound.value * (1 + 1e-6);
  }
  EXPECT_GT(equal, problems * 95 / 100);
  // The certificate closes nearly all of them.
  EXPECT_GT(proven, problems * 9 / 10);
}

TEST(JointPlacement, IsNeverWorseThanTheOthers) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    int64_t ranks = 1 + random() % 12;
    int64_t experts = 1 + random() % 40;
    int64_t each = (experts + ranks - 1) / ranks + random() % 3;
    PlacementProblem problem =
        problemOf(zipfLoads(experts, random), each * ranks, ranks);
    PlacementResult joint = placed(PlacementPolicy::Joint, problem);
    expectSound(problem, joint);
    for (PlacementPolicy policy :
         {PlacementPolicy::Contiguous, PlacementPolicy::RoundRobin,
          PlacementPolicy::Eplb}) {
      double value = placed(policy, problem).value;
      EXPECT_LE(joint.unroundedValue, value * (1 + 1e-12))
          << toString(policy).str();
      // EPLB's thirds are no whole numbers of cells.
      EXPECT_LE(joint.value, value * (1 + 1.0 / (ranks * tokenClasses)))
          << toString(policy).str();
    }
  }
}

TEST(JointPlacement, TakesUnevenSlots) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    PlacementProblem problem = problemOf(zipfLoads(20, random), 0, 6);
    problem.slotsByRank.clear();
    for (int rank = 0; rank < 6; ++rank) {
      problem.slotsByRank.push_back(random() % 9);
    }
    if (problem.slots() < 20) {
      continue;
    }
    PlacementResult joint = placed(PlacementPolicy::Joint, problem);
    expectSound(problem, joint);
    EXPECT_LE(joint.value, placed(PlacementPolicy::Contiguous, problem).value);
  }
}

TEST(JointPlacement, IsDeterministic) {
  std::mt19937 random(9);
  PlacementProblem problem = problemOf(zipfLoads(60, random), 80, 10);
  PlacementResult first = placed(PlacementPolicy::Joint, problem);
  PlacementResult second = placed(PlacementPolicy::Joint, problem);
  EXPECT_EQ(first.data.expertsByRank, second.data.expertsByRank);
  EXPECT_TRUE(first.data.replicaTables == second.data.replicaTables);
}

TEST(JointPlacement, UsesUnequalShares) {
  // Three ranks of two slots: equal shares leave 2.5 + 1 on a rank.
  PlacementProblem problem = problemOf({5, 1, 1, 2}, 6, 3);
  PlacementResult joint = placed(PlacementPolicy::Joint, problem);
  EXPECT_NEAR(joint.unroundedValue, 3, 1e-12);
  EXPECT_LE(joint.value, 3 + 5.0 / 192);
  EXPECT_GT(placed(PlacementPolicy::Eplb, problem).value, 3.3);
}

TEST(JointPlacement, PlacesEP144WithinItsBound) {
  // DeepSeek-V3's decode unit: 256 experts in 288 slots on 144 ranks.
  std::mt19937 random(1);
  for (int layer = 0; layer < 4; ++layer) {
    PlacementProblem problem = problemOf(zipfLoads(256, random), 288, 144);
    problem.nodes = 18;
    problem.expertGroups = 8;
    PlacementResult joint = placed(PlacementPolicy::Joint, problem);
    PlacementResult eplb = placed(PlacementPolicy::Eplb, problem);
    expectSound(problem, joint);
    EXPECT_NEAR(eplb.loads.maxOverMean(), 1.636, 0.001);
    EXPECT_LT(joint.loads.maxOverMean(), 1.625);
    EXPECT_LT(joint.gap(), 0.001);
    EXPECT_EQ(joint.bound.argument.substr(0, 8), "rounding");
  }
}

TEST(JointPlacement, SpendsSpareSlotsOnEvenLoads) {
  // Nearly equal loads: pairs of ranks share three heavy experts, the others
  // hold two light ones.
  PlacementProblem problem = problemOf({}, 288, 144);
  for (int64_t expert = 0; expert < 256; ++expert) {
    problem.loads.push_back(1 + 0.002 * static_cast<double>(expert * 37 % 256));
  }
  PlacementResult joint = placed(PlacementPolicy::Joint, problem);
  expectSound(problem, joint);
  EXPECT_LT(joint.gap(), 1e-6) << joint.bound.argument;
}

TEST(JointPlacement, StaysWithinOnePerCentOfTheBoundOnMeasuredLoads) {
  double gaps = 0;
  int64_t problems = 0;
  for (const char *file : {"mixtral-8x7b.csv", "olmoe-1b-7b.csv"}) {
    for (const char *domain : {"arxiv", "book", "github"}) {
      LoadProfile profile = llvm::cantFail(LoadProfile::open(
          std::string(MOE_SOURCE_DIR "/test/Inputs/Loads/") + file,
          {"", domain}));
      for (int64_t layer : profile.layers()) {
        for (int64_t ranks : {4, 8}) {
          int64_t experts = profile.expertCount();
          PlacementProblem problem = problemOf(
              llvm::cantFail(profile.loadsOf(layer, experts, ranks)).loads,
              experts + ranks, ranks);
          PlacementResult joint = placed(PlacementPolicy::Joint, problem);
          expectSound(problem, joint);
          EXPECT_LE(joint.value, placed(PlacementPolicy::Eplb, problem).value);
          gaps += joint.gap();
          ++problems;
        }
      }
    }
  }
  EXPECT_EQ(problems, 36);
  EXPECT_LT(gaps / problems, 0.002);
}

TEST(JointPlacement, ReplicasServeTheirOwnRankAndNodeFirst) {
  // Two nodes of two ranks; one expert for all of them, others light.
  PlacementProblem problem = problemOf({8, 1, 1, 1, 1}, 8, 4);
  problem.nodes = 2;
  PlacementResult joint = placed(PlacementPolicy::Joint, problem);
  expectSound(problem, joint);
  Placement placement = llvm::cantFail(Placement::create(joint.data));
  ASSERT_EQ(placement.slotsOf(0).size(), 4u);
  for (int64_t rank = 0; rank < 4; ++rank) {
    for (int64_t cls = 0; cls < tokenClasses; ++cls) {
      EXPECT_EQ(placement.rankOfSlot(placement.slotFor(0, rank, cls)), rank);
    }
  }
}

TEST(JointPlacement, CountsTheCellsOfSourcesThatDiffer) {
  // All tokens of expert 0 are on rank 1, those of expert 1 on rank 0.
  PlacementProblem problem = problemOf({12, 4, 4, 4}, 6, 3);
  problem.loadsBySource = {{0, 4, 1, 1}, {12, 0, 1, 2}, {0, 0, 2, 1}};
  PlacementResult joint = placed(PlacementPolicy::Joint, problem);
  EXPECT_NEAR(joint.unroundedValue, 8, 1e-9);
  EXPECT_NEAR(joint.value, 8, 0.4);
  double sum = 0;
  for (double load : joint.loads.byRank) {
    sum += load;
  }
  EXPECT_NEAR(sum, 24, 1e-9);
}

TEST(ExhaustivePlacement, RefusesWhatIsTooLarge) {
  EXPECT_EQ(message(place(PlacementPolicy::Exhaustive,
                          problemOf(std::vector<double>(17, 1), 17, 1))),
            "exhaustive: expected at most 16 experts and 5000000 placements, "
            "but got 17 experts in 17 slots on 1 ranks");
}
