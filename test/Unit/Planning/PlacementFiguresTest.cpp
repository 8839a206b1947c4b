//===- PlacementFiguresTest.cpp - Figures, and their audit ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TimePlacements.h"

using namespace moe::planning;
using namespace moe::planning::test;

static void expectNear(const Traffic &a, const Traffic &b) {
  EXPECT_NEAR(a.total().value(), b.total().value(), 1e-6 * a.total().value());
  EXPECT_NEAR(a.messages, b.messages, 1e-9 * a.messages);
}

static void expectEqual(const PlacementTime &a, const PlacementTime &b) {
  EXPECT_NEAR(a.total().value(), b.total().value(), 1e-9 * a.total().value());
  EXPECT_NEAR(a.compute().value(), b.compute().value(),
              1e-9 * a.compute().value());
  EXPECT_NEAR(a.betweenNodes.value(), b.betweenNodes.value(),
              1e-9 * a.betweenNodes.value());
  ASSERT_EQ(a.traffic.tiers.size(), b.traffic.tiers.size());
  for (size_t tier = 0; tier < a.traffic.tiers.size(); ++tier) {
    expectNear(a.traffic.tiers[tier], b.traffic.tiers[tier]);
  }
  expectNear(a.traffic.local, b.traffic.local);
  ASSERT_EQ(a.bytesOfLink.size(), b.bytesOfLink.size());
  for (size_t link = 0; link < a.bytesOfLink.size(); ++link) {
    EXPECT_NEAR(a.bytesOfLink[link].value(), b.bytesOfLink[link].value(), 1e-3);
  }
}

static void expectEqual(const PlacementFigures &a, const PlacementFigures &b) {
  ASSERT_EQ(a.loads.byRank.size(), b.loads.byRank.size());
  for (size_t rank = 0; rank < a.loads.byRank.size(); ++rank) {
    EXPECT_NEAR(a.loads.byRank[rank], b.loads.byRank[rank], 1e-9 * a.loads.max);
  }
  for (size_t slot = 0; slot < a.loads.shareOfSlot.size(); ++slot) {
    EXPECT_NEAR(a.loads.shareOfSlot[slot], b.loads.shareOfSlot[slot], 1e-9);
  }
  EXPECT_NEAR(a.loads.max, b.loads.max, 1e-9 * a.loads.max);
  EXPECT_NEAR(a.loads.mean, b.loads.mean, 1e-9 * a.loads.mean);
  EXPECT_NEAR(a.loadBetweenNodes, b.loadBetweenNodes,
              1e-9 * (a.loads.mean + a.loadBetweenNodes));
  ASSERT_TRUE(a.time && b.time);
  expectEqual(*a.time, *b.time);
}

TEST(PlacementFigures, AuditFindsTheSame) {
  std::mt19937 random(2);
  for (int round = 0; round < 12; ++round) {
    bool isGraph = round % 2;
    int64_t tokens = round % 3 ? 8192 : 1000 + round;
    PlacementProblem problem =
        problemOf(zipfLoads(20, random), 28, isGraph ? 4 : 8);
    problem.nodes = 2;
    if (round % 4 < 2) {
      drawSources(problem, random);
    }
    deploy(problem,
           isGraph ? llvm::cantFail(Topology::ofNodes(
                         fourGpus({{0, 1}, {2, 3}}).build(), {}))
                   : twoNodes(),
           tokens);
    for (PlacementPolicy policy :
         {PlacementPolicy::Contiguous, PlacementPolicy::RoundRobin,
          PlacementPolicy::Joint}) {
      PlacementResult result = placed(policy, problem, Objective::Time);
      PlacementFigures figures =
          llvm::cantFail(figuresOf(problem, result.data));
      EXPECT_EQ(figures.time->total().value(), result.value);
      expectEqual(figures,
                  llvm::cantFail(auditPlacement(problem, result.data)));
    }
  }
}

TEST(PlacementFigures, RowsAreTheExpectedOnes) {
  std::mt19937 random(4);
  PlacementProblem problem = problemOf(zipfLoads(20, random), 28, 8);
  deploy(problem, twoNodes(), 8192);
  PlacementResult result = placed(PlacementPolicy::Joint, problem);
  Placement placement =
      llvm::cantFail(executablePlacement(problem, result.data));
  CountMatrix rows =
      rowsOf(problem, problem.deployment->groups.front(), placement);
  EXPECT_NEAR(rows.total(), 2 * 8192, 1e-6);
  // Equal sources, given apart, are the same problem.
  double scale = 2 * 8192 / (result.loads.mean * 8);
  for (int64_t rank = 0; rank < 8; ++rank) {
    EXPECT_NEAR(rows.receivedBy(rank), result.loads.byRank[rank] * scale, 1e-6);
    problem.loadsBySource.push_back(problem.loads);
    for (double &load : problem.loadsBySource.back()) {
      load /= 8;
    }
  }
  CountMatrix bySource =
      rowsOf(problem, problem.deployment->groups.front(), placement);
  for (int64_t source = 0; source < 8; ++source) {
    for (int64_t target = 0; target < 8; ++target) {
      EXPECT_NEAR(rows.rows(source, target), bySource.rows(source, target),
                  1e-6);
    }
  }
}

TEST(PlacementFigures, TimeIsExchangeAndSlowestCompute) {
  // Expert 0 on rank 0, asked for by rank 1 alone: 1000 tokens, two choices.
  PlacementProblem problem = problemOf({2, 0}, 2, 2);
  problem.loadsBySource = {{0, 0}, {2, 0}};
  deploy(problem,
         Topology::uniform(2, "link", GigabytesPerSecond(10), Microseconds(1)),
         1000);
  PlacementResult result =
      placed(PlacementPolicy::Contiguous, problem, Objective::Time);
  const PlacementTime &time = *result.time;
  // Counts of one slot both ways, then rows.
  EXPECT_NEAR(time.dispatch.wire.value(),
              2 * (1 + 0.2) + 4 / 1e4 + 2000 * 4096 / 1e4, 1e-6);
  EXPECT_NEAR(time.combine.wire.value(), 1 + 0.2 + 2000 * 4098 / 1e4, 1e-6);
  EXPECT_EQ(time.slowestRank(), 0);
  // Reading 24 MB and 2000 rows is faster than their products.
  EXPECT_NEAR(time.compute().value(), 2000 * 24e6 / (989.4e6 * 0.6), 1e-6);
  EXPECT_EQ(time.computeByRank[1].value(), 0);
  EXPECT_EQ(result.value, time.total().value());
  EXPECT_EQ(result.loadBetweenNodes, 0);
}

TEST(PlacementFigures, TimeNeedsADeployment) {
  EXPECT_EQ(message(place(PlacementPolicy::Joint, problemOf({1, 1}, 2, 2),
                          Objective::Time)),
            "objective time: expected a topology, tokens and the size of a "
            "row, but got loads alone");
  PlacementProblem problem = problemOf({1, 1}, 2, 2);
  deploy(problem, twoNodes(), 100);
  EXPECT_EQ(message(place(PlacementPolicy::Joint, problem)),
            "expected a device and tokens for each of 2 ranks, but got 8 "
            "devices and 8 ranges of tokens");
}

TEST(PlacementFigures, AuditRefusesMoreSlotsThanThereAre) {
  PlacementProblem problem = problemOf({1, 1, 1}, 3, 2);
  EXPECT_EQ(message(auditPlacement(problem, {3, {{0}, {1, 2}}, {}})),
            "rank 1: expected at most 1 slots, but got 2");
  EXPECT_EQ(message(auditPlacement(problem, {3, {{0, 1}, {1}}, {}})),
            "expert 2 is on none of the 2 ranks");
}
