//===- PlanDrawingTest.cpp - Plans as drawings ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlanDrawing.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::report;
using namespace moe::planning;

static Topology twoNodes() {
  return llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 2, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

static PlacedModel placedModel(const Topology &topology) {
  PlacementData data;
  data.expertCount = 6;
  data.expertsByRank = {{0, 1}, {2, 3}, {0, 4}, {5}};
  PlacedModel model;
  model.title = "experts";
  model.topology = &topology;
  ExpertShares even;
  even.shares.assign(6, 1.0 / 6);
  PlacedLayer layer{"layer 2",
                    1,
                    llvm::cantFail(Placement::create(data)),
                    Placement::contiguous(6, 4),
                    even,
                    std::nullopt};
  model.layers = {layer, layer};
  model.layers[1].name = "layer 3";
  return model;
}

static bool areApart(const Drawing &drawing) {
  for (const Box &a : drawing.boxes) {
    for (const Box &b : drawing.boxes) {
      double rows = double(std::max(a.lines.size(), b.lines.size())) * 15 / 104;
      constexpr double rounding = 1e-9;
      bool isApart =
          std::abs(a.row - b.row) + rounding >= rows ||
          std::abs(a.column - b.column) + rounding >= (a.width + b.width) / 2;
      if (&a != &b && !isApart) {
        return false;
      }
    }
  }
  return true;
}

TEST(PlanDrawing, DevicesAreInTheirNodes) {
  Topology topology = twoNodes();
  PlacedModel model = placedModel(topology);
  Drawing drawing = placementDrawing(model);
  ASSERT_EQ(drawing.boxes.size(), 4u);
  ASSERT_EQ(drawing.frames.size(), 2u);
  EXPECT_EQ(drawing.frames[1].title, "layer 2 and 1 equal to it, node 1");
  EXPECT_EQ(drawing.frames[1].boxes, (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(
      drawing.boxes[2].lines,
      (std::vector<std::string>{"device 2", "load 1.00 of the mean", "4, 0*"}));
  EXPECT_TRUE(areApart(drawing));
  // Lighter: less load.
  EXPECT_GT(drawing.boxes[3].fill, drawing.boxes[1].fill);
}

TEST(PlanDrawing, LongListsOfExpertsEnd) {
  Topology topology =
      Topology::uniform(12, "link", GigabytesPerSecond(1), Microseconds(1));
  PlacedModel model = placedModel(topology);
  model.layers[0].placement = Placement::roundRobin(1200, 12);
  model.layers[0].loads.shares.assign(1200, 1.0 / 1200);
  model.layers.pop_back();
  Drawing drawing = placementDrawing(model);
  EXPECT_EQ(drawing.boxes.size(), 12u);
  EXPECT_LE(drawing.boxes[0].lines.size(), 9u);
  EXPECT_TRUE(areApart(drawing));
  int64_t shown = 0;
  for (size_t line = 2; line < drawing.boxes[0].lines.size() - 1; ++line) {
    shown += llvm::StringRef(drawing.boxes[0].lines[line]).count(',');
  }
  EXPECT_EQ(drawing.boxes[0].lines.back(),
            "\u2026 and " + std::to_string(100 - shown) + " more");
}

TEST(PlanDrawing, TheLeastBalancedLayersAreShown) {
  Topology topology = twoNodes();
  PlacedModel model = placedModel(topology);
  model.layers[1].loads.shares = {0, 0, 0, 0, 0, 1};
  Drawing drawing = placementDrawing(model, /*maxBoxes=*/4);
  EXPECT_EQ(drawing.title,
            "experts: the 1 least balanced of 2 different layers");
  EXPECT_EQ(drawing.frames[0].title, "layer 3, node 0");
}

TEST(PlanDrawing, WhatCrossesEachTier) {
  Topology topology = twoNodes();
  DeviceTraffic traffic(4);
  traffic.add(0, 1, 1024);
  traffic.add(1, 2, 2048);
  Drawing drawing = trafficDrawing("step", topology, traffic);
  EXPECT_EQ(drawing.title, "step: 3.00 KiB between devices");
  // All, two nodes, four devices.
  ASSERT_EQ(drawing.boxes.size(), 7u);
  EXPECT_EQ(
      drawing.boxes[1].lines,
      (std::vector<std::string>{"devices 0-1", "out 2.00 KiB", "in 0 B"}));
  EXPECT_EQ(
      drawing.boxes[4].lines,
      (std::vector<std::string>{"device 1", "out 2.00 KiB", "in 1.00 KiB"}));
  ASSERT_EQ(drawing.lines.size(), 6u);
  EXPECT_EQ(drawing.lines[3].from, 1u);
  EXPECT_EQ(drawing.lines[5].from, 2u);
  // Device 1 has the most.
  EXPECT_GT(drawing.lines[3].width, drawing.lines[0].width);
  EXPECT_TRUE(areApart(drawing));
  // Of many devices only nodes.
  EXPECT_EQ(trafficDrawing("step", topology, traffic, 2).boxes.size(), 3u);
}

TEST(PlanDrawing, DotHasFramesAndWidths) {
  Topology topology = twoNodes();
  DeviceTraffic traffic(4);
  traffic.add(0, 1, 1024);
  std::string dot, svg;
  llvm::raw_string_ostream dotStream(dot), svgStream(svg);
  renderDot(trafficDrawing("step", topology, traffic), dotStream);
  EXPECT_NE(dot.find("graph traffic {"), std::string::npos);
  EXPECT_NE(dot.find("penwidth = 16"), std::string::npos);
  Drawing placement = placementDrawing(placedModel(topology));
  renderDot(placement, dotStream);
  EXPECT_NE(dot.find("subgraph cluster_1 {"), std::string::npos);
  renderSvg(placement, svgStream);
  EXPECT_NE(svg.find("layer 2 and 1 equal to it, node 0"), std::string::npos);
}
