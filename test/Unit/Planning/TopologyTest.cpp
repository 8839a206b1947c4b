//===- TopologyTest.cpp - Tiers, paths and what is refused ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "moe/Planning/TokenSplit.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::planning;
using namespace moe::planning::test;

TEST(Quantity, ConvertsBytesAndRatesToMicroseconds) {
  EXPECT_DOUBLE_EQ((Bytes(50e3) / GigabytesPerSecond(50)).value(), 1.0);
  EXPECT_DOUBLE_EQ((Flops(4e12) / TeraflopsPerSecond(2)).value(), 2e6);
  EXPECT_EQ(Bytes(3) * 2 + Bytes(1), Bytes(7));
}

TEST(Topology, TierOfIsTheOutermostDifference) {
  Topology topology = twoNodes();
  EXPECT_EQ(topology.deviceCount(), 8);
  EXPECT_EQ(topology.tierOf(3, 3), std::nullopt);
  EXPECT_EQ(topology.tierOf(0, 3), 1u);
  EXPECT_EQ(topology.tierOf(3, 4), 0u);
  EXPECT_EQ(topology.path(4, 7).bandwidth, GigabytesPerSecond(370.8));
  EXPECT_EQ(topology.path(0, 7).latency, Microseconds(5));
  EXPECT_EQ(topology.findTier("nvlink"), 1u);
  EXPECT_EQ(topology.findTier("pcie"), std::nullopt);
  EXPECT_EQ(topology.toString(),
            "ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us");
}

TEST(Topology, TierOfIsSymmetricAndUltrametric) {
  Topology topology = llvm::cantFail(Topology::create(
      {{"pod", 2, GigabytesPerSecond(25), Microseconds(9)},
       {"ib", 3, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  // A device counts as one tier further in than the innermost.
  auto tier = [&](int64_t a, int64_t b) {
    return topology.tierOf(a, b).value_or(3);
  };
  for (int64_t a = 0; a < 24; ++a) {
    for (int64_t b = 0; b < 24; ++b) {
      EXPECT_EQ(tier(a, b), tier(b, a));
      for (int64_t c = 0; c < 24; ++c) {
        EXPECT_GE(tier(a, c), std::min(tier(a, b), tier(b, c)));
      }
    }
  }
}

TEST(Topology, PortsAreShared) {
  Topology topology = llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5), 2},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  EXPECT_EQ(topology.portOf(4, 0), topology.portOf(5, 0));
  EXPECT_NE(topology.portOf(5, 0), topology.portOf(6, 0));
  EXPECT_NE(topology.portOf(4, 1), topology.portOf(5, 1));
}

using Names = std::vector<std::string>;

/// The links of a route, in its order.
static Names linkNames(const Topology &topology, int64_t a, int64_t b) {
  Names found;
  for (LinkId link : topology.route(a, b)) {
    found.push_back(topology.linkName(link));
  }
  return found;
}

TEST(Topology, RoutesAreThePortsOfTheOutermostDifference) {
  Topology topology = llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5), 2},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  auto names = [&](int64_t a, int64_t b) { return linkNames(topology, a, b); };
  EXPECT_EQ(names(1, 3),
            Names({"nvlink out of device 1", "nvlink into device 3"}));
  EXPECT_EQ(names(1, 6),
            Names({"ib out of devices 0-1", "ib into devices 6-7"}));
  // 4 ports of the NICs and 8 of NVLink, two directions each.
  EXPECT_EQ(topology.links().size(), 24u);
}

TEST(Topology, TheSlowestLinkOfARouteIsThePathsBandwidth) {
  Topology topology = twoNodes();
  for (int64_t a = 0; a < 8; ++a) {
    for (int64_t b = 0; b < 8; ++b) {
      if (a == b) {
        continue;
      }
      Path path = topology.path(a, b);
      GigabytesPerSecond slowest(1e9);
      for (LinkId link : topology.route(a, b)) {
        slowest = std::min(slowest, topology.links()[link].bandwidth);
        EXPECT_EQ(topology.links()[link].tier, path.tier);
      }
      EXPECT_EQ(slowest, path.bandwidth);
    }
  }
}

TEST(Topology, ATierOfOnePartHasNoLinks) {
  Topology topology = llvm::cantFail(Topology::create(
      {{"ib", 1, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  EXPECT_EQ(topology.links().size(), 8u);
  EXPECT_EQ(topology.linkName(topology.route(3, 0).back()),
            "nvlink into device 0");
}

static Topology shaped(TierShape shape) {
  Tier tier{"ring", 5, GigabytesPerSecond(50), Microseconds(2)};
  tier.shape = shape;
  return llvm::cantFail(Topology::create(
      {tier, {"nvlink", 2, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

TEST(Topology, RingsTakeTheShorterWay) {
  Topology topology = shaped(TierShape::Ring);
  auto names = [&](int64_t a, int64_t b) { return linkNames(topology, a, b); };
  EXPECT_EQ(names(1, 5),
            Names({"ring up from device 1", "ring up from device 3"}));
  EXPECT_EQ(names(1, 7),
            Names({"ring down from device 1", "ring down from device 9"}));
  EXPECT_EQ(topology.path(1, 7).latency, Microseconds(4));
  EXPECT_EQ(topology.path(1, 9).latency, Microseconds(2));
}

TEST(Topology, PairsHaveLinksOfTheirOwn) {
  Topology topology = shaped(TierShape::FullyConnected);
  std::vector<LinkId> seen;
  for (int64_t part : {0, 1, 3, 4}) {
    Route route = topology.route(4, part * 2);
    ASSERT_EQ(route.size(), 1u);
    EXPECT_EQ(topology.linkName(route[0]),
              "ring from device 4 to part " + std::to_string(part));
    EXPECT_FALSE(llvm::is_contained(seen, route[0]));
    seen.push_back(route[0]);
  }
  EXPECT_EQ(parseTierShape("ring"), TierShape::Ring);
  EXPECT_EQ(parseTierShape("torus"), std::nullopt);
  Tier wide{"all", 8192, GigabytesPerSecond(1), Microseconds(1)};
  wide.shape = TierShape::FullyConnected;
  EXPECT_EQ(message(Topology::create({wide})),
            "tier 'all': expected at most 16777216 links, but got 8192 devices "
            "with a link to each of 8192 parts");
}

TEST(PathClass, NamesReadBack) {
  for (unsigned index = 0; index < pathClassCount; ++index) {
    PathClass pathClass = static_cast<PathClass>(index);
    EXPECT_EQ(parsePathClass(toString(pathClass)), pathClass);
    EXPECT_FALSE(describe(pathClass).empty());
  }
  EXPECT_EQ(parsePathClass("NODE"), std::nullopt);
}

TEST(Topology, RefusesBadTiers) {
  GigabytesPerSecond rate(50);
  Microseconds latency(1);
  EXPECT_EQ(message(Topology::create({})),
            "expected a topology of at least one tier");
  EXPECT_EQ(message(Topology::create({{"", 2, rate, latency}})),
            "expected every tier to have a name");
  EXPECT_EQ(message(Topology::create({{"ib", 0, rate, latency}})),
            "tier 'ib': expected a size of at least 1, but got 0");
  EXPECT_EQ(
      message(Topology::create({{"ib", 2, GigabytesPerSecond(0), latency}})),
      "tier 'ib': expected a bandwidth above 0 GB/s, but got 0.00");
  EXPECT_EQ(message(Topology::create({{"ib", 2, rate, Microseconds(-1)}})),
            "tier 'ib': expected a latency of at least 0 us, but got -1.00");
  EXPECT_EQ(message(Topology::create(
                {{"a", 2, rate, latency}, {"a", 2, rate, latency}})),
            "tier 'a' is defined twice");
  EXPECT_EQ(message(Topology::create(
                {{"a", 1 << 20, rate, latency}, {"b", 2, rate, latency}})),
            "expected at most 1048576 devices, but tier 'b' makes it more");
  EXPECT_EQ(message(Topology::create(
                {{"ib", 2, rate, latency, 3}, {"nvlink", 4, rate, latency}})),
            "tier 'ib': expected the devices on a port to divide the 4 devices "
            "of a part, but got 3");
}

TEST(TokenSplit, FirstRanksHoldOneMore) {
  for (int64_t tokens : {0, 1, 2, 7, 8, 9, 100}) {
    for (int64_t ranks = 1; ranks <= 9; ++ranks) {
      int64_t next = 0;
      for (auto [rank, range] : llvm::enumerate(splitTokens(tokens, ranks))) {
        EXPECT_EQ(range.begin, next);
        EXPECT_EQ(range.size(), tokens / ranks + (static_cast<int64_t>(rank) <
                                                  tokens % ranks));
        next = range.end;
      }
      EXPECT_EQ(next, tokens);
    }
  }
}
