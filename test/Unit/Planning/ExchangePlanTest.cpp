//===- ExchangePlanTest.cpp - Phases and bytes of exchanges ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/ExchangePlan.h"
#include "ExchangesOfEight.h"
#include "TestSupport.h"
#include "llvm/Support/Casting.h"
#include <numeric>

using namespace moe::planning;
using namespace moe::planning::test;

TEST(ExchangePlan, PhasesReadAloud) {
  EXPECT_EQ(exactDispatch().toString(),
            "flat exact dispatch over {ep}: count exchange over {ep}, permute "
            "token to destination order, host extent, exchange over {ep}, "
            "permute arrival to slot order");
  EXPECT_EQ(
      plan(ExchangeDirection::Dispatch, ExchangeForm::FlatBounded).toString(),
      "flat bounded dispatch over {ep}: count exchange over {ep}, permute "
      "token to destination order, exchange over {ep}, permute arrival to "
      "slot order");
  EXPECT_EQ(combine().toString(),
            "flat exact combine over {ep}: permute slot to arrival order, "
            "exchange over {ep}, weighted sum");
}

TEST(ExchangePlan, PhasesCarryWhatLoweringNeeds) {
  ExchangePlan dispatch = exactDispatch();
  auto *counts = llvm::dyn_cast<CountExchangePhase>(dispatch.phases()[0].get());
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->bytesPerPeer(), 12);
  auto *extent = llvm::dyn_cast<HostExtentPhase>(dispatch.phases()[2].get());
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->bound(), 40);
  EXPECT_EQ(dispatch.reservedRows(), 0);
  EXPECT_EQ(plan(ExchangeDirection::Dispatch, ExchangeForm::FlatBounded)
                .reservedRows(),
            40);
}

TEST(ExchangePlan, BytesGoToTheirTier) {
  Topology topology = twoNodes();
  CountMatrix counts(8);
  counts.add(0, 0, 7); // stays
  counts.add(0, 1, 5); // NVLink
  counts.add(0, 4, 3); // InfiniBand
  counts.add(5, 2, 2); // InfiniBand
  ExchangeTraffic traffic = exactDispatch().bytes(counts, topology, allDevices);
  // Metadata: 3 counts of 4 bytes; a rank has 4 peers on ib and 3 on nvlink.
  EXPECT_EQ(traffic.tiers[0],
            (Traffic{Bytes(50), Bytes(8 * 4 * 12), Bytes(), 8 * 4 + 2}));
  EXPECT_EQ(traffic.tiers[1],
            (Traffic{Bytes(50), Bytes(8 * 3 * 12), Bytes(), 8 * 3 + 1}));
  EXPECT_EQ(traffic.local, (Traffic{Bytes(70), Bytes(8 * 12), Bytes(), 8 + 1}));
}

TEST(ExchangePlan, GroupsDecideTheTier) {
  // Two groups of four over a mesh that puts each group into one node.
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=4"));
  Topology topology = twoNodes();
  ExchangeTraffic traffic;
  for (const DeviceGroup &group : mesh.groups({"ep"})) {
    traffic += exactDispatch().bytes(randomCounts(4, 5), topology, group);
  }
  EXPECT_EQ(traffic.tiers[0], Traffic());
  EXPECT_GT(traffic.tiers[1].payload.value(), 0);
}

TEST(ExchangePlan, CombineReturnsWhatDispatchSent) {
  Topology topology = twoNodes();
  for (unsigned seed = 0; seed < 20; ++seed) {
    CountMatrix counts = randomCounts(8, seed);
    ExchangeTraffic out = exactDispatch().bytes(counts, topology, allDevices);
    ExchangeTraffic back = combine().bytes(counts, topology, allDevices);
    for (unsigned tier = 0; tier < 2; ++tier) {
      EXPECT_EQ(out.tiers[tier].payload, back.tiers[tier].payload);
      EXPECT_EQ(back.tiers[tier].metadata, Bytes());
    }
    EXPECT_EQ(out.local.payload, back.local.payload);
    EXPECT_EQ(out.remote().payload + out.local.payload,
              Bytes(10 * counts.total()));
  }
}

TEST(ExchangePlan, GivesPublishedBandwidthsOfDeepEP) {
  // DeepEP's low-latency dispatch: one copy per selected expert, FP8 with a
  // scale per 128 values and 16 bytes of header. T=128, H=7168, K=8.
  ExchangeRequest request;
  request.axes = {"ep"};
  request.rowBytes = 7168 + 4 * 7168 / 128 + 16;
  ExchangePlan dispatch = ExchangePlan::create(request);
  Topology topology =
      Topology::uniform(8, "nvlink", GigabytesPerSecond(160), Microseconds(1));
  std::vector<double> shares(256, 1.0 / 256);
  CountMatrix counts = expectedRows(8, shares, splitTokens(8 * 128, 8),
                                    Placement::contiguous(256, 8));
  ExchangeTraffic traffic = dispatch.bytes(counts, topology, allDevices);
  double bytesOfARank =
      (traffic.remote().payload + traffic.local.payload).value() / 8;
  // Published: 98 GB/s (EP8, 77 us) and 63 GB/s (EP16, 118 us).
  EXPECT_NEAR(bytesOfARank / 77e3, 98.5, 0.05);
  EXPECT_NEAR(bytesOfARank / 118e3, 64.3, 0.05);
}
