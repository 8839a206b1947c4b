//===- MeshMappingTest.cpp - Heavy axes on fast links ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/MeshMapping.h"
#include "GraphBuilder.h"
#include "TestSupport.h"
#include <algorithm>
#include <numeric>

using namespace moe::planning;
using namespace moe::planning::test;

static AxisTraffic record(const char *axis, CollectiveKind kind, double bytes) {
  AxisTraffic traffic;
  traffic.axes = {axis};
  traffic.kind = kind;
  traffic.bytes = Bytes(bytes);
  traffic.label = axis;
  return traffic;
}

/// The tiers over which a group of the axis talks, as mapped.
static std::vector<int64_t> peers(const Mesh &mesh, const MeshMapping &mapping,
                                  const Topology &topology, const char *axis) {
  Mesh mapped = llvm::cantFail(mesh.withDeviceOrder(mapping.deviceOrder));
  return CostModel(topology).spreadOf(mapped.groups({axis})).peers;
}

TEST(MeshMapping, HeavyAxisGetsTheFastTier) {
  Topology topology = twoNodes();
  // Whichever way the axes are written.
  for (const char *text : {"ep=4,dp=2", "dp=2,ep=4"}) {
    Mesh mesh = llvm::cantFail(Mesh::parse(text));
    MeshMapping mapping = llvm::cantFail(
        chooseMeshMapping(mesh, topology,
                          {record("ep", CollectiveKind::AllToAll, 64e6),
                           record("dp", CollectiveKind::AllReduce, 1e6)}));
    EXPECT_EQ(mapping.chosen.layout, "ib: dp=2, nvlink: ep=4");
    EXPECT_EQ(peers(mesh, mapping, topology, "ep"),
              (std::vector<int64_t>{0, 3}));
    ASSERT_EQ(mapping.chosen.costs.size(), 2u);
    EXPECT_EQ(mapping.chosen.cost,
              mapping.chosen.costs[0] + mapping.chosen.costs[1]);
    ASSERT_FALSE(mapping.refused.empty());
    EXPECT_GT(mapping.refused.front().cost, mapping.chosen.cost);
  }
}

TEST(MeshMapping, AnAxisIsSplitOverTiersWhereItMust) {
  Topology topology = twoNodes();
  Mesh mesh = llvm::cantFail(Mesh::parse("ep=8"));
  MeshMapping mapping = llvm::cantFail(chooseMeshMapping(
      mesh, topology, {record("ep", CollectiveKind::AllToAll, 1e6)}));
  EXPECT_EQ(mapping.chosen.layout, "ib: ep:(1)2, nvlink: ep:(2)4");
  std::vector<int64_t> identity(8);
  std::iota(identity.begin(), identity.end(), 0);
  EXPECT_EQ(mapping.deviceOrder, identity);
  EXPECT_TRUE(mapping.refused.empty());
}

TEST(MeshMapping, AxesCompeteForTheFastTier) {
  // 64 devices as 8 x 8: the heavier axis of 8 gets the node.
  Topology topology = llvm::cantFail(Topology::create(
      {{"ib", 8, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 8, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  Mesh mesh = llvm::cantFail(Mesh::parse("tp=8,ep=8"));
  for (bool isTpHeavy : {false, true}) {
    AxisTraffic tp = record("tp", CollectiveKind::AllReduce, 1e6);
    tp.count = isTpHeavy ? 100 : 1;
    MeshMapping mapping = llvm::cantFail(chooseMeshMapping(
        mesh, topology, {tp, record("ep", CollectiveKind::AllToAll, 16e6)}));
    EXPECT_EQ(mapping.chosen.layout,
              isTpHeavy ? "ib: ep=8, nvlink: tp=8" : "ib: tp=8, nvlink: ep=8");
    for (const MappingAlternative &other : mapping.refused) {
      EXPECT_GE(other.cost, mapping.chosen.cost) << other.layout;
    }
    EXPECT_EQ(mapping.refused.size(), 3u);
  }
}

TEST(MeshMapping, OrderIsAPermutationForAnyFactors) {
  Topology topology = llvm::cantFail(Topology::create(
      {{"pod", 3, GigabytesPerSecond(25), Microseconds(9)},
       {"ib", 4, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 6, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
  Mesh mesh = llvm::cantFail(Mesh::parse("a=6,b=12"));
  for (const char *heavy : {"a", "b"}) {
    MeshMapping mapping = llvm::cantFail(chooseMeshMapping(
        mesh, topology, {record(heavy, CollectiveKind::AllToAll, 1e8)}));
    std::vector<int64_t> order = mapping.deviceOrder;
    std::sort(order.begin(), order.end());
    for (int64_t device = 0; device < 72; ++device) {
      EXPECT_EQ(order[device], device);
    }
    EXPECT_EQ(peers(mesh, mapping, topology, heavy)[0], 0) << heavy;
  }
}

TEST(MeshMapping, TheGivenOrderWinsTies) {
  Topology topology = twoNodes();
  // Nothing communicates, so nothing is better than what is there.
  std::vector<int64_t> given = {7, 2, 0, 4, 1, 6, 5, 3};
  Mesh mesh = llvm::cantFail(Mesh::create({{"dp", 2}, {"ep", 4}}, given));
  MeshMapping mapping = llvm::cantFail(chooseMeshMapping(mesh, topology, {}));
  EXPECT_EQ(mapping.deviceOrder, given);
  EXPECT_EQ(mapping.chosen.layout, "device order as given");
  // With traffic it is costed by its worst group and refused.
  MeshMapping better = llvm::cantFail(chooseMeshMapping(
      mesh, topology, {record("ep", CollectiveKind::AllToAll, 1e6)}));
  EXPECT_EQ(better.chosen.layout, "ib: dp=2, nvlink: ep=4");
  EXPECT_TRUE(std::any_of(better.refused.begin(), better.refused.end(),
                          [](const MappingAlternative &other) {
                            return other.layout == "device order as given";
                          }));
}

TEST(MeshMapping, RefusesWhatDoesNotFit) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=3"));
  EXPECT_EQ(message(chooseMeshMapping(mesh, twoNodes(), {})),
            "expected a mesh of 8 devices, but got dp=2 x ep=3 = 6");
  Mesh fitting = llvm::cantFail(Mesh::parse("dp=2,ep=4"));
  EXPECT_EQ(
      message(chooseMeshMapping(fitting, twoNodes(),
                                {record("tp", CollectiveKind::AllReduce, 1)})),
      "traffic 'tp': mesh dp=2,ep=4 has no axis 'tp'");
}

// Two GPUs of a socket each: both pairs across share the link between sockets,
// which a single pair would have for itself.
TEST(MeshMapping, GroupsOfANodeShareItsLinks) {
  Topology topology =
      llvm::cantFail(Topology::ofNodes(fourGpus({}).build(), {}));
  CostModel model(topology);
  DeviceGroup left = {0, 2}, right = {1, 3};
  Bytes bytes(40e6);
  auto time = [&](const std::vector<DeviceGroup> &groups) {
    return model.collectiveTime(CollectiveKind::AllToAll, bytes, groups)
        .value();
  };
  // A half of the bytes goes over 10 GB/s, of two groups all of them.
  EXPECT_NEAR(time({left}), 20e6 / 10e3, 20);
  EXPECT_DOUBLE_EQ(time({left, right}), 40e6 / 10e3);
  Mesh mesh = llvm::cantFail(Mesh::parse("ep=2,dp=2"));
  MeshMapping mapping = llvm::cantFail(chooseMeshMapping(
      mesh, topology, {record("ep", CollectiveKind::AllToAll, 40e6)}));
  std::vector<int64_t> group =
      llvm::cantFail(mesh.withDeviceOrder(mapping.deviceOrder))
          .groupOf(0, {"ep"});
  EXPECT_EQ(group, (DeviceGroup{0, 1}));
  EXPECT_DOUBLE_EQ(mapping.refused.front().cost.value(), 40e6 / 10e3);
}

// Stages hand their rows to the next one only.
TEST(MeshMapping, StagesTakeTheSlowTier) {
  Topology topology = twoNodes();
  CostModel model(topology);
  std::vector<DeviceGroup> stages = {{0, 4}};
  EXPECT_DOUBLE_EQ(
      model.collectiveTime(CollectiveKind::Send, Bytes(5e6), stages).value(),
      model.collectiveTime(CollectiveKind::Send, Bytes(0), stages).value() +
          5e6 / 50e3);
  Mesh mesh = llvm::cantFail(Mesh::parse("ep=4,pp=2"));
  MeshMapping mapping = llvm::cantFail(
      chooseMeshMapping(mesh, topology,
                        {record("pp", CollectiveKind::Send, 1e6),
                         record("ep", CollectiveKind::AllToAll, 8e6)}));
  EXPECT_EQ(mapping.chosen.layout, "ib: pp=2, nvlink: ep=4");
}
