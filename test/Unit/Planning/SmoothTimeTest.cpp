//===- SmoothTimeTest.cpp - Prices, and what they promise -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Placement/PriceDescent.h"
#include "TimePlacements.h"

using namespace moe::planning;
using namespace moe::planning::test;

static constexpr int squarings = 5;

/// 20 experts in 28 slots on two nodes of four.
static PlacementProblem drawProblem(std::mt19937 &random, bool isBySource) {
  PlacementProblem problem = problemOf(zipfLoads(20, random), 28, 8);
  if (isBySource) {
    drawSources(problem, random);
  }
  deploy(problem, twoNodes(), 4096);
  return problem;
}

/// Where the joint solver by load has the experts.
static std::vector<Service> drawServices(const SearchModel &facts) {
  Placement placement = llvm::cantFail(executablePlacement(
      facts.problem, placed(PlacementPolicy::Joint, facts.problem).data));
  return SearchState::of(facts, placement).allServices().vec();
}

TEST(SmoothTime, IsAboveTheTimeAndNear) {
  std::mt19937 random(5);
  for (bool isBySource : {false, true}) {
    PlacementProblem problem = drawProblem(random, isBySource);
    SearchModel facts(problem, Objective::Time);
    SmoothModel smooth(facts);
    EXPECT_EQ(smooth.isUniform(), !isBySource);
    std::vector<Service> services = drawServices(facts);
    double exact = SearchState(facts, services).score().value;
    double last = 2 * exact;
    for (int norm : {3, 5, 7}) {
      double value = SmoothState(smooth, services, norm).value();
      EXPECT_GE(value, exact * (1 - 1e-9));
      EXPECT_LT(value, last);
      last = value;
    }
    // 32 resources at most: 32^(1/128) is 1.03.
    EXPECT_LT(last, 1.03 * exact);
  }
}

TEST(SmoothTime, CountsAsIfMadeAnew) {
  std::mt19937 random(6);
  PlacementProblem problem = drawProblem(random, true);
  SearchModel facts(problem, Objective::Time);
  SmoothModel smooth(facts);
  SmoothState state(smooth, drawServices(facts), squarings);
  for (int round = 0; round < 20; ++round) {
    PriceBoard board(state);
    std::vector<Relocation> changes =
        board.best(40, -1e9, [](const Relocation &) { return true; });
    llvm::SmallVector<Assignment, 2> chosen =
        assignmentsOf(state, changes[random() % changes.size()]);
    double promised = state.valueWith(chosen);
    state.apply(chosen);
    double anew =
        SmoothState(smooth, state.allServices().vec(), squarings).value();
    EXPECT_NEAR(state.value(), promised, 1e-9 * promised);
    EXPECT_NEAR(state.value(), anew, 1e-9 * anew);
  }
}

TEST(SmoothTime, PricesBoundWhatAChangeGains) {
  std::mt19937 random(7);
  for (bool isBySource : {false, true}) {
    PlacementProblem problem = drawProblem(random, isBySource);
    SearchModel facts(problem, Objective::Time);
    SmoothModel smooth(facts);
    SmoothState state(smooth, drawServices(facts), squarings);
    int64_t gains = 0;
    for (const Relocation &change : PriceBoard(state).best(
             100000, -1e9, [](const Relocation &) { return true; })) {
      double gain =
          state.value() - state.valueWith(assignmentsOf(state, change));
      EXPECT_LE(gain, change.gain + 1e-9 * state.value())
          << change.expert << " from " << change.from << " to " << change.to
          << ", " << change.other << " to " << change.otherTo;
      gains += gain > 0;
    }
    EXPECT_GT(gains, 0);
  }
}

TEST(SmoothTime, DescentEndsWhereNothingGains) {
  std::mt19937 random(8);
  PlacementProblem problem = drawProblem(random, false);
  SearchModel facts(problem, Objective::Time);
  SmoothModel smooth(facts);
  SmoothState state(smooth, drawServices(facts), squarings);
  double before = state.value();
  descendByPrices(state, std::numeric_limits<int64_t>::max());
  EXPECT_LT(state.value(), before);
  for (const Relocation &change :
       PriceBoard(state).best(64, 0, [](const Relocation &) { return true; })) {
    EXPECT_GE(state.valueWith(assignmentsOf(state, change)),
              state.value() * (1 - 1e-6));
  }
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    EXPECT_GE(state.freeSlots(rank), 0);
  }
}

TEST(SmoothTime, KeepsToALimitOfMoves) {
  std::mt19937 random(9);
  PlacementProblem problem = drawProblem(random, false);
  SearchModel facts(problem, Objective::Time);
  SmoothModel smooth(facts);
  std::vector<Service> services = drawServices(facts);
  MoveCount count(services, problem.ranks());
  double none = 0;
  for (int64_t most : {0, 1, 3, 9}) {
    SmoothState state(smooth, services, squarings);
    descendByPrices(state, std::numeric_limits<int64_t>::max(),
                    MoveLimit{&count, most});
    EXPECT_LE(count.of(state.allServices()), most);
    if (most == 0) {
      none = state.value();
    } else {
      EXPECT_LT(state.value(), none);
    }
  }
}
