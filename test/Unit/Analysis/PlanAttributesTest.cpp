// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plans survive the way to attributes and back.

#include "moe/Analysis/PlanAttributes.h"

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

  PlacementOp createPlacement(const planning::Placement &placement) {
    auto axes = comm::AxisListAttr::get(
        &context, {comm::AxisRefAttr::get(&context, "ep")});
    return PlacementOp::create(builder, builder.getUnknownLoc(), "p",
                               placement.expertCount(), axes, "mesh",
                               toAttribute(&context, placement), StringAttr());
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

/// Each expert on at least one rank, some on several, with empty slots between.
planning::PlacementData drawPlacement(std::mt19937_64 &random) {
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

TEST_F(PlanAttributesTest, placement_round_trips) {
  for (int run = 0; run < 200; ++run) {
    planning::PlacementData data = drawPlacement(random);
    planning::Placement placement =
        llvm::cantFail(planning::Placement::create(data));
    PlacementOp op = createPlacement(placement);
    EXPECT_EQ(op.getLocalSlots(), placement.localSlots());
    planning::Placement back = llvm::cantFail(toPlanning(op));
    EXPECT_EQ(back.expertCount(), data.expertCount);
    EXPECT_EQ(back.data().expertsByRank, data.expertsByRank);
  }
}

// The rule of `moe.placement`: replicas take turns by token class, whatever the
// source rank.
TEST_F(PlanAttributesTest, replicas_take_turns) {
  planning::PlacementData data;
  data.expertCount = 2;
  data.expertsByRank = {{0}, {1, 0}, {0}};
  PlacementOp op =
      createPlacement(llvm::cantFail(planning::Placement::create(data)));
  planning::Placement placement = llvm::cantFail(toPlanning(op));
  const int64_t slots[] = {0, 2, 3};
  for (int64_t source = 0; source < 3; ++source) {
    for (int64_t token = 0; token < 64; ++token) {
      EXPECT_EQ(placement.slotFor(0, source, token), slots[token % 3]);
      EXPECT_EQ(placement.slotFor(1, source, token), 1);
    }
  }
}

TEST_F(PlanAttributesTest, forms_round_trip) {
  for (ExchangeForm form :
       {ExchangeForm::FlatExact, ExchangeForm::FlatBounded}) {
    EXPECT_EQ(toAttribute(toPlanning(form)), form);
  }
}

TEST_F(PlanAttributesTest, shares_are_kept_by_layer) {
  const double known[] = {0.25, 0.5, 0.25};
  setShares(*module, 3, known);
  planning::ExpertShares shares = llvm::cantFail(getShares(*module, 3, 3));
  EXPECT_EQ(shares.shares,
            std::vector<double>(std::begin(known), std::end(known)));
  EXPECT_FALSE(shares.isAssumedUniform);
  EXPECT_TRUE(llvm::cantFail(getShares(*module, 4, 3)).isAssumedUniform);
  llvm::Expected<planning::ExpertShares> wrong = getShares(*module, 3, 4);
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "layer 3: expected loads of 4 experts, but got 3");
}
} // namespace
