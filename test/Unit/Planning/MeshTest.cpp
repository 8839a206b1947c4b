//===- MeshTest.cpp - Coordinates, groups and sub-axes --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include <numeric>
#include <set>

using namespace moe::planning;
using namespace moe::planning::test;

using Groups = std::vector<DeviceGroup>;

/// An order of `count` devices that is neither the identity nor its reverse.
static std::vector<int64_t> stride(int64_t count, int64_t step) {
  std::vector<int64_t> order(count);
  for (int64_t position = 0; position < count; ++position) {
    order[position] = position * step % count;
  }
  return order;
}

TEST(Mesh, NumbersPositionsRowMajor) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=3"));
  EXPECT_EQ(mesh.coordinates(4), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(mesh.groups({"ep"}), (Groups{{0, 1, 2}, {3, 4, 5}}));
  EXPECT_EQ(mesh.groups({"dp"}), (Groups{{0, 3}, {1, 4}, {2, 5}}));
  EXPECT_EQ(mesh.groups({}), (Groups{{0}, {1}, {2}, {3}, {4}, {5}}));
  EXPECT_EQ(mesh.toString(), "dp=2,ep=3");
}

TEST(Mesh, OrderOfAxesIsOrderInTheGroup) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=3"));
  EXPECT_EQ(mesh.groups({"dp", "ep"}), (Groups{{0, 1, 2, 3, 4, 5}}));
  EXPECT_EQ(mesh.groups({"ep", "dp"}), (Groups{{0, 3, 1, 4, 2, 5}}));
  EXPECT_EQ(mesh.indexInGroup(3, {"ep", "dp"}), 1);
}

TEST(Mesh, DeviceOrderSaysWhoSitsWhere) {
  Mesh mesh =
      llvm::cantFail(Mesh::create({{"dp", 2}, {"ep", 2}}, {0, 2, 1, 3}));
  EXPECT_EQ(mesh.groups({"ep"}), (Groups{{0, 2}, {1, 3}}));
  EXPECT_EQ(mesh.coordinate(2, "ep"), 1);
  EXPECT_EQ(mesh.groupOf(3, {"ep"}), (DeviceGroup{1, 3}));
}

TEST(Mesh, GroupsPartitionTheDevices) {
  for (int64_t step : {1, 5, 7}) {
    Mesh mesh = llvm::cantFail(
        Mesh::create({{"pp", 2}, {"dp", 3}, {"ep", 4}}, stride(24, step)));
    std::vector<std::vector<AxisRef>> choices = {{},
                                                 {"pp"},
                                                 {"dp"},
                                                 {"ep"},
                                                 {"ep", "pp"},
                                                 {"dp", "ep"},
                                                 {"pp", "dp", "ep"},
                                                 {AxisRef("ep", 1, 2)},
                                                 {AxisRef("ep", 2, 2), "dp"}};
    for (const std::vector<AxisRef> &axes : choices) {
      ASSERT_EQ(message(mesh.verifyAxes(axes)), "");
      std::set<int64_t> seen;
      for (const DeviceGroup &group : mesh.groups(axes)) {
        EXPECT_EQ(static_cast<int64_t>(group.size()), mesh.groupSize(axes));
        for (size_t index = 0; index < group.size(); ++index) {
          EXPECT_TRUE(seen.insert(group[index]).second);
          EXPECT_EQ(mesh.indexInGroup(group[index], axes),
                    static_cast<int64_t>(index));
          EXPECT_EQ(mesh.groupOf(group[index], axes), group);
        }
      }
      EXPECT_EQ(seen.size(), 24u);
    }
  }
}

TEST(Mesh, SubAxesTogetherAreTheAxis) {
  Mesh mesh =
      llvm::cantFail(Mesh::create({{"dp", 3}, {"ep", 12}}, stride(36, 5)));
  std::vector<AxisRef> parts = {AxisRef("ep", 1, 2), AxisRef("ep", 2, 3),
                                AxisRef("ep", 6, 0)};
  ASSERT_EQ(message(mesh.verifyAxes(parts)), "");
  EXPECT_EQ(mesh.groups(parts), mesh.groups({"ep"}));
  for (int64_t device = 0; device < 36; ++device) {
    EXPECT_EQ(mesh.indexInGroup(device, parts), mesh.coordinate(device, "ep"));
  }
}

TEST(Mesh, RefusesBadAxes) {
  EXPECT_EQ(message(Mesh::create({})), "expected a mesh of at least one axis");
  EXPECT_EQ(message(Mesh::parse("dp=2,ep")),
            "mesh: expected 'axis=size', but got 'ep'");
  EXPECT_EQ(message(Mesh::parse("=2")),
            "expected every mesh axis to have a name");
  EXPECT_EQ(message(Mesh::parse("dp=2,dp=4")),
            "mesh axis 'dp' is defined twice");
  EXPECT_EQ(message(Mesh::parse("dp=0")),
            "mesh axis 'dp': expected a size of at least 1, but got 0");
  EXPECT_EQ(message(Mesh::parse("dp=1048576,ep=2")),
            "expected at most 1048576 devices, but mesh axis 'ep' makes it "
            "more");
}

TEST(Mesh, RefusesBadDeviceOrders) {
  EXPECT_EQ(message(Mesh::create({{"dp", 2}, {"ep", 2}}, {0, 1, 2})),
            "expected a device order of 4 devices (mesh dp=2 x ep=2 = 4), but "
            "got 3");
  EXPECT_EQ(message(Mesh::create({{"ep", 2}}, {0, 2})),
            "expected a device order of the devices 0 to 1, but got 2");
  EXPECT_EQ(message(Mesh::create({{"ep", 2}}, {1, 1})),
            "device 1 is twice in the device order");
}

TEST(Mesh, ProductMustBeTheDeviceCount) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=3"));
  EXPECT_EQ(message(mesh.verifyOn(twoNodes())),
            "expected a mesh of 8 devices, but got dp=2 x ep=3 = 6");
  EXPECT_EQ(message(mesh.verifyDeviceCount(6)), "");
}

TEST(Mesh, RefusesBadAxisReferences) {
  Mesh mesh = llvm::cantFail(Mesh::parse("dp=2,ep=12"));
  EXPECT_EQ(message(mesh.verifyAxes({"tp"})),
            "mesh dp=2,ep=12 has no axis 'tp'");
  EXPECT_EQ(message(mesh.verifyAxes({AxisRef("ep", 2, 4)})),
            "expected sub-axis 'ep:(2)4' to divide its axis of size 12");
  EXPECT_EQ(message(mesh.verifyAxes({AxisRef("ep", 0, 4)})),
            "expected sub-axis 'ep:(0)4' to divide its axis of size 12");
  EXPECT_EQ(message(mesh.verifyAxes({"ep", AxisRef("ep", 2, 3)})),
            "mesh axes 'ep' and 'ep:(2)3' overlap");
  EXPECT_EQ(
      message(mesh.verifyAxes({AxisRef("ep", 1, 4), AxisRef("ep", 2, 3)})),
      "mesh axes 'ep:(1)4' and 'ep:(2)3' overlap");
  EXPECT_EQ(
      message(mesh.verifyAxes({AxisRef("ep", 1, 2), AxisRef("ep", 3, 2)})),
      "mesh axes 'ep:(1)2' and 'ep:(3)2' overlap");
  EXPECT_EQ(
      message(mesh.verifyAxes({AxisRef("ep", 1, 2), AxisRef("ep", 6, 2)})), "");
}
