//===- LowerBoundTest.cpp - Each argument on a problem made for it --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacementProblems.h"

using namespace moe::planning;
using namespace moe::planning::test;

static LowerBound boundOf(std::vector<double> loads, int64_t slots,
                          int64_t ranks) {
  return loadBound(problemOf(std::move(loads), slots, ranks));
}

TEST(LowerBound, Mean) {
  LowerBound bound = boundOf({3, 3, 3, 3}, 4, 2);
  EXPECT_EQ(bound.value, 6);
  EXPECT_EQ(bound.argument, "mean: the load of all experts over 2 ranks");
  // Ranks without slots carry nothing.
  PlacementProblem problem = problemOf({3, 3}, 0, 3);
  problem.slotsByRank = {2, 0, 0};
  EXPECT_EQ(loadBound(problem).value, 6);
}

TEST(LowerBound, Hosts) {
  // Without replicas the heaviest expert's rank also hosts one of the others.
  LowerBound bound = boundOf({10, 1, 1, 1}, 4, 2);
  EXPECT_EQ(bound.value, 11);
  EXPECT_EQ(bound.argument, "hosts: the 1 heaviest experts, on 1 ranks, share "
                            "them with the 1 lightest");
}

TEST(LowerBound, Pairing) {
  // Three experts of 3 on two ranks: two of them meet.
  LowerBound bound = boundOf({3, 3, 3, 1}, 4, 2);
  EXPECT_EQ(bound.value, 6);
  EXPECT_EQ(bound.argument,
            "pairing: of the 3 heaviest experts some 2 share a rank");
}

TEST(LowerBound, Replicas) {
  // One slot a rank, five ranks: 7 / 3 against 4 / 1 and 4 / 2.
  LowerBound bound = boundOf({7, 4}, 5, 5);
  EXPECT_NEAR(bound.value, 7.0 / 3, 1e-6);
  EXPECT_EQ(bound.argument,
            "replicas: below it experts need more than the 5 slots");
}

TEST(LowerBound, Alone) {
  // Seven experts in eight slots: two of four ranks at least share with none
  // and hold two each, at best 1 + 4 and 2 + 3.
  LowerBound bound = boundOf({9, 9, 9, 4, 3, 2, 1}, 8, 4);
  EXPECT_GE(bound.value, (37.0) / 4);
  bound = boundOf({4.1, 4.05, 4, 4, 4, 3.9, 3.8}, 8, 4);
  EXPECT_NEAR(bound.value, 7.9, 1e-9);
  EXPECT_EQ(bound.argument.substr(0, 5), "alone");
  EXPECT_LE(bound.value, placed(PlacementPolicy::Exhaustive,
                                problemOf({4.1, 4.05, 4, 4, 4, 3.9, 3.8}, 8, 4))
                                 .unroundedValue +
                             1e-9);
}

TEST(LowerBound, Partners) {
  // Below 4.5 the experts of 7 and of 4 need two replicas each beside a partner
  // of at least 1, and the third of 7 too: 9 slots of 8.
  LowerBound bound = boundOf({7, 4, 1, 1, 1, 1}, 8, 4);
  PlacementResult best =
      placed(PlacementPolicy::Exhaustive, problemOf({7, 4, 1, 1, 1, 1}, 8, 4));
  EXPECT_LE(bound.value, best.unroundedValue + 1e-9);
  std::mt19937 random(1);
  LowerBound partners = boundOf(zipfLoads(100, random), 108, 36);
  EXPECT_EQ(partners.argument.substr(0, 8), "partners");
}

TEST(LowerBound, Rounding) {
  // Below 7 two parts of the expert of 10 cannot both sit beside one of 2: the
  // example of docs/Rationale/placement.md.
  PlacementProblem problem = problemOf({10, 6, 6, 2, 2}, 6, 4);
  LowerBound bound = loadBound(problem);
  EXPECT_NEAR(bound.value, 7, 1e-4);
  EXPECT_EQ(bound.argument,
            "rounding: where a rank has 4 points and parts of experts are "
            "worth one more from 0.286 of the bound on, experts are worth more "
            "than the 4 ranks have");
  EXPECT_EQ(placed(PlacementPolicy::Exhaustive, problem).value, 7);
}

// Many ranks of two slots and few of one, where steps have room to be wrong.
TEST(LowerBound, RoundingNeverExceedsAPlacement) {
  std::mt19937 random(23);
  int64_t byRounding = 0;
  for (int64_t step = 0; step < 400; ++step) {
    int64_t ranks = 8 + random() % 24;
    int64_t slots = ranks + random() % (ranks + 1);
    int64_t experts = slots - random() % (1 + ranks / 3);
    PlacementProblem problem = problemOf({}, slots, ranks);
    for (int64_t expert = 0; expert < experts; ++expert) {
      double load = 1 + random() % 40;
      problem.loads.push_back(step % 2 ? load : load * load);
    }
    PlacementResult joint = placed(PlacementPolicy::Joint, problem);
    EXPECT_LE(joint.bound.value, joint.unroundedValue * (1 + 1e-9))
        << joint.bound.argument;
    byRounding += joint.bound.argument.substr(0, 8) == "rounding";
  }
  EXPECT_GE(byRounding, 20);
}

TEST(LowerBound, GapIsRelative) {
  EXPECT_EQ((LowerBound{4, ""}).gapOf(5), 0.25);
  EXPECT_EQ((LowerBound{4, ""}).gapOf(4 - 1e-12), 0);
  EXPECT_EQ((LowerBound{0, ""}).gapOf(0), 0);
}

// Rounded weights tie and sit on the steps of the slot-count arguments, where a
// proof that is off by one would show.
TEST(LowerBound, NeverExceedsTheBestPlacement) {
  std::mt19937 random(11);
  int64_t problems = 0;
  while (problems < 1500) {
    int64_t experts = 2 + random() % 5, ranks = 2 + random() % 3;
    PlacementProblem problem = problemOf({}, 0, ranks);
    for (int64_t expert = 0; expert < experts; ++expert) {
      problem.loads.push_back(1 + random() % (random() % 3 ? 4 : 20));
    }
    bool isEven = random() % 2;
    int64_t slots = 1 + random() % 3;
    for (int64_t &each : problem.slotsByRank) {
      each = isEven ? slots : 1 + random() % 3;
    }
    if (problem.slots() < experts) {
      continue;
    }
    ++problems;
    PlacementResult best = placed(PlacementPolicy::Exhaustive, problem);
    EXPECT_LE(best.bound.value, best.unroundedValue * (1 + 1e-9))
        << best.bound.argument;
  }
}
