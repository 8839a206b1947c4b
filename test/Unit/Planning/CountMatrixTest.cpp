//===- CountMatrixTest.cpp - Conservation of tokens, bounds, reach --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CountMatrix.h"
#include "TestSupport.h"
#include "moe/Planning/LoadProfile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>
#include <random>

using namespace moe::planning;
using namespace moe::planning::test;

/// `choices` distinct experts a token, some choices dropped.
static std::vector<int32_t> randomRouting(std::mt19937 &random, int64_t tokens,
                                          int64_t choices, int64_t experts) {
  std::vector<int32_t> order(experts), routing;
  std::iota(order.begin(), order.end(), 0);
  for (int64_t token = 0; token < tokens; ++token) {
    std::shuffle(order.begin(), order.end(), random);
    for (int64_t choice = 0; choice < choices; ++choice) {
      routing.push_back(random() % 8 == 0 ? -1 : order[choice]);
    }
  }
  return routing;
}

/// A placement with replicas of random experts on random further ranks.
static Placement randomPlacement(std::mt19937 &random, int64_t experts,
                                 int64_t ranks) {
  PlacementData data = Placement::contiguous(experts, ranks).data();
  for (int64_t extra = 0; extra < experts / 2; ++extra) {
    std::vector<int64_t> &rank = data.expertsByRank[random() % ranks];
    int64_t expert = random() % experts;
    if (!llvm::is_contained(rank, expert)) {
      rank.push_back(expert);
    }
  }
  return llvm::cantFail(Placement::create(data));
}

TEST(CountMatrix, RoutingKeepsEveryAssignment) {
  std::mt19937 random(1);
  for (int64_t ranks : {1, 2, 3, 5, 8}) {
    for (int64_t tokens : {0, 1, 7, 130}) {
      for (bool isReplicated : {false, true}) {
        Placement placement = isReplicated ? randomPlacement(random, 11, ranks)
                                           : Placement::contiguous(11, ranks);
        std::vector<int32_t> experts = randomRouting(random, tokens, 3, 11);
        std::vector<TokenRange> sources = splitTokens(tokens, ranks);
        CountMatrix counts =
            llvm::cantFail(countRows({3, experts}, sources, placement));
        int64_t assigned = experts.size() - llvm::count(experts, -1);
        EXPECT_EQ(counts.total(), assigned);
        double sent = 0;
        for (int64_t rank = 0; rank < ranks; ++rank) {
          auto first = experts.begin() + sources[rank].begin * 3;
          auto last = experts.begin() + sources[rank].end * 3;
          EXPECT_EQ(counts.sentBy(rank),
                    last - first - std::count(first, last, -1));
          EXPECT_LE(counts.receivedBy(rank),
                    worstCaseRows(tokens, 3, placement));
          sent += counts.sentBy(rank);
        }
        EXPECT_EQ(sent, assigned);
      }
    }
  }
}

TEST(CountMatrix, CountsRowsWhereTheyGo) {
  // Five tokens on two ranks, experts 0, 1 on rank 0 and 2 on rank 1.
  Placement placement = Placement::contiguous(3, 2);
  std::vector<int32_t> experts = {0, 2, 2, -1, 1, 0, 2, 0, 2, -1};
  CountMatrix counts =
      llvm::cantFail(countRows({2, experts}, splitTokens(5, 2), placement));
  EXPECT_EQ(counts.rows(0, 0), 3);
  EXPECT_EQ(counts.rows(0, 1), 2);
  EXPECT_EQ(counts.rows(1, 0), 1);
  EXPECT_EQ(counts.rows(1, 1), 2);
}

TEST(CountMatrix, RefusesAnExpertThatIsNotThere) {
  std::vector<int32_t> experts = {0, 2, 3, 1};
  EXPECT_EQ(message(countRows({2, experts}, splitTokens(2, 2),
                              Placement::contiguous(3, 2))),
            "token 1, choice 0: expected an expert from 0 to 2, or -1, but got "
            "3");
}

TEST(CountMatrix, SourcesAskForWhatIsKnownOfThem) {
  // Experts 0, 1 on rank 0 and 2, 0 on rank 1; expert 0 is served at home.
  PlacementData data;
  data.expertCount = 3;
  data.expertsByRank = {{0, 1}, {2, 0}};
  Placement placement = llvm::cantFail(Placement::create(data));
  ExpertShares shares;
  shares.shares = {0.5, 0.125, 0.375};
  shares.bySource = {{0.125, 0, 0.125}, {0.375, 0.125, 0.25}};
  CountMatrix counts = expectedRows(2, shares, splitTokens(40, 2), placement);
  EXPECT_NEAR(counts.rows(0, 0), 10, 1e-9);
  EXPECT_NEAR(counts.rows(0, 1), 10, 1e-9);
  EXPECT_NEAR(counts.rows(1, 0), 10, 1e-9);
  EXPECT_NEAR(counts.rows(1, 1), 50, 1e-9);
  EXPECT_EQ(rankShares(placement, shares), std::vector<double>({0.25, 0.75}));
  shares.bySource.clear();
  // Half of expert 0 on each rank.
  EXPECT_EQ(rankShares(placement, shares), std::vector<double>({0.375, 0.625}));
  EXPECT_NEAR(expectedRows(2, shares, splitTokens(40, 2), placement).rows(0, 1),
              15, 1e-9);
}

TEST(CountMatrix, ExpectationKeepsEveryAssignment) {
  std::mt19937 random(2);
  for (int64_t ranks : {1, 2, 3, 8}) {
    std::vector<double> shares;
    for (int64_t expert = 0; expert < 11; ++expert) {
      shares.push_back(1 + random() % 50);
    }
    double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    for (double &share : shares) {
      share /= sum;
    }
    Placement placement = randomPlacement(random, 11, ranks);
    std::vector<TokenRange> sources = splitTokens(101, ranks);
    CountMatrix counts = expectedRows(3, shares, sources, placement);
    EXPECT_NEAR(counts.total(), 303, 1e-9);
    for (int64_t rank = 0; rank < ranks; ++rank) {
      EXPECT_NEAR(counts.sentBy(rank), 3 * sources[rank].size(), 1e-9);
    }
  }
}

TEST(CountMatrix, ExpectationIsTheMeanOverRoutings) {
  std::mt19937 random(3);
  Placement placement = randomPlacement(random, 6, 3);
  std::vector<TokenRange> sources = splitTokens(90, 3);
  CountMatrix expected =
      expectedRows(1, std::vector<double>(6, 1.0 / 6), sources, placement);
  CountMatrix sum(3);
  constexpr int64_t trials = 400;
  for (int64_t trial = 0; trial < trials; ++trial) {
    std::vector<int32_t> experts(90);
    for (int32_t &expert : experts) {
      expert = random() % 6;
    }
    CountMatrix counts =
        llvm::cantFail(countRows({1, experts}, sources, placement));
    for (int64_t s = 0; s < 3; ++s) {
      for (int64_t d = 0; d < 3; ++d) {
        sum.add(s, d, counts.rows(s, d) / trials);
      }
    }
  }
  for (int64_t s = 0; s < 3; ++s) {
    for (int64_t d = 0; d < 3; ++d) {
      // Standard error of the mean is below 0.14.
      EXPECT_NEAR(sum.rows(s, d), expected.rows(s, d), 0.7);
    }
  }
}

TEST(CountMatrix, WorstCaseIsReached) {
  // All tokens choose the three experts of rank 0, or two of them.
  Placement placement = Placement::contiguous(10, 4);
  EXPECT_EQ(worstCaseRows(7, 4, placement), 21);
  EXPECT_EQ(worstCaseRows(7, 2, placement), 14);
  std::vector<int32_t> experts;
  for (int64_t token = 0; token < 7; ++token) {
    llvm::append_values(experts, 0, 1, 2, 9);
  }
  CountMatrix counts =
      llvm::cantFail(countRows({4, experts}, splitTokens(7, 4), placement));
  EXPECT_EQ(counts.receivedBy(0), worstCaseRows(7, 4, placement));
}

TEST(CountMatrix, TokensFollowTheirAxes) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=2,etp=2"));
  // Devices 4 and 6 are dp 1, ep 0 and 1; 11 tokens over dp x ep: 3, 3, 3, 2.
  EXPECT_EQ(tokenRanges(mesh, mesh.groupOf(6, {"ep"}), {"dp", "ep"}, 11),
            (std::vector<TokenRange>{{6, 9}, {9, 11}}));
  // A replicated axis sees the same tokens.
  EXPECT_EQ(tokenRanges(mesh, mesh.groupOf(7, {"ep"}), {"dp", "ep"}, 11),
            (std::vector<TokenRange>{{6, 9}, {9, 11}}));
}

/// Mean number of groups over all sets of `choices` experts.
static double groupsByEnumeration(const std::vector<int64_t> &sizes,
                                  int64_t choices) {
  std::vector<int64_t> groupOf;
  for (auto [group, size] : llvm::enumerate(sizes)) {
    groupOf.insert(groupOf.end(), size, group);
  }
  int64_t sets = 0, reached = 0;
  for (uint32_t set = 0; set < 1u << groupOf.size(); ++set) {
    if (__builtin_popcount(set) != choices) {
      continue;
    }
    uint32_t groups = 0;
    for (size_t expert = 0; expert < groupOf.size(); ++expert) {
      groups |= (set >> expert & 1) << groupOf[expert];
    }
    ++sets;
    reached += __builtin_popcount(groups);
  }
  return static_cast<double>(reached) / sets;
}

TEST(GroupsReached, EqualsTheMeanOverAllChoices) {
  for (const std::vector<int64_t> &sizes :
       {std::vector<int64_t>{4, 4, 4}, {3, 3, 2, 2}, {1, 0, 5}, {12}}) {
    int64_t experts = std::accumulate(sizes.begin(), sizes.end(), int64_t(0));
    for (int64_t choices = 1; choices <= std::min<int64_t>(6, experts);
         ++choices) {
      EXPECT_NEAR(expectedGroupsReached(sizes, choices),
                  groupsByEnumeration(sizes, choices), 1e-12);
    }
  }
}

TEST(GroupsReached, KnowsItsLimits) {
  EXPECT_DOUBLE_EQ(expectedGroupsReached(256, 1, 8), 1);
  EXPECT_NEAR(expectedGroupsReached(256, 8, 256), 8, 1e-12);
  EXPECT_DOUBLE_EQ(expectedGroupsReached(256, 256, 8), 8);
  EXPECT_DOUBLE_EQ(expectedGroupsReached(10, 2, 4),
                   expectedGroupsReached({3, 3, 2, 2}, 2));
  // DeepSeek-V3's 256 experts, top-8, over 2, 4 and 8 nodes.
  EXPECT_NEAR(expectedGroupsReached(256, 8, 2), 1.9930, 1e-4);
  EXPECT_NEAR(expectedGroupsReached(256, 8, 4), 3.6142, 1e-4);
  EXPECT_NEAR(expectedGroupsReached(256, 8, 8), 5.2947, 1e-4);
}
