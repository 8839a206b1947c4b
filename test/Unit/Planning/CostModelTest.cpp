//===- CostModelTest.cpp - Predicted times of exchanges and compute -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CostModel.h"
#include "ExchangesOfEight.h"
#include "TestSupport.h"
#include <cmath>
#include <numeric>
#include <random>

using namespace moe::planning;
using namespace moe::planning::test;

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

//===----------------------------------------------------------------------===//
// Calibration
//===----------------------------------------------------------------------===//

/// A box of one product; `bandwidth` 0 stands for the product's own.
static Topology box(llvm::StringRef product, int64_t devices,
                    double bandwidth = 0) {
  double own = findAccelerator(product)->linkBandwidth.value();
  return Topology::uniform(devices, "nvlink",
                           GigabytesPerSecond(bandwidth > 0 ? bandwidth : own),
                           Microseconds(11.8));
}

static CostConstants constantsOf(llvm::StringRef product) {
  return llvm::cantFail(CostConstants::forAccelerator(product));
}

static DeviceGroup firstDevices(int64_t count) {
  return DeviceGroup(allDevices.begin(), allDevices.begin() + count);
}

/// The same number of rows of 10 bytes between all ranks.
static CountMatrix evenCounts(int64_t ranks, double rows) {
  CountMatrix counts(ranks);
  for (int64_t s = 0; s < ranks; ++s) {
    for (int64_t d = 0; d < ranks; ++d) {
      counts.add(s, d, rows);
    }
  }
  return counts;
}

TEST(CostModel, EvenExchangesTakeWhatWasMeasured) {
  for (const char *product : {"A100", "H100", "B200"}) {
    const GroupRamps &ramps = findAccelerator(product)->ramps;
    for (size_t index = 0; index < ramps.size(); ++index) {
      int64_t devices = rampGroupSizes[index];
      Topology topology = box(product, devices);
      CostModel model(topology, constantsOf(product));
      ASSERT_TRUE(model.isCalibrated(0));
      for (double rows : {1e2, 1e4, 1e6, 5e6}) {
        Microseconds measured =
            ramps[index].timeOf(Bytes(10 * rows * double(devices - 1)));
        ExchangeCost cost = model.exchangeCost(
            combine(), {{firstDevices(devices), evenCounts(devices, rows)}});
        EXPECT_NEAR(cost.wire / measured, 1, 1e-9)
            << product << " " << devices << " " << rows;
        EXPECT_EQ(cost.wire, model.collectiveTime(
                                 CollectiveKind::AllToAll,
                                 Bytes(10 * rows * double(devices)),
                                 model.spreadOf({firstDevices(devices)})));
      }
    }
  }
}

TEST(CostModel, CalibrationNeedsTheLinksThatWereMeasured) {
  Topology nvlink = box("A100", 8), pcie = box("A100", 8, 24);
  EXPECT_TRUE(CostModel(nvlink, constantsOf("A100")).isCalibrated(0));
  EXPECT_FALSE(CostModel(pcie, constantsOf("A100")).isCalibrated(0));
  EXPECT_FALSE(CostModel(nvlink).isCalibrated(0));
  Topology nodes = llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(240), Microseconds(5)},
       {"nvlink", 4, GigabytesPerSecond(240), Microseconds(1.5)}}));
  CostModel model(nodes, constantsOf("A100"));
  EXPECT_FALSE(model.isCalibrated(0));
  EXPECT_TRUE(model.isCalibrated(1));
  // A product that nobody measured is costed by its links.
  Topology h800 = box("H800", 8);
  EXPECT_EQ(CostModel(h800, constantsOf("H800"))
                .exchangeCost(combine(), {{allDevices, evenCounts(8, 1e6)}})
                .wire,
            CostModel(h800)
                .exchangeCost(combine(), {{allDevices, evenCounts(8, 1e6)}})
                .wire);
}

TEST(CostModel, TimeNeverFallsWithTheBytesOfAPair) {
  std::mt19937 random(5);
  for (const char *product : {"A100", "B200"}) {
    for (int64_t devices : {3, 8}) {
      Topology topology = box(product, devices);
      CostModel model(topology, constantsOf(product));
      for (int trial = 0; trial < 200; ++trial) {
        // Few pairs talk at first: a pair that begins to brings a peer.
        CountMatrix counts(devices);
        for (int step = 0; step < 12; ++step) {
          Microseconds before =
              model.exchangeCost(combine(), {{firstDevices(devices), counts}})
                  .wire;
          counts.add(random() % devices, random() % devices,
                     std::pow(10.0, double(random() % 8)));
          EXPECT_GE(
              model.exchangeCost(combine(), {{firstDevices(devices), counts}})
                  .wire,
              before);
        }
      }
    }
  }
}

TEST(CostModel, MorePeersThanWereMeasuredCostLatency) {
  Topology small = box("B200", 8), large = box("B200", 72);
  CostModel eight(small, constantsOf("B200"));
  CostModel all(large, constantsOf("B200"));
  DeviceGroup devices(72);
  std::iota(devices.begin(), devices.end(), 0);
  auto time = [](const CostModel &model, const DeviceGroup &group) {
    return model.collectiveTime(CollectiveKind::AllToAll, Bytes(0),
                                model.spreadOf({group}));
  };
  const GroupRamps &ramps = findAccelerator("B200")->ramps;
  EXPECT_EQ(time(eight, allDevices), ramps[2].latency);
  EXPECT_NEAR(time(all, devices).value(), 10.90 + 64 * (10.90 - 9.31) / 6,
              1e-9);
}

TEST(CostModel, NamesTheSlowestLink) {
  Topology topology = sharedNics(2);
  CountMatrix counts(8);
  counts.add(1, 6, 10);
  counts.add(2, 6, 5);
  counts.add(4, 5, 5);
  // A combine sends the other way: 6 to 1 and 2.
  ExchangeCost cost =
      CostModel(topology).exchangeCost(combine(), {{allDevices, counts}});
  ASSERT_TRUE(cost.tiers[0].slowestLink && cost.tiers[1].slowestLink);
  EXPECT_EQ(topology.linkName(*cost.tiers[0].slowestLink),
            "ib out of devices 6-7");
  // Both of its ends carry as much: the first of them.
  EXPECT_EQ(topology.linkName(*cost.tiers[1].slowestLink),
            "nvlink into device 4");
  counts = CountMatrix(8);
  counts.add(1, 2, 10);
  cost = CostModel(topology).exchangeCost(combine(), {{allDevices, counts}});
  EXPECT_FALSE(cost.tiers[0].slowestLink);
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
