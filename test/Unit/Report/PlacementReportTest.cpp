//===- PlacementReportTest.cpp - Where experts are, and why ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlacementReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>
#include <numeric>

using namespace moe::report;
using namespace moe::planning;

/// Two nodes of two devices.
static Topology fourDevices() {
  return llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 2, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

static ExpertShares sharesOf(std::vector<double> loads) {
  ExpertShares shares;
  double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  for (double load : loads) {
    shares.shares.push_back(load / sum);
  }
  return shares;
}

/// Six experts; expert 0 is hot and sits on devices 0 and 2, one in each node.
static PlacedModel placedModel(const Topology &topology) {
  PlacementData data;
  data.expertCount = 6;
  data.expertsByRank = {{0, 1}, {2, 3}, {0, 4}, {5}};
  Placement after = llvm::cantFail(Placement::create(
      data, [](int64_t a, int64_t b) { return a / 2 == b / 2 ? 1 : 2; }));
  PlacedModel model;
  model.title = "placement";
  model.afterName = "by hand";
  model.topology = &topology;
  model.tokens = 400;
  model.choices = 2;
  model.rowBytes = 100;
  model.layers.push_back({"layer 7", 1, after, Placement::contiguous(6, 4),
                          sharesOf({6, 1, 1, 1, 2, 1}),
                          BoundFigure{1.0, "mean load"}});
  return model;
}

TEST(PlacementReport, DetailsAreInTheOrderOfTheModel) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  // The second layer is the least balanced, the first the most.
  model.layers.assign(3, PlacedLayer(model.layers[0]));
  model.layers[0].name = "encoder.3";
  model.layers[0].loads = sharesOf({2, 1, 1, 1, 1, 2});
  model.layers[1].name = "layer 2";
  model.layers[1].loads = sharesOf({1, 1, 1, 1, 1, 90});
  Report page = placementPage(model, 2);
  std::vector<std::string> titles;
  for (const Figure &figure : page.figures) {
    titles.push_back(titleOf(figure));
  }
  EXPECT_EQ(titles[0], "layer 2: load of the devices, heaviest first");
  EXPECT_EQ(titles[titles.size() - 2],
            "layer 2: which device serves which expert");
  EXPECT_EQ(titles.back(), "layer 7: which device serves which expert");
}

TEST(PlacementReport, SourcesCountWhatTheyAskFor) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  // Only device 3 asks for expert 0, and is served by device 2 of its node.
  PlacedLayer &layer = model.layers[0];
  layer.loads.bySource.assign(4, std::vector<double>(6));
  for (size_t expert = 0; expert < 6; ++expert) {
    layer.loads.bySource[expert == 0 ? 3 : 0][expert] =
        layer.loads.shares[expert];
  }
  HeatMap map = expertMap(model, layer);
  EXPECT_EQ(map.cells[0].value, 0);
  EXPECT_EQ(map.cells[1].value, 0.5);
  DeviceTraffic traffic = deviceTraffic(model);
  EXPECT_NEAR(traffic.from(3, 2), 400 * 100, 1e-6);
  EXPECT_EQ(traffic.from(1, 2), 0);
}

TEST(PlacementReport, CellsAreSharesOfTheRows) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  HeatMap map = expertMap(model, model.layers[0]);
  EXPECT_EQ(map.rowLabels.size(), 6u);
  EXPECT_EQ(map.columnLabels.size(), 4u);
  EXPECT_EQ(map.cells.size(), 7u);
  double sum = 0;
  for (const HeatCell &cell : map.cells) {
    sum += cell.value;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  // Each half of the devices asks the replica of its node.
  EXPECT_NEAR(map.cells[0].value, 0.25, 1e-12);
  EXPECT_NEAR(map.cells[1].value, 0.25, 1e-12);
  EXPECT_EQ(map.cells[1].column, 2u);
}

TEST(PlacementReport, TrafficIsThatOfThePlan) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  DeviceTraffic traffic = deviceTraffic(model);
  double sum = 0, between = 0;
  for (int64_t a = 0; a < 4; ++a) {
    EXPECT_EQ(traffic.from(a, a), 0);
    for (int64_t b = 0; b < 4; ++b) {
      sum += traffic.from(a, b);
      between += a / 2 != b / 2 ? traffic.from(a, b) : 0;
    }
  }
  BarChart tiers = tierChart(model);
  ASSERT_EQ(tiers.groups.size(), 3u);
  auto after = [&](size_t group) {
    return std::get<double>(tiers.groups[group].values[1]);
  };
  EXPECT_NEAR(after(0), between, 1e-6);
  EXPECT_NEAR(after(0) + after(1), sum, 1e-6);
  // Dispatch and combine of 400 · 2 rows, wherever they go.
  for (size_t side : {0u, 1u}) {
    double all = 0;
    for (const BarChart::Group &group : tiers.groups) {
      all += std::get<double>(group.values[side]);
    }
    EXPECT_NEAR(all, 2 * 400 * 2 * 100.0, 1e-6);
  }
  // A replica in each node keeps expert 0 off the slow link.
  EXPECT_LT(after(0), std::get<double>(tiers.groups[0].values[0]));
}

TEST(PlacementReport, ManyDevicesAreShownInBlocks) {
  DeviceTraffic traffic(10);
  traffic.add(0, 9, 5);
  traffic.add(3, 8, 2);
  HeatMap map = trafficMap(traffic, 4);
  EXPECT_EQ(map.rowLabels,
            (std::vector<std::string>{"0-2", "3-5", "6-8", "9"}));
  ASSERT_EQ(map.cells.size(), 2u);
  EXPECT_EQ(map.cells[0].column, 3u);
  EXPECT_EQ(map.cells[1].row, 1u);
  EXPECT_EQ(map.cells[1].value, 2);
}

TEST(PlacementReport, SaysWhyAnExpertIsWhereItIs) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  Table table = reasonTable(model, {&model.layers[0]});
  ASSERT_EQ(table.rows.size(), 6u);
  const std::string &hot = std::get<std::string>(table.rows[0][6]);
  EXPECT_EQ(hot,
            "It gets 2.00 of a device's mean load, shared by 2 places, at "
            "most 1.00 each. Device 0 holds it beside expert 1 and carries "
            "1.333 of the mean; device 2 holds it beside expert 4 and carries "
            "1.667 of the mean. Its rows come 50 % from the same device, 50 % "
            "over nvlink.");
  EXPECT_EQ(std::get<std::string>(table.rows[0].back()),
            "The heaviest device is at 1.667. Its place on device 2 swapped "
            "with expert 2 of device 1: 1.333, the exchange 0.66 us longer. "
            "Its place on device 2 swapped with expert 5 of device 3: 1.333, "
            "the exchange 0.13 us longer. Without its place on device 0, the "
            "others serving all: 2.667.");
  const std::string &cold = std::get<std::string>(table.rows[5][6]);
  EXPECT_EQ(cold,
            "It gets 0.33 of a device's mean load, in one place. Device 3 "
            "holds it alone and carries 0.333 of the mean. Its rows come 25 % "
            "from the same device, 25 % over nvlink, 50 % over ib.");
  EXPECT_EQ(std::get<std::string>(table.rows[5].back()),
            "The heaviest device is at 1.667. It swapped with expert 0 of "
            "device 2: 1.333, the exchange 0.13 us longer. It swapped with "
            "expert 0 of device 0: 1.667, the exchange 0.53 us longer.");
  EXPECT_EQ(table.notes.back(), "layer 7: no placement's heaviest device is "
                                "below 1.000: mean load");
}

TEST(PlacementReport, WorksWithoutATopology) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  model.topology = nullptr;
  Report report = placementPage(model);
  EXPECT_EQ(report.figures.size(), 2u);
  EXPECT_TRUE(llvm::is_contained(
      report.notes,
      "no topology is given: nothing is said of bytes and times"));
  std::string page;
  llvm::raw_string_ostream os(page);
  renderHtml(report, os);
  EXPECT_NE(page.find("It gets 2.00"), std::string::npos);
  EXPECT_EQ(page.find("over nvlink"), std::string::npos);
}

TEST(PlacementReport, ShowsTheLeastBalancedLayers) {
  Topology topology = fourDevices();
  PlacedModel model = placedModel(topology);
  PlacedLayer flat = model.layers[0];
  flat.name = "layer 8";
  flat.loads = sharesOf({2, 1, 1, 1, 1, 2});
  model.layers.insert(model.layers.begin(), flat);
  Report report = placementPage(model, 1);
  // Load, tiers, traffic and one map of experts.
  ASSERT_EQ(report.figures.size(), 4u);
  EXPECT_EQ(titleOf(report.figures[3]),
            "layer 7: which device serves which expert");
  EXPECT_TRUE(llvm::any_of(report.notes, [](const std::string &note) {
    return llvm::StringRef(note).contains("details are of the 1 layers");
  }));
  // The table of layers has them all.
  EXPECT_EQ(report.tables[0].rows.size(), 2u);
}
