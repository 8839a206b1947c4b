//===- PlanReportTest.cpp - The tables of a plan --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlanReport.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::report;
using namespace moe::planning;

static std::string text(const Table &table) {
  std::string result;
  llvm::raw_string_ostream os(result);
  renderText(table, os);
  return result;
}

static Topology twoNodes() {
  return llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 2, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

TEST(PlanReport, ExpertsAreListedInRanges) {
  EXPECT_EQ(formatNumbers({}), "-");
  EXPECT_EQ(formatNumbers({9, 3, 0, 1, 2, 7, 10}), "0-3, 7, 9-10");
}

TEST(PlanReport, PlacementOfUnevenExperts) {
  LoadProfile profile;
  EXPECT_EQ(text(placementTable("placement @p", Placement::contiguous(5, 4),
                                llvm::cantFail(profile.sharesOf(0, 5)))),
            R"(placement @p
  rank    load  load / mean  slots  experts
     0  40.0 %        1.600      2  0-1
     1  20.0 %        0.800      1  2
     2  20.0 %        0.800      1  3
     3  20.0 %        0.800      1  4
  note: 5 experts in 5 slots over 4 ranks, 2 slots in each rank's code; largest load 1.600 of the mean
  note: no loads given: every expert is assumed to get the same load
)");
}

TEST(PlanReport, PlacementSaysWhatIsReplicated) {
  Placement placement =
      llvm::cantFail(Placement::create({2, {{0, 1}, {1, -1}}, {}}));
  Table table = placementTable("p", placement, {{0.5, 0.5}, false});
  ASSERT_EQ(table.notes.size(), 2u);
  EXPECT_EQ(table.notes[1], "replicated experts: 1");
  EXPECT_EQ(std::get<double>(table.rows[0][1]), 0.75);
}

TEST(PlanReport, TrafficByTier) {
  ExchangeRequest request;
  request.axes = {"ep"};
  request.rowBytes = 1024;
  CountMatrix counts(4);
  counts.add(0, 0, 2);
  counts.add(0, 1, 3);
  counts.add(3, 0, 4);
  Topology topology = twoNodes();
  ExchangeTraffic traffic =
      ExchangePlan::create(request).bytes(counts, topology, {0, 1, 2, 3});
  EXPECT_EQ(text(trafficTable("layer 3", topology,
                              {{"dispatch", "counted", traffic}})),
            R"(layer 3
  exchange  basis    link     payload  metadata  padding  messages
  dispatch  counted  ib      4.00 KiB      32 B      0 B         9
  dispatch  counted  nvlink  3.00 KiB      16 B      0 B         5
  dispatch  counted  local   2.00 KiB      16 B      0 B         5
)");
}

TEST(PlanReport, CostsAndMappingsHaveAColumnEach) {
  Topology topology = twoNodes();
  Mesh mesh = llvm::cantFail(Mesh::parse("ep=2,dp=2"));
  AxisTraffic experts;
  experts.axes = {"ep"};
  experts.bytes = Bytes(1e6);
  experts.label = "ep all_to_all";
  AxisTraffic gradients;
  gradients.axes = {"dp"};
  gradients.kind = CollectiveKind::AllReduce;
  gradients.bytes = Bytes(1e3);
  gradients.label = "dp gradients";
  gradients.origin = AxisTraffic::Origin::Modelled;
  MeshMapping mapping =
      llvm::cantFail(chooseMeshMapping(mesh, topology, {experts, gradients}));
  Table table = mappingTable("mapping", mapping, {experts, gradients});
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(std::get<std::string>(table.rows[0][0]), "ib: dp=2, nvlink: ep=2");
  EXPECT_EQ(std::get<std::string>(table.rows[1][1]), "refused");
  EXPECT_EQ(table.notes, (std::vector<std::string>{
                             "'dp gradients' is modelled, not in this graph"}));
  ExchangeCost cost;
  cost.wire = Microseconds(7);
  cost.tiers = {{Microseconds(7), Bytes(1)}, {Microseconds(3), Bytes(2)}};
  EXPECT_EQ(text(costTable("cost", topology, {{"dispatch", cost}})),
            R"(cost
  exchange     wire   memory     host    total       ib   nvlink
  dispatch  7.00 us  0.00 us  0.00 us  7.00 us  7.00 us  3.00 us
)");
}

TEST(PlanReport, ConstantsAreLabelled) {
  CostConstants constants;
  ASSERT_FALSE(bool(constants.set("device_compute", 312, "A100 data sheet")));
  Table table = constantsTable(constants);
  EXPECT_EQ(table.rows.size(), constants.all().size());
  for (const Row &row : table.rows) {
    std::string name = std::get<std::string>(row[0]);
    bool isAssumed = std::get<std::string>(row[4]) == "no measurement" ||
                     name == "usable_memory";
    EXPECT_EQ(std::get<std::string>(row[3]), name == "device_compute" ? "user"
                                             : isAssumed ? "assumed"
                                                         : "default");
  }
}
