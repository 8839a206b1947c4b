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

TEST(PlanReport, OfManyRanksThoseWithMostToDoAreListed) {
  Table table = placementTable("p", Placement::contiguous(4, 4),
                               {{0.1, 0.4, 0.2, 0.3}, false}, 2);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(std::get<double>(table.rows[0][0]), 1);
  EXPECT_EQ(std::get<double>(table.rows[1][0]), 3);
  EXPECT_EQ(table.notes[0], "the 2 of 4 ranks that have most to do");
}

TEST(PlanReport, OfManyReplicatedExpertsThoseWithMostToDoAreListed) {
  Placement placement =
      llvm::cantFail(Placement::create({3, {{0, 1}, {1, 2}, {2, 0}}, {}}));
  Table table =
      replicaTable("p", placement, ReplicaDetail::Shares, {0.2, 0.5, 0.3}, 1);
  for (const Row &row : table.rows) {
    EXPECT_EQ(std::get<double>(row[0]), 1);
  }
  EXPECT_FALSE(table.rows.empty());
  EXPECT_EQ(table.notes[0],
            "the 1 of 3 replicated experts that have most to do");
}

/// Expert 0 on ranks 0 and 1 of two; tokens of rank 1 go home from class 40 on.
static Placement twoReplicas() {
  PlacementData data;
  data.expertCount = 2;
  data.expertsByRank = {{0, 1}, {0}};
  data.replicaTables[0] = ReplicaTable(128, {{0, 0}, {104, 2}});
  return llvm::cantFail(Placement::create(data));
}

TEST(PlanReport, ReplicasByShare) {
  EXPECT_EQ(text(replicaTable("p", twoReplicas(), ReplicaDetail::Shares)),
            R"(p
  expert  slot  on rank  of 64 tokens  from ranks
       0     0        0            64  0
       0     0        0            40  1
       0     2        1            24  1
  note: of 64 consecutive tokens of a rank that choose the expert, so many are served by the slot
)");
}

TEST(PlanReport, ReplicasByClassAreTheWholeTable) {
  Placement placement = twoReplicas();
  Table table = replicaTable("p", placement, ReplicaDetail::Classes);
  int64_t cells = 0;
  for (const Row &row : table.rows) {
    for (int64_t source : std::get<Numbers>(row[4])) {
      for (int64_t cls : std::get<Numbers>(row[5])) {
        EXPECT_EQ(double(placement.slotFor(0, source, cls)),
                  std::get<double>(row[1]));
        ++cells;
      }
    }
  }
  EXPECT_EQ(cells, 128);
}

TEST(PlanReport, AReplicaThatServesNobodyIsListed) {
  PlacementData data = twoReplicas().data();
  data.replicaTables[0] = ReplicaTable(128, {{0, 0}});
  Table table = replicaTable("p", llvm::cantFail(Placement::create(data)),
                             ReplicaDetail::Shares);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(std::get<double>(table.rows[1][1]), 2);
  EXPECT_EQ(std::get<double>(table.rows[1][3]), 0);
  EXPECT_TRUE(std::get<Numbers>(table.rows[1][4]).empty());
}

TEST(PlanReport, BoundsOfLoadAndTime) {
  PlacementProblem problem;
  problem.slotsByRank = {2, 1, 1, 1};
  problem.loads = {6, 1, 1, 1, 1};
  PlacementData data = Placement::contiguous(5, 4).data();
  PlacementResult result =
      llvm::cantFail(measurePlacement(problem, data, Objective::Load));
  Table table = boundsTable("bounds", result, nullptr);
  ASSERT_EQ(table.rows.size(), 1u);
  const Row &row = table.rows.front();
  EXPECT_DOUBLE_EQ(std::get<double>(row[0]), 2.8);
  EXPECT_DOUBLE_EQ(std::get<double>(row[1]), 2.4);
  EXPECT_NEAR(std::get<double>(row[2]), 7.0 / 6 - 1, 1e-12);
  for (size_t column = 4; column < row.size(); ++column) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(row[column])) << column;
  }
  problem.deployment = nullptr;
  Topology topology = twoNodes();
  Deployment deployment = Deployment::ofAllDevices(
      std::make_shared<const Topology>(topology), 1024);
  deployment.dispatchRowBytes = deployment.combineRowBytes = 4096;
  problem.deployment = std::make_shared<const Deployment>(deployment);
  result = llvm::cantFail(measurePlacement(problem, data, Objective::Time));
  Table timed = boundsTable("bounds", result, &topology);
  EXPECT_EQ(std::get<double>(timed.rows.front()[4]),
            result.time->total().value());
  EXPECT_EQ(std::get<std::string>(timed.rows.front()[6]),
            slowestLinkOf(topology, *result.time));
  EXPECT_GE(result.time->total(), Microseconds(result.timeBound->value));
}

TEST(PlanReport, MemoryOfTheFullestRanks) {
  MemoryEstimate small, large;
  small.experts = small.usable = large.usable = Bytes(4096);
  large.experts = Bytes(4096);
  large.cache = Bytes(1024);
  EXPECT_EQ(text(rankMemoryTable({small, large, small}, 1)),
            R"(memory of a device of each rank
  rank   experts  replicas  dense weights  exchange buffers     cache       sum    usable   to spare
     1  4.00 KiB       0 B            0 B               0 B  1.00 KiB  5.00 KiB  4.00 KiB  -1.00 KiB
  note: the 1 fullest of 3 ranks
)");
  Table unknown = rankMemoryTable({MemoryEstimate()}, 4);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(unknown.rows[0].back()));
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
