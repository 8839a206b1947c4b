//===- ExchangePlanTest.cpp - Phases, bytes and times of exchanges --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "moe/Planning/CostModel.h"
#include "llvm/Support/Casting.h"
#include <numeric>
#include <random>

using namespace moe::planning;
using namespace moe::planning::test;

static const DeviceGroup allDevices = {0, 1, 2, 3, 4, 5, 6, 7};

static ExchangePlan plan(ExchangeDirection direction, ExchangeForm form) {
  ExchangeRequest request;
  request.direction = direction;
  request.form = form;
  request.axes = {"ep"};
  request.rowBytes = 10;
  request.localSlots = 3;
  request.bound = 40;
  return ExchangePlan::create(request);
}
static ExchangePlan exactDispatch() {
  return plan(ExchangeDirection::Dispatch, ExchangeForm::FlatExact);
}
static ExchangePlan combine() {
  return plan(ExchangeDirection::Combine, ExchangeForm::FlatExact);
}

static CountMatrix randomCounts(int64_t ranks, unsigned seed) {
  std::mt19937 random(seed);
  CountMatrix counts(ranks);
  for (int64_t s = 0; s < ranks; ++s) {
    for (int64_t d = 0; d < ranks; ++d) {
      counts.add(s, d, random() % 5);
    }
  }
  return counts;
}

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

TEST(CostModel, ExchangeTakesTheSlowestTier) {
  Topology topology = twoNodes();
  CostConstants constants;
  ASSERT_EQ(message(constants.set("message_overhead", 0.25, "test")), "");
  CostModel model(topology, constants);
  CountMatrix counts(8);
  counts.add(0, 1, 1e5);
  counts.add(0, 4, 1e5);
  counts.add(1, 4, 2e5);
  ExchangeCost cost = model.exchangeCost(combine(), {{allDevices, counts}});
  // Device 4 sends 3 MB back over its NIC, in two messages.
  EXPECT_DOUBLE_EQ(cost.tiers[0].time.value(), 5 + 2 * 0.25 + 3e6 / 50e3);
  EXPECT_DOUBLE_EQ(cost.tiers[1].time.value(), 1.5 + 0.25 + 1e6 / 370.8e3);
  EXPECT_EQ(cost.wire, cost.tiers[0].time);
  EXPECT_EQ(cost.tiers[0].busiestPort, Bytes(3e6));
  EXPECT_EQ(cost.host, Microseconds());
}

/// Two nodes as above, with NICs that several devices share.
static Topology sharedNics(int64_t devicesPerPort) {
  return llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5), devicesPerPort},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

TEST(CostModel, DevicesOfAPortShareIt) {
  // Rows of 10 bytes from 4 and 6 to 0 and 1: those receive over one port.
  CountMatrix receivers(8);
  receivers.add(0, 4, 1e6);
  receivers.add(1, 6, 1e6);
  // From 4 and 5 to 0 and 2: those send over one port.
  CountMatrix senders(8);
  senders.add(0, 4, 1e6);
  senders.add(2, 5, 1e6);
  for (const CountMatrix &counts : {receivers, senders}) {
    for (int64_t devicesPerPort : {1, 2}) {
      Topology topology = sharedNics(devicesPerPort);
      ExchangeCost cost =
          CostModel(topology).exchangeCost(combine(), {{allDevices, counts}});
      EXPECT_EQ(cost.tiers[0].busiestPort, Bytes(devicesPerPort * 1e7));
    }
  }
}

TEST(CostModel, CollectivesShareThePortsToo) {
  auto time = [](int64_t devicesPerPort) {
    Topology topology = sharedNics(devicesPerPort);
    CostModel model(topology);
    return model
        .collectiveTime(CollectiveKind::AllToAll, Bytes(8e6),
                        model.spreadOf({allDevices}))
        .value();
  };
  EXPECT_NEAR(time(4) - time(1), 3 * 4e6 / 50e3, 1e-9);
}

TEST(CostModel, CostGrowsWithEveryRow) {
  Topology topology = twoNodes();
  CostModel model(topology);
  for (const ExchangePlan &exchange : {exactDispatch(), combine()}) {
    CountMatrix counts = randomCounts(8, 11);
    Microseconds before =
        model.exchangeCost(exchange, {{allDevices, counts}}).total();
    for (int64_t s = 0; s < 8; ++s) {
      for (int64_t d = 0; d < 8; ++d) {
        counts.add(s, d, 1000);
        Microseconds after =
            model.exchangeCost(exchange, {{allDevices, counts}}).total();
        EXPECT_GE(after, before);
        before = after;
      }
    }
  }
}

TEST(CostModel, ExactFormPaysTheHost) {
  Topology topology = twoNodes();
  CostModel model(topology);
  CountMatrix counts = randomCounts(8, 4);
  ExchangeCost exact =
      model.exchangeCost(exactDispatch(), {{allDevices, counts}});
  ExchangeCost bounded = model.exchangeCost(
      plan(ExchangeDirection::Dispatch, ExchangeForm::FlatBounded),
      {{allDevices, counts}});
  EXPECT_EQ(exact.host, Microseconds(10));
  EXPECT_EQ(bounded.host, Microseconds());
  EXPECT_EQ(exact.wire, bounded.wire);
}

TEST(CostModel, CollectivesFollowTheirFormulas) {
  Topology topology = twoNodes();
  CostConstants constants;
  ASSERT_EQ(message(constants.set("message_overhead", 0.25, "test")), "");
  CostModel model(topology, constants);
  GroupSpread spread = model.spreadOf({allDevices});
  EXPECT_EQ(spread.peers, (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(spread.size(), 8);
  Bytes bytes(8e6);
  auto time = [&](CollectiveKind kind) {
    return model.collectiveTime(kind, bytes, spread).value();
  };
  EXPECT_DOUBLE_EQ(time(CollectiveKind::AllToAll), 5 + 1 + 4e6 / 50e3);
  // Four devices bring half of the result into each node.
  EXPECT_DOUBLE_EQ(time(CollectiveKind::AllGather), 5 + 1 + 1e6 / 50e3);
  EXPECT_DOUBLE_EQ(time(CollectiveKind::ReduceScatter),
                   time(CollectiveKind::AllGather));
  EXPECT_DOUBLE_EQ(time(CollectiveKind::AllReduce),
                   2 * time(CollectiveKind::AllGather));
  // Inside a node there is NVLink only.
  EXPECT_DOUBLE_EQ(
      model
          .collectiveTime(CollectiveKind::AllGather, bytes,
                          model.spreadOf({{0, 1, 2, 3}, {4, 5, 6, 7}}))
          .value(),
      1.5 + 0.75 + 6e6 / 370.8e3);
  EXPECT_EQ(model.collectiveTime(CollectiveKind::AllReduce, bytes,
                                 model.spreadOf({{0}})),
            Microseconds());
}

TEST(CostModel, ComputeIsBoundByArithmeticOrMemory) {
  Topology topology = twoNodes();
  CostModel model(topology);
  EXPECT_DOUBLE_EQ(model.computeTime(Flops(1e12), Bytes(1)).value(),
                   1e6 / (989.4 * 0.6));
  EXPECT_DOUBLE_EQ(model.computeTime(Flops(1), Bytes(3350e3)).value(), 1);
}

TEST(CostConstants, NameUnitSourceAndWhetherDefault) {
  CostConstants constants;
  for (const CostConstant &constant : constants.all()) {
    EXPECT_FALSE(constant.name.empty());
    EXPECT_FALSE(constant.unit.empty());
    EXPECT_FALSE(constant.source.empty());
    EXPECT_TRUE(constant.basis == ConstantBasis::Default ||
                constant.basis == ConstantBasis::Assumed);
    EXPECT_EQ(constants[constant.id], constant.value);
  }
  EXPECT_EQ(message(constants.set("memory_bandwidth", 2039, "A100")), "");
  EXPECT_EQ(constants[ConstantId::MemoryBandwidth], 2039);
  for (const CostConstant &constant : constants.all()) {
    EXPECT_EQ(constant.basis == ConstantBasis::User,
              constant.name == "memory_bandwidth");
  }
  EXPECT_EQ(message(constants.set("memory_bandwidth", 0, "x")),
            "cost constant 'memory_bandwidth': expected a value above 0, but "
            "got 0.00");
  EXPECT_NE(message(constants.set("speed", 1, "x")).find("known: "),
            std::string::npos);
}
