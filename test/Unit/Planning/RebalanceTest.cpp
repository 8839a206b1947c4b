//===- RebalanceTest.cpp - Placements within a budget of moves ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Rebalance.h"
#include "PlacementProblems.h"

using namespace moe::planning;
using namespace moe::planning::test;

TEST(MigrationPlan, TakesTheNearestCopy) {
  // Expert 0 is on ranks 0 and 5; rank 6 is on the node of rank 5.
  PlacementProblem problem = problemOf({4, 1, 1, 1, 1, 1, 1}, 16, 8);
  problem.nodes = 2;
  PlacementData previous = {7, {{0}, {1}, {2}, {3}, {4}, {0}, {5}, {6}}, {}};
  PlacementData next = {7, {{0}, {1}, {2, 4}, {3}, {-1}, {0}, {5, 0}, {6}}, {}};
  MigrationPlan plan =
      llvm::cantFail(planMigration(problem, previous, next, Bytes(100)));
  ASSERT_EQ(plan.moves.size(), 2u);
  EXPECT_EQ(plan.bytes.value(), 200);
  EXPECT_FALSE(plan.time);
  EXPECT_EQ(plan.moves[0].expert, 4);
  EXPECT_EQ(plan.moves[0].sourceRank, 4);
  EXPECT_EQ(plan.moves[0].targetSlot, 3);
  EXPECT_EQ(plan.moves[1].sourceRank, 5);
  EXPECT_EQ(plan.moves[1].sourceSlot, 5);
  EXPECT_EQ(plan.moves[1].targetRank, 6);

  deploy(problem, twoNodes(), 100);
  plan = llvm::cantFail(planMigration(problem, previous, next, Bytes(1e6)));
  EXPECT_EQ(plan.moves[0].tier, 0u);
  EXPECT_EQ(plan.moves[1].tier, 1u);
  EXPECT_EQ(plan.bytesByTier[0].value(), 1e6);
  // 5 us and 1 MB over 50 GB/s.
  EXPECT_NEAR(plan.time->value(), 25, 1e-9);
}

TEST(MigrationBudget, TakesTheTighterLimit) {
  MigrationBudget budget;
  EXPECT_GT(budget.mostMoves(), int64_t(1) << 60);
  budget = {5, Bytes(350), Bytes(100)};
  EXPECT_EQ(budget.mostMoves(), 3);
  budget = {2, Bytes(350), Bytes(100)};
  EXPECT_EQ(budget.mostMoves(), 2);
}

/// A placement for loads that have changed since.
static PlacementData placedFor(PlacementProblem problem, std::mt19937 &random,
                               Objective objective) {
  std::shuffle(problem.loads.begin(), problem.loads.end(), random);
  problem.loadsBySource.clear();
  return placed(PlacementPolicy::Joint, problem, objective).data;
}

static RebalanceResult rebalanced(const PlacementProblem &problem,
                                  const PlacementData &previous,
                                  std::optional<int64_t> moves,
                                  Objective objective) {
  MigrationBudget budget;
  budget.moves = moves;
  budget.weightBytes = Bytes(24e6);
  return llvm::cantFail(rebalance(problem, previous, budget, objective));
}

/// Every expert that a rank has afterwards it had before or gets by a move from
/// a rank that had it.
static void expectConserved(const PlacementProblem &problem,
                            const PlacementData &previous,
                            const RebalanceResult &result) {
  const PlacementData &next = result.placement.data;
  ASSERT_EQ(message(verify(next, problem.experts(), problem.ranks())), "");
  std::vector<std::vector<int64_t>> lists = previous.expertsByRank;
  for (const Move &move : result.migration.moves) {
    EXPECT_TRUE(llvm::is_contained(previous.expertsByRank[move.sourceRank],
                                   move.expert));
    EXPECT_NE(move.sourceRank, move.targetRank);
    lists[move.targetRank].push_back(move.expert);
  }
  int64_t slot = 0, moved = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (auto [local, expert] : llvm::enumerate(next.expertsByRank[rank])) {
      if (expert >= 0) {
        EXPECT_TRUE(llvm::is_contained(lists[rank], expert));
        auto was = llvm::find(previous.expertsByRank[rank], expert);
        if (was == previous.expertsByRank[rank].end()) {
          ++moved;
        } else {
          // Who stays keeps the slot.
          EXPECT_EQ(was - previous.expertsByRank[rank].begin(),
                    static_cast<int64_t>(local));
        }
      }
      ++slot;
    }
  }
  EXPECT_EQ(moved, static_cast<int64_t>(result.migration.moves.size()));
}

namespace {
class RebalanceBudget : public testing::TestWithParam<Objective> {};
} // namespace

TEST_P(RebalanceBudget, BuysMoreTheMoreThereIs) {
  Objective objective = GetParam();
  std::mt19937 random(13);
  for (int round = 0; round < 2; ++round) {
    PlacementProblem problem = problemOf(zipfLoads(20, random), 24, 8);
    deploy(problem, twoNodes(), 8192);
    PlacementData previous = placedFor(problem, random, objective);
    double last = std::numeric_limits<double>::infinity();
    for (int64_t moves : {0, 1, 2, 4, 8, 100}) {
      RebalanceResult result = rebalanced(problem, previous, moves, objective);
      EXPECT_LE(static_cast<int64_t>(result.migration.moves.size()), moves);
      EXPECT_LE(result.placement.value, last * (1 + 1e-12));
      last = result.placement.value;
      expectConserved(problem, previous, result);
    }
  }
}

TEST_P(RebalanceBudget, OfNothingMovesNothing) {
  Objective objective = GetParam();
  std::mt19937 random(17);
  PlacementProblem problem = problemOf(zipfLoads(20, random), 24, 8);
  deploy(problem, twoNodes(), 8192);
  PlacementData previous = placedFor(problem, random, objective);
  RebalanceResult result = rebalanced(problem, previous, 0, objective);
  EXPECT_TRUE(result.migration.moves.empty());
  EXPECT_EQ(result.migration.bytes.value(), 0);
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (auto [slot, expert] :
         llvm::enumerate(result.placement.data.expertsByRank[rank])) {
      // A replica may go, since that moves nothing.
      if (expert >= 0) {
        EXPECT_EQ(expert, previous.expertsByRank[rank][slot]);
      }
    }
  }
  EXPECT_LE(
      result.placement.value,
      llvm::cantFail(measurePlacement(problem, previous, objective)).value);
}

TEST_P(RebalanceBudget, WithoutLimitEqualsJoint) {
  Objective objective = GetParam();
  std::mt19937 random(19);
  for (int round = 0; round < 2; ++round) {
    PlacementProblem problem = problemOf(zipfLoads(20, random), 24, 8);
    deploy(problem, twoNodes(), 8192);
    PlacementData previous = placedFor(problem, random, objective);
    RebalanceResult result =
        rebalanced(problem, previous, std::nullopt, objective);
    EXPECT_LE(result.placement.value,
              placed(PlacementPolicy::Joint, problem, objective).value *
                  (1 + 1e-9));
    expectConserved(problem, previous, result);
  }
}

TEST_P(RebalanceBudget, KeepsWhatIsStillBest) {
  Objective objective = GetParam();
  std::mt19937 random(23);
  PlacementProblem problem = problemOf(zipfLoads(20, random), 24, 8);
  deploy(problem, twoNodes(), 8192);
  PlacementData previous =
      placed(PlacementPolicy::Joint, problem, objective).data;
  RebalanceResult result =
      rebalanced(problem, previous, std::nullopt, objective);
  EXPECT_LE(
      result.placement.value,
      llvm::cantFail(measurePlacement(problem, previous, objective)).value);
  // What is no better is not worth a move.
  if (result.placement.value >=
      llvm::cantFail(measurePlacement(problem, previous, objective)).value) {
    EXPECT_TRUE(result.migration.moves.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, RebalanceBudget,
                         testing::Values(Objective::Load, Objective::Time),
                         [](const testing::TestParamInfo<Objective> &info) {
                           return toString(info.param).str();
                         });

TEST(Rebalance, RefusesWhatDoesNotFit) {
  PlacementProblem problem = problemOf({1, 1, 1}, 3, 2);
  EXPECT_EQ(message(rebalance(problem, {3, {{0}, {1, 2}}, {}}, {})),
            "previous placement, rank 1: expected at most 1 slots, but got 2");
  EXPECT_EQ(message(rebalance(problem, {3, {{0, 1}, {1}}, {}}, {})),
            "expert 2 is on none of the 2 ranks");
}
