//===- SlotLimitsTest.cpp - Slots that memory has room for ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/SlotLimits.h"
#include "PlacementProblems.h"

using namespace moe::planning;
using namespace moe::planning::test;

TEST(SlotLimits, TakesAwayWhatDoesNotFit) {
  PlacementProblem problem = problemOf({4, 3, 2, 1}, 9, 3);
  ExpertMemory memory = {{Bytes(250), Bytes(1000), Bytes(-5)}, Bytes(100)};
  EXPECT_EQ(message(limitSlots(problem, memory)), "");
  EXPECT_EQ(problem.slotsByRank, (std::vector<int64_t>{2, 3, 0}));
  PlacementResult result = placed(PlacementPolicy::Joint, problem);
  EXPECT_EQ(result.data.expertsByRank[2].size(), 0u);
}

TEST(SlotLimits, SaysWhatIsMissing) {
  PlacementProblem problem = problemOf({4, 3, 2, 1}, 6, 2);
  ExpertMemory memory = {{Bytes(2.5e9), Bytes(1e9)}, Bytes(1e9)};
  EXPECT_EQ(message(limitSlots(problem, memory)),
            "expected memory for 4 experts, but got room for 3 on 2 ranks: 0.9 "
            "GiB are missing");
  // Nothing has changed.
  EXPECT_EQ(problem.slots(), 6);
}
