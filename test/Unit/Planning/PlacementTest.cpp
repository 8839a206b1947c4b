//===- PlacementTest.cpp - Slots, replicas and what verify catches --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Placement.h"
#include "TestSupport.h"
#include <numeric>

using namespace moe::planning;
using namespace moe::planning::test;

static std::vector<int64_t> slotsPerRank(const Placement &placement) {
  std::vector<int64_t> result;
  for (int64_t rank = 0; rank < placement.rankCount(); ++rank) {
    result.push_back(placement.slotsOn(rank));
  }
  return result;
}

/// Four experts on three ranks: expert 1 on all of them, a slot left empty.
static PlacementData replicated() {
  return {4, {{0, 1}, {1, -1, 2}, {3, 1}}, {}};
}

TEST(Placement, ContiguousGivesTheFirstRanksOneMore) {
  EXPECT_EQ(slotsPerRank(Placement::contiguous(10, 4)),
            (std::vector<int64_t>{3, 3, 2, 2}));
  EXPECT_EQ(slotsPerRank(Placement::contiguous(4, 8)),
            (std::vector<int64_t>{1, 1, 1, 1, 0, 0, 0, 0}));
  Placement placement = Placement::contiguous(10, 4);
  EXPECT_EQ(placement.localSlots(), 3);
  EXPECT_EQ(placement.rankOfSlot(placement.slotFor(6, 0, 0)), 2);
  EXPECT_EQ(placement.localSlotOf(placement.slotFor(7, 3, 9)), 1);
}

TEST(Placement, PoliciesCoverEveryExpertOnce) {
  for (int64_t experts = 1; experts <= 40; ++experts) {
    for (int64_t ranks = 1; ranks <= 12; ++ranks) {
      for (const Placement &placement :
           {Placement::contiguous(experts, ranks),
            Placement::roundRobin(experts, ranks)}) {
        EXPECT_EQ(message(verify(placement.data(), experts, ranks)), "");
        EXPECT_EQ(placement.slotCount(), experts);
        EXPECT_EQ(placement.localSlots(), (experts + ranks - 1) / ranks);
        EXPECT_FALSE(placement.hasReplicas());
        for (int64_t expert = 0; expert < experts; ++expert) {
          ASSERT_EQ(placement.slotsOf(expert).size(), 1u);
          EXPECT_EQ(placement.expertIn(placement.slotsOf(expert)[0]), expert);
        }
        for (int64_t rank = 0; rank < ranks; ++rank) {
          EXPECT_EQ(placement.slotsOn(rank),
                    experts / ranks + (rank < experts % ranks));
        }
      }
    }
  }
}

TEST(Placement, ReplicasServeTheirOwnRankAndTakeTurns) {
  Placement placement = llvm::cantFail(Placement::create(replicated()));
  EXPECT_EQ(placement.slotCount(), 7);
  EXPECT_EQ(placement.localSlots(), 3);
  EXPECT_EQ(placement.maxExpertsOnRank(), 2);
  for (int64_t rank = 0; rank < 3; ++rank) {
    for (int64_t cls = 0; cls < 64; ++cls) {
      EXPECT_EQ(placement.rankOfSlot(placement.slotFor(1, rank, cls)), rank);
    }
  }
  // Without a replica on rank 2, ranks 0 and 1 share its tokens.
  PlacementData data = {3, {{0, 1}, {1}, {2}}, {}};
  Placement shared = llvm::cantFail(Placement::create(data));
  EXPECT_EQ(shared.rankOfSlot(shared.slotFor(1, 2, 0)), 0);
  EXPECT_EQ(shared.rankOfSlot(shared.slotFor(1, 2, 1)), 1);
  EXPECT_EQ(shared.rankLoads({4, 12, 5}), (std::vector<double>{10, 6, 5}));
}

TEST(Placement, NearestReplicaComesFirst) {
  PlacementData data = {2, {{0}, {}, {0}, {1}}, {}};
  // Ranks 0, 1 and ranks 2, 3 are neighbours.
  Placement placement = llvm::cantFail(Placement::create(
      data, [](int64_t a, int64_t b) { return int64_t(a / 2 != b / 2); }));
  for (int64_t cls = 0; cls < 64; ++cls) {
    EXPECT_EQ(placement.rankOfSlot(placement.slotFor(0, 1, cls)), 0);
    EXPECT_EQ(placement.rankOfSlot(placement.slotFor(0, 3, cls)), 2);
  }
}

TEST(Placement, GivenReplicaTablesAreKept) {
  PlacementData data = {1, {{0}, {0}}, {}};
  std::vector<int64_t> table(2 * 64, 0);
  std::fill(table.begin() + 80, table.end(), 1);
  data.replicaTables[0] = ReplicaTable(table);
  Placement placement = llvm::cantFail(Placement::create(data));
  EXPECT_EQ(placement.slotFor(0, 1, 15), 0);
  EXPECT_EQ(placement.slotFor(0, 1, 16), 1);
  EXPECT_EQ(placement.rankLoads({128}), (std::vector<double>{80, 48}));
  EXPECT_EQ(placement.data().replicaTables[0].expand(), table);
  EXPECT_EQ(placement.data().replicaTables[0].runs().size(), 2u);
}

TEST(Placement, KnowsWhatTheDefaultRuleServes) {
  auto distance = [](int64_t a, int64_t b) { return int64_t(a / 2 != b / 2); };
  // Expert 0 has three replicas, one of them near ranks 0 and 1 and so on;
  // ranks 6 and 7 share all three. Expert 1 has one.
  PlacementData data = {2, {{0}, {}, {0}, {1}, {0}, {}, {}, {}}, {}};
  Placement near = llvm::cantFail(Placement::create(data, distance));
  EXPECT_TRUE(near.isServedByDefault(0, distance));
  EXPECT_TRUE(near.isServedByDefault(1, distance));
  EXPECT_FALSE(near.isServedByDefault(0));
  std::vector<int64_t> served = near.data().replicaTables.at(0).expand();
  // One cell that another replica serves, wherever it is.
  for (size_t cell : {size_t(0), size_t(63), size_t(64), served.size() - 1}) {
    std::vector<int64_t> slots = served;
    slots[cell] = slots[cell] == 0 ? 1 : 0;
    data.replicaTables[0] = ReplicaTable(slots);
    EXPECT_FALSE(
        llvm::cantFail(Placement::create(data)).isServedByDefault(0, distance))
        << cell;
  }
  data.replicaTables[0] = ReplicaTable(served);
  EXPECT_TRUE(
      llvm::cantFail(Placement::create(data)).isServedByDefault(0, distance));
}

TEST(Placement, TablesAgreeWithSlotFor) {
  for (const Placement &placement :
       {Placement::contiguous(10, 4), Placement::roundRobin(5, 3),
        llvm::cantFail(Placement::create(replicated()))}) {
    for (int64_t rank = 0; rank < placement.rankCount(); ++rank) {
      RankTables tables = placement.tablesFor(rank);
      EXPECT_EQ(tables.classMask, placement.hasReplicas() ? 63 : 0);
      for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
        for (int64_t token = 0; token < 130; ++token) {
          int64_t index =
              expert * (tables.classMask + 1) + (token & tables.classMask);
          int64_t slot = placement.slotFor(expert, rank, token % 64);
          EXPECT_EQ(tables.destinationRank[index], placement.rankOfSlot(slot));
          EXPECT_EQ(tables.destinationSlot[index], placement.localSlotOf(slot));
          EXPECT_EQ(placement.expertIn(slot), expert);
        }
      }
      ASSERT_EQ(static_cast<int64_t>(tables.hostedExperts.size()),
                placement.localSlots());
    }
  }
  Placement placement = llvm::cantFail(Placement::create(replicated()));
  EXPECT_EQ(placement.tablesFor(0).hostedExperts,
            (std::vector<int32_t>{0, 1, -1}));
  EXPECT_EQ(placement.tablesFor(1).hostedExperts,
            (std::vector<int32_t>{1, -1, 2}));
}

TEST(Placement, LoadsOfRanksSumToTheLoads) {
  std::vector<double> loads = {3, 50, 7, 11};
  Placement placement = llvm::cantFail(Placement::create(replicated()));
  std::vector<double> ranks = placement.rankLoads(loads);
  EXPECT_DOUBLE_EQ(std::accumulate(ranks.begin(), ranks.end(), 0.0), 71);
}

TEST(PlacementVerify, NamesWhatIsWrong) {
  PlacementData good = Placement::contiguous(10, 4).data();
  auto broken = [&](auto mutate) {
    PlacementData data = good;
    mutate(data);
    return message(verify(data, 10, 4));
  };
  EXPECT_EQ(broken([](PlacementData &) {}), "");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank[2][1] = -1; }),
            "expert 7 is on none of the 4 ranks");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank[1].pop_back(); }),
            "expert 5 is on none of the 4 ranks");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank[3].push_back(10); }),
            "rank 3, local slot 2: expected an expert from 0 to 9, or -1, but "
            "got 10");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank[3][0] = -2; }),
            "rank 3, local slot 0: expected an expert from 0 to 9, or -1, but "
            "got -2");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank[0].push_back(1); }),
            "expert 1 is placed twice on rank 0");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertsByRank.pop_back(); }),
            "expected a placement over 4 ranks, but got 3");
  EXPECT_EQ(broken([](PlacementData &d) { d.expertCount = 12; }),
            "expected a placement of 10 experts, but got 12");
  EXPECT_EQ(message(verify(PlacementData{})),
            "expected a placement of 1 to 1048576 experts, but got 0");
  EXPECT_EQ(message(verify(PlacementData{1, {}, {}})),
            "expected a placement over at least 1 rank, but got 0");
}

TEST(PlacementVerify, NamesWhatIsWrongInReplicaTables) {
  auto broken = [](int64_t expert, const std::vector<int64_t> &table) {
    PlacementData data = replicated();
    data.replicaTables[expert] = ReplicaTable(table);
    return message(Placement::create(data));
  };
  EXPECT_EQ(broken(1, std::vector<int64_t>(192, 2)), "");
  EXPECT_EQ(broken(1, {0, 1}),
            "replica table of expert 1: expected 192 entries (3 ranks x 64 "
            "token classes), but got 2");
  EXPECT_EQ(broken(4, {}),
            "replica table: expected an expert from 0 to 3, but got 4");
  std::vector<int64_t> table(192, 2);
  table[70] = 3;
  EXPECT_EQ(broken(1, table),
            "replica table of expert 1, source rank 1, token class 6: expected "
            "a slot that holds the expert, but got 3");
  table[70] = 99;
  EXPECT_EQ(broken(1, table),
            "replica table of expert 1, source rank 1, token class 6: expected "
            "a slot that holds the expert, but got 99");
}

TEST(ReplicaTable, KeepsRuns) {
  std::vector<int64_t> slots = {4, 4, 4, 2, 7, 7, 4};
  ReplicaTable table(slots);
  EXPECT_EQ(table.cells(), 7);
  EXPECT_EQ(table.runs().size(), 4u);
  EXPECT_EQ(table.lengthOf(0), 3);
  EXPECT_EQ(table.lengthOf(3), 1);
  EXPECT_EQ(table.expand(), slots);
  for (size_t cell = 0; cell < slots.size(); ++cell) {
    EXPECT_EQ(table.slotAt(cell), slots[cell]);
  }
  EXPECT_TRUE(table ==
              ReplicaTable(7, {{0, 4}, {2, 4}, {3, 2}, {4, 7}, {6, 4}}));
}

TEST(Placement, DuplicatesOnARankAreMerged) {
  // Expert 1 sits twice on rank 1.
  PlacementData data = {2, {{0, 1}, {1, 1}}, {}};
  std::vector<int64_t> slots(64, 1);
  slots.insert(slots.end(), 32, 2);
  slots.insert(slots.end(), 32, 3);
  data.replicaTables[1] = ReplicaTable(slots);
  EXPECT_EQ(message(verify(data)), "expert 1 is placed twice on rank 1");
  EXPECT_EQ(mergeDuplicates(data),
            std::vector<std::string>{"expert 1 is 2 times on rank 1"});
  EXPECT_EQ(data.expertsByRank[1], (std::vector<int64_t>{1, -1}));
  Placement placement = llvm::cantFail(Placement::create(data));
  EXPECT_EQ(placement.rankLoads({10, 8}), (std::vector<double>{14, 4}));
  EXPECT_TRUE(mergeDuplicates(data).empty());
}

TEST(PlacementVerify, CatchesEveryChangeOfOneSlot) {
  // Without replicas, any change of a slot loses the expert that was there.
  PlacementData good = Placement::contiguous(7, 3).data();
  for (size_t rank = 0; rank < 3; ++rank) {
    for (size_t slot = 0; slot < good.expertsByRank[rank].size(); ++slot) {
      for (int64_t expert = -2; expert <= 8; ++expert) {
        PlacementData data = good;
        data.expertsByRank[rank][slot] = expert;
        bool same = expert == good.expertsByRank[rank][slot];
        EXPECT_EQ(message(verify(data)).empty(), same);
      }
    }
  }
}
