//===- PlacementPolicyTest.cpp - EPLB and the simple policies -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacementProblems.h"
#include "moe/Planning/LoadProfile.h"

using namespace moe::planning;
using namespace moe::planning::test;

static std::vector<int64_t> expertsOf(const PlacementResult &result) {
  std::vector<int64_t> experts;
  for (const std::vector<int64_t> &hosted : result.data.expertsByRank) {
    experts.insert(experts.end(), hosted.begin(), hosted.end());
  }
  return experts;
}

/// EPLB's published example: 12 experts in 4 groups, 16 slots, 2 nodes, 8 GPUs.
static PlacementProblem eplbExample(int64_t layer) {
  LoadProfile profile = llvm::cantFail(
      LoadProfile::open(MOE_SOURCE_DIR "/test/Inputs/Loads/eplb-example.json"));
  PlacementProblem problem =
      problemOf(llvm::cantFail(profile.loadsOf(layer, 12, 8)).loads, 16, 8);
  problem.nodes = 2;
  problem.expertGroups = 4;
  return problem;
}

TEST(Eplb, GivesThePublishedTable) {
  EXPECT_EQ(expertsOf(placed(PlacementPolicy::Eplb, eplbExample(0))),
            (std::vector<int64_t>{5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1,
                                  11, 1}));
  PlacementResult second = placed(PlacementPolicy::Eplb, eplbExample(1));
  EXPECT_EQ(expertsOf(second), (std::vector<int64_t>{7, 10, 6, 8, 6, 11, 8, 9,
                                                     2, 4, 5, 1, 5, 0, 3, 1}));
  PlacementResult first = placed(PlacementPolicy::Eplb, eplbExample(0));
  EXPECT_EQ(first.loads.byRank, (std::vector<double>{121.5, 86.5, 125, 113,
                                                     147.5, 131.5, 156, 152}));
  EXPECT_EQ(first.value, 156);
  EXPECT_TRUE(first.notes.empty());
}

TEST(Eplb, SaysThatItFallsBack) {
  PlacementProblem problem = eplbExample(0);
  problem.expertGroups = 3;
  PlacementResult result = placed(PlacementPolicy::Eplb, problem);
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_EQ(result.notes[0],
            "eplb: 3 groups of experts do not divide over 2 nodes, so the "
            "global policy is used instead of the hierarchical one");
  // The global policy is the hierarchical one of one node.
  problem.nodes = problem.expertGroups = 1;
  EXPECT_EQ(expertsOf(placed(PlacementPolicy::Eplb, problem)),
            expertsOf(result));
}

// deepseek-ai/EPLB#22: replicas of one expert on one GPU.
TEST(Eplb, WastesReplicasWhereJointDoesNot) {
  PlacementProblem problem = problemOf(std::vector<double>(8, 1), 16, 8);
  problem.nodes = 2;
  problem.expertGroups = 4;
  PlacementResult eplb = placed(PlacementPolicy::Eplb, problem);
  int64_t wasted = 0;
  for (const std::vector<int64_t> &hosted : eplb.data.expertsByRank) {
    wasted += hosted[0] == hosted[1];
  }
  EXPECT_EQ(wasted, 8);
  PlacementResult joint = placed(PlacementPolicy::Joint, problem);
  EXPECT_EQ(message(verify(joint.data, 8, 8)), "");
  EXPECT_EQ(joint.value, 1);
  // The global policy wastes on the published input itself.
  PlacementProblem published = eplbExample(0);
  published.nodes = published.expertGroups = 1;
  PlacementData data = placed(PlacementPolicy::Eplb, published).data;
  EXPECT_FALSE(mergeDuplicates(data).empty());
}

// deepseek-ai/EPLB#8: with equal weights an unstable sort changes the answer.
TEST(Eplb, BreaksTiesByTheLowerIndex) {
  PlacementResult result =
      placed(PlacementPolicy::Eplb, problemOf({2, 2, 2, 2, 1, 1, 1, 1}, 8, 4));
  EXPECT_EQ(expertsOf(result), (std::vector<int64_t>{0, 4, 1, 5, 2, 6, 3, 7}));
}

TEST(Eplb, WantsEqualSlots) {
  EXPECT_EQ(message(place(PlacementPolicy::Eplb, problemOf({1, 2, 3}, 5, 2))),
            "eplb: expected as many slots on each rank, but got 5 slots over 2 "
            "ranks unevenly");
}

TEST(SimplePolicies, PlaceEachExpertOnce) {
  PlacementProblem problem = problemOf(std::vector<double>(10, 1), 16, 4);
  EXPECT_EQ(expertsOf(placed(PlacementPolicy::Contiguous, problem)),
            (std::vector<int64_t>{0, 1, 2, -1, 3, 4, 5, -1, 6, 7, -1, -1, 8, 9,
                                  -1, -1}));
  EXPECT_EQ(expertsOf(placed(PlacementPolicy::RoundRobin, problem)),
            (std::vector<int64_t>{0, 4, 8, -1, 1, 5, 9, -1, 2, 6, -1, -1, 3, 7,
                                  -1, -1}));
  // As even as slots allow.
  problem.slotsByRank = {1, 0, 6, 3};
  EXPECT_EQ(placed(PlacementPolicy::Contiguous, problem).data.expertsByRank,
            (std::vector<std::vector<int64_t>>{
                {0}, {}, {1, 2, 3, 4, 5, 6}, {7, 8, 9}}));
  EXPECT_EQ(placed(PlacementPolicy::RoundRobin, problem).data.expertsByRank,
            (std::vector<std::vector<int64_t>>{
                {0}, {}, {1, 3, 5, 7, 8, 9}, {2, 4, 6}}));
  problem = problemOf(std::vector<double>(7, 1), 9, 3);
  EXPECT_EQ(placed(PlacementPolicy::Contiguous, problem).value, 3);
}

TEST(PlacementProblem, IsRefusedWhenNoPlacementSolvesIt) {
  auto error = [](const PlacementProblem &problem) {
    return message(place(PlacementPolicy::Joint, problem));
  };
  EXPECT_EQ(error(problemOf({1, 2, 3}, 2, 2)),
            "expected at least 3 slots for 3 experts, but got 2");
  EXPECT_EQ(error(problemOf({}, 2, 2)),
            "expected 1 to 1048576 experts, but got 0");
  EXPECT_EQ(error(problemOf({1, -1}, 2, 2)), "expert 1: expected a finite load "
                                             "of at least 0, but got -1.00");
  EXPECT_EQ(error(problemOf({0, 0}, 2, 2)),
            "expected a finite sum of loads above 0, but got 0.00");
  PlacementProblem problem = problemOf({1, 2}, 4, 4);
  problem.nodes = 3;
  EXPECT_EQ(error(problem), "expected a number of nodes that divides the 4 "
                            "ranks, but got 3");
  problem.nodes = 1;
  problem.expertGroups = 4;
  EXPECT_EQ(error(problem), "expected a number of groups that divides the 2 "
                            "experts, but got 4");
  problem.expertGroups = 1;
  problem.loadsBySource = {{1, 2}};
  EXPECT_EQ(error(problem), "expected loads of 4 source ranks, but got 1");
  problem.loadsBySource.assign(4, {1});
  EXPECT_EQ(error(problem), "expected loads of 2 experts from each source "
                            "rank, but got 1");
  // Two slots of a rank cannot hold one expert twice.
  problem = problemOf({1, 2, 3}, 0, 2);
  problem.slotsByRank = {5, 0};
  EXPECT_EQ(error(problem), "");
  problem.slotsByRank = {-1, 8};
  EXPECT_EQ(error(problem), "rank 0: expected 0 to 1048576 slots, but got -1");
  problem.slotsByRank = {};
  EXPECT_EQ(error(problem), "expected 1 to 1048576 ranks, but got 0");
}
