// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plans survive the way to attributes and back.

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Planning/RankDistance.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "gtest/gtest.h"

#include <numeric>
#include <random>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

namespace {
class PlanAttributesTest : public ::testing::Test {
protected:
  PlanAttributesTest() : builder(&context) {
    context.loadDialect<comm::CommDialect, MoEDialect>();
    module = ModuleOp::create(builder, builder.getUnknownLoc());
    builder.setInsertionPointToStart(module->getBody());
  }

  PlacementOp
  createPlacement(const planning::Placement &placement,
                  planning::Placement::Distance distance = nullptr) {
    auto axes = comm::AxisListAttr::get(
        &context, {comm::AxisRefAttr::get(&context, "ep")});
    PlacementAttributes attributes =
        toAttributes(&context, placement, distance);
    return PlacementOp::create(
        builder, builder.getUnknownLoc(), "p", placement.expertCount(), axes,
        "mesh", attributes.slots, attributes.replicas, StringAttr());
  }

  /// A mesh @mesh of `ep` on a topology of `nodes` nodes; returns the distance
  /// between its ranks.
  planning::RankDistance createCluster(int64_t nodes, int64_t devices,
                                       const std::vector<int64_t> &order) {
    planning::Topology topology = llvm::cantFail(planning::Topology::create(
        {{"ib", nodes, planning::GigabytesPerSecond(50),
          planning::Microseconds(5)},
         {"nvlink", devices / nodes, planning::GigabytesPerSecond(370),
          planning::Microseconds(1)}}));
    createTopology(builder, builder.getUnknownLoc(), "t", topology);
    planning::Mesh mesh =
        llvm::cantFail(planning::Mesh::create({{"ep", devices}}, order));
    comm::MeshOp::create(builder, builder.getUnknownLoc(), "mesh",
                         toAttribute(&context, mesh),
                         FlatSymbolRefAttr::get(&context, "t"),
                         builder.getDenseI64ArrayAttr(order));
    return planning::RankDistance(mesh, {"ep"}, topology);
  }

  /// A number in [low, high].
  int64_t draw(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % (high - low + 1));
  }

  MLIRContext context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  std::mt19937_64 random{20240607};
};
} // namespace

/// Each expert on at least one rank, some on several, with empty slots between.
static planning::PlacementData drawPlacement(std::mt19937_64 &random) {
  auto draw = [&](int64_t below) {
    return static_cast<int64_t>(random() % below);
  };
  planning::PlacementData data;
  data.expertCount = 1 + draw(12);
  data.expertsByRank.resize(1 + draw(6));
  for (int64_t expert = 0; expert < data.expertCount; ++expert) {
    size_t first = draw(data.expertsByRank.size());
    for (size_t rank = 0; rank < data.expertsByRank.size(); ++rank) {
      if (rank == first || draw(4) == 0) {
        data.expertsByRank[rank].push_back(expert);
      }
      if (draw(8) == 0) {
        data.expertsByRank[rank].push_back(-1);
      }
    }
  }
  return data;
}

TEST_F(PlanAttributesTest, axes_round_trip) {
  std::vector<planning::AxisRef> axes = {planning::AxisRef("dp"),
                                         planning::AxisRef("ep", 2, 4)};
  std::vector<planning::AxisRef> back = toPlanning(toAttribute(&context, axes));
  ASSERT_EQ(back.size(), axes.size());
  for (size_t index = 0; index < axes.size(); ++index) {
    EXPECT_EQ(back[index].toString(), axes[index].toString());
    EXPECT_EQ(back[index].preSize, axes[index].preSize);
    EXPECT_EQ(back[index].size, axes[index].size);
  }
}

TEST_F(PlanAttributesTest, topology_round_trips) {
  for (int run = 0; run < 100; ++run) {
    std::vector<planning::Tier> tiers;
    for (int64_t tier = draw(1, 3); tier > 0; --tier) {
      tiers.push_back({"tier" + std::to_string(tier), draw(1, 8),
                       planning::GigabytesPerSecond(draw(1, 9999) / 7.0),
                       planning::Microseconds(draw(0, 9999) / 13.0)});
    }
    planning::Topology topology =
        llvm::cantFail(planning::Topology::create(tiers));
    comm::TopologyOp op =
        createTopology(builder, builder.getUnknownLoc(), "t", topology);
    planning::Topology back = llvm::cantFail(toPlanning(op));
    ASSERT_EQ(back.tierCount(), topology.tierCount());
    for (unsigned index = 0; index < tiers.size(); ++index) {
      EXPECT_EQ(back.tier(index).name, tiers[index].name);
      EXPECT_EQ(back.tier(index).size, tiers[index].size);
      EXPECT_EQ(back.tier(index).bandwidth, tiers[index].bandwidth);
      EXPECT_EQ(back.tier(index).latency, tiers[index].latency);
    }
  }
}

TEST_F(PlanAttributesTest, mesh_round_trips) {
  for (int run = 0; run < 100; ++run) {
    std::vector<planning::MeshAxis> axes;
    int64_t devices = 1;
    for (int64_t axis = draw(1, 4); axis > 0; --axis) {
      axes.push_back({"axis" + std::to_string(axis), draw(1, 4)});
      devices *= axes.back().size;
    }
    std::vector<int64_t> order(devices);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    planning::Mesh mesh = llvm::cantFail(planning::Mesh::create(axes, order));
    auto op = comm::MeshOp::create(
        builder, builder.getUnknownLoc(), "m", toAttribute(&context, mesh),
        FlatSymbolRefAttr(), builder.getDenseI64ArrayAttr(mesh.deviceOrder()));
    planning::Mesh back = llvm::cantFail(toPlanning(op));
    EXPECT_EQ(back.toString(), mesh.toString());
    EXPECT_EQ(back.deviceOrder().vec(), order);
  }
}

/// Replica tables with random runs for about half of the replicated experts.
static void drawTables(planning::PlacementData &data, std::mt19937_64 &random) {
  std::map<int64_t, std::vector<int64_t>> slots;
  int64_t slot = 0;
  for (const std::vector<int64_t> &experts : data.expertsByRank) {
    for (int64_t expert : experts) {
      slots[expert].push_back(slot++);
    }
  }
  int64_t cells = data.rankCount() * planning::tokenClasses;
  for (const auto &[expert, places] : slots) {
    if (expert < 0 || places.size() == 1 || random() % 2 == 0) {
      continue;
    }
    std::vector<int64_t> table;
    while (static_cast<int64_t>(table.size()) < cells) {
      table.insert(table.end(), 1 + random() % 100,
                   places[random() % places.size()]);
    }
    table.resize(cells);
    data.replicaTables[expert] = planning::ReplicaTable(table);
  }
}

TEST_F(PlanAttributesTest, placement_round_trips) {
  int64_t written = 0, left = 0;
  for (int run = 0; run < 300; ++run) {
    planning::PlacementData data = drawPlacement(random);
    drawTables(data, random);
    planning::Placement placement =
        llvm::cantFail(planning::Placement::create(data));
    PlacementOp op = createPlacement(placement);
    ASSERT_TRUE(succeeded(op.verify()));
    EXPECT_EQ(op.getLocalSlots(), placement.localSlots());
    planning::PlacementData given = toPlacementData(op);
    EXPECT_EQ(given.expertCount, data.expertCount);
    EXPECT_EQ(given.expertsByRank, data.expertsByRank);
    // What the default rule gives is not written, all else is.
    for (const auto &[expert, table] : given.replicaTables) {
      EXPECT_TRUE(table == data.replicaTables[expert]);
    }
    planning::PlacementData back = llvm::cantFail(toPlanning(op)).data();
    EXPECT_TRUE(back.replicaTables == placement.data().replicaTables);
    written += given.replicaTables.size();
    left += back.replicaTables.size() - given.replicaTables.size();
  }
  EXPECT_GT(written, 100);
  EXPECT_GT(left, 100);
}

// Without a topology all replicas are equally far, but for one on the source
// itself.
TEST_F(PlanAttributesTest, replicas_take_turns) {
  planning::PlacementData data;
  data.expertCount = 2;
  data.expertsByRank = {{0}, {1, 0}, {0}, {1}};
  PlacementOp op =
      createPlacement(llvm::cantFail(planning::Placement::create(data)));
  EXPECT_FALSE(op.getReplicas());
  planning::Placement placement = llvm::cantFail(toPlanning(op));
  const int64_t slots[] = {0, 2, 3};
  for (int64_t token = 0; token < 64; ++token) {
    EXPECT_EQ(placement.slotFor(0, 0, token), 0);
    EXPECT_EQ(placement.slotFor(0, 1, token), 2);
    EXPECT_EQ(placement.slotFor(0, 3, token), slots[(3 + token) % 3]);
  }
}

// Rank r runs on device order[r]; nodes hold devices 0-1 and 2-3.
TEST_F(PlanAttributesTest, replicas_are_served_by_the_nearest) {
  planning::RankDistance distance = createCluster(2, 4, {0, 2, 1, 3});
  EXPECT_LT(distance(0, 2), distance(0, 1));
  EXPECT_EQ(distance(0, 1), distance(2, 3));
  planning::PlacementData data;
  data.expertCount = 1;
  data.expertsByRank = {{0}, {0}, {}, {}};
  planning::Placement byRule =
      llvm::cantFail(planning::Placement::create(data, distance));
  PlacementOp op = createPlacement(byRule, distance);
  EXPECT_FALSE(op.getReplicas());
  planning::Placement placement = llvm::cantFail(toPlanning(op));
  for (int64_t token = 0; token < 64; ++token) {
    EXPECT_EQ(placement.slotFor(0, 2, token), 0);
    EXPECT_EQ(placement.slotFor(0, 3, token), 1);
  }
}

TEST_F(PlanAttributesTest, forms_round_trip) {
  for (ExchangeForm form :
       {ExchangeForm::FlatExact, ExchangeForm::FlatBounded}) {
    EXPECT_EQ(toAttribute(toPlanning(form)), form);
  }
}

TEST_F(PlanAttributesTest, loads_are_kept_by_layer) {
  planning::LayerLoads known;
  known.loads = {2, 4, 2};
  setLoads(*module, 3, known);
  planning::ExpertShares shares = llvm::cantFail(getShares(*module, 3, 3, 7));
  EXPECT_EQ(shares.shares, std::vector<double>({0.25, 0.5, 0.25}));
  EXPECT_FALSE(shares.isAssumedUniform);
  EXPECT_TRUE(llvm::cantFail(getLoads(*module, 3, 3, 7)).bySource.empty());
  EXPECT_TRUE(llvm::cantFail(getShares(*module, 4, 3, 7)).isAssumedUniform);
  llvm::Expected<planning::ExpertShares> wrong = getShares(*module, 3, 4, 7);
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "layer 3: expected loads of 4 experts, but got 3");
}

TEST_F(PlanAttributesTest, loads_are_kept_by_source) {
  planning::LayerLoads known;
  known.loads = {2, 4, 2};
  known.bySource = {{2, 0, 1}, {0, 4, 1}};
  setLoads(*module, 0, known);
  planning::LayerLoads back = llvm::cantFail(getLoads(*module, 0, 3, 2));
  EXPECT_EQ(back.loads, std::vector<double>({0.25, 0.5, 0.25}));
  EXPECT_EQ(back.bySource, std::vector<std::vector<double>>(
                               {{0.25, 0, 0.125}, {0, 0.5, 0.125}}));
  EXPECT_EQ(llvm::cantFail(getShares(*module, 0, 3, 2)).shares, back.loads);
  llvm::Expected<planning::LayerLoads> wrong = getLoads(*module, 0, 3, 4);
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "layer 0: expected loads of 4 source ranks, but got 2");
}
