//===- EstimatesTest.cpp - Closed forms against published figures ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Estimates.h"
#include "TestSupport.h"
#include "moe/Planning/CostModel.h"
#include <numeric>

using namespace moe::planning;
using namespace moe::planning::test;

TEST(GroupsReached, KeepsItsDigitsWithThousandsOfExperts) {
  // Each expert a group of its own: a token reaches as many as it chooses.
  EXPECT_NEAR(groupsReached({2048, 8, 2048, 0}), 8, 1e-12);
  EXPECT_NEAR(groupsReached({2048, 1, 256, 0}), 1, 1e-13);
  EXPECT_NEAR(groupsReached({2048, 2048, 2048, 0}), 2048, 1e-9);
  // All experts in one group, all but one missed.
  EXPECT_EQ(groupsReached({2048, 8, 1, 0}), 1);
  // G (1 − C(E − E/G, K) / C(E, K)) in exact arithmetic: C(3, 2) / C(4, 2).
  EXPECT_NEAR(groupsReached({4, 2, 4, 0}), 4 * (1 - 3.0 / 6), 1e-15);
  // A limit to 4 of 8 nodes leaves the experts of 4.
  EXPECT_EQ(groupsReached({256, 8, 8, 4}), groupsReached({128, 8, 4, 0}));
}

//===----------------------------------------------------------------------===//
// Kernels that others published
//===----------------------------------------------------------------------===//

namespace {
struct LowLatencyRow {
  int ranks;
  double dispatchUs, dispatchGbps, combineUs, combineGbps;
};
} // namespace

TEST(LowLatencyBytes, GiveDeepEPsBandwidths) {
  // deepseek-ai/DeepEP README, H800, 128 tokens, hidden 7168, top-8: bandwidth
  // is bytes over time, printed without digits after the point.
  const LowLatencyRow rows[] = {
      {8, 77, 98, 114, 127},  {16, 118, 63, 195, 74},  {32, 155, 48, 273, 53},
      {64, 173, 43, 314, 46}, {128, 192, 39, 369, 39}, {256, 194, 39, 360, 40}};
  ExchangeBytes bytes = lowLatencyBytes(128, 8, 7168);
  EXPECT_EQ(bytes.dispatch, Bytes(128 * 8 * (7168 + 224 + 16)));
  EXPECT_EQ(bytes.combine, Bytes(128 * 8 * 14336));
  EXPECT_NEAR(bytes.dispatch.value() / 77e3, 98.5, 0.05);
  EXPECT_NEAR(bytes.dispatch.value() / 118e3, 64.3, 0.05);
  for (const LowLatencyRow &row : rows) {
    EXPECT_NEAR(bytes.dispatch.value() / row.dispatchUs / 1e3 /
                    row.dispatchGbps,
                1, 0.025)
        << row.ranks;
    EXPECT_NEAR(bytes.combine.value() / row.combineUs / 1e3 / row.combineGbps,
                1, 0.025)
        << row.ranks;
  }
}

namespace {
/// Bandwidth and time of normal-mode kernels, 4096 tokens of hidden size 7168,
/// 288 experts, top-8: uccl-project/uccl ep/README.md, 8 x H200.
struct NormalRow {
  /// Ranks inside a node, nodes between them.
  int64_t groups;
  double dispatchGbps, dispatchUs, combineGbps, combineUs;
};
} // namespace

TEST(DeduplicatedBytes, GiveTheBytesOfUCCLsKernels) {
  const NormalRow rows[] = {{8, 320, 500, 319, 973},
                            {2, 50, 1196, 18, 6379},
                            {3, 53, 1633, 26, 6365},
                            {4, 54, 2022, 43, 4899}};
  for (const NormalRow &row : rows) {
    GroupedRouting routing = {288, 8, row.groups, 0};
    double dispatch =
        deduplicatedBytes(4096, fp8RowBytes(7168), routing).logical.value();
    double combine = deduplicatedBytes(4096, 2 * 7168, routing).logical.value();
    // Bandwidths are printed as whole numbers: 18 GB/s is 2.8 % uncertain.
    EXPECT_NEAR(dispatch / (row.dispatchGbps * row.dispatchUs * 1e3), 1, 0.015)
        << row.groups;
    EXPECT_NEAR(combine / (row.combineGbps * row.combineUs * 1e3), 1, 0.035)
        << row.groups;
  }
}

TEST(DeduplicatedBytes, BoundDeepEPsNormalKernels) {
  // deepseek-ai/DeepEP README, H800 (160 GB/s NVLink, 50 GB/s NIC), 4096
  // tokens, hidden 7168, 256 experts, top-8 in at most 4 nodes, FP8 dispatch.
  // Bandwidths count the copy that stays in the token's own node.
  struct Row {
    int64_t nodes;
    double gbps;
  };
  for (const Row &row : {Row{2, 43}, Row{4, 58}, Row{8, 51}}) {
    GroupedRouting nodes = {256, 8, row.nodes, 4};
    DeduplicatedBytes bytes = deduplicatedBytes(4096, fp8RowBytes(7168), nodes);
    double published = bytes.logical.value() / row.gbps / 1e3;
    // What leaves the node cannot be faster than the NIC ...
    double nic = bytes.leaving.value() / 50e3;
    EXPECT_LT(nic, published) << row.nodes;
    // ... nor is the kernel slower than NIC and NVLink one after the other.
    GroupedRouting ranks = nodes;
    ranks.groups = 8 * row.nodes;
    ranks.groupsAllowed = 8 * std::min<int64_t>(row.nodes, 4);
    DeduplicatedBytes inside =
        deduplicatedBytes(4096, fp8RowBytes(7168), ranks);
    double nvlink = inside.logical.value() * 7 / 8 / 160e3;
    EXPECT_GT(1.01 * (nic + nvlink), published) << row.nodes;
    if (row.nodes > 2) {
      // From 4 nodes on the NIC decides.
      EXPECT_NEAR(nic / published, 0.88, 0.02) << row.nodes;
    }
  }
  // Inside a node, 153 GB/s: what leaves a rank keeps NVLink 84 % busy.
  DeduplicatedBytes node =
      deduplicatedBytes(4096, fp8RowBytes(7168), {256, 8, 8, 4});
  double published = node.logical.value() / 153e3;
  EXPECT_NEAR(node.leaving.value() / 160e3 / published, 0.84, 0.01);
}

TEST(CostModel, PredictsOthersKernelsOnTheSameLinks) {
  // UCCL-EP inside a node of 8 H200, whose links are those of the measured
  // H100: 500 us for dispatch, 973 us for combine.
  Topology topology = Topology::uniform(8, "nvlink", GigabytesPerSecond(370.8),
                                        Microseconds(11.8));
  CostModel model(topology,
                  llvm::cantFail(CostConstants::forAccelerator("H100")));
  DeviceGroup devices(8);
  std::iota(devices.begin(), devices.end(), 0);
  GroupSpread spread = model.spreadOf({devices});
  GroupedRouting ranks = {288, 8, 8, 0};
  auto time = [&](int64_t rowBytes) {
    return model
        .collectiveTime(CollectiveKind::AllToAll,
                        deduplicatedBytes(4096, rowBytes, ranks).logical,
                        spread)
        .value();
  };
  EXPECT_NEAR(time(fp8RowBytes(7168)) / 500, 1, 0.06);
  EXPECT_NEAR(time(2 * 7168) / 973, 1, 0.10);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

TEST(ExpertCapacity, FollowsFourFrameworks) {
  CapacityRequest request = {100, 64, 2, 1.25, 0};
  EXPECT_EQ(expertCapacity(CapacityRule::DeepSpeed, request), 4);
  EXPECT_EQ(expertCapacity(CapacityRule::Megatron, request), 4);
  EXPECT_EQ(expertCapacity(CapacityRule::Tutel, request), 4);
  EXPECT_EQ(expertCapacity(CapacityRule::MegaBlocks, request), 3);
  request.minimum = 8;
  EXPECT_EQ(expertCapacity(CapacityRule::DeepSpeed, request), 8);
  // Without a remainder all agree.
  request = {1024, 8, 2, 1.0, 0};
  for (CapacityRule rule : {CapacityRule::DeepSpeed, CapacityRule::Megatron,
                            CapacityRule::Tutel, CapacityRule::MegaBlocks}) {
    EXPECT_EQ(expertCapacity(rule, request), 256);
  }
}

TEST(NodeMessages, FallWithTwoLevels) {
  NodeMessages messages = messagesBetweenNodes(256, 8);
  EXPECT_EQ(messages.flat, 248);
  EXPECT_EQ(messages.twoLevel, 31);
  EXPECT_EQ(messagesBetweenNodes(8, 8).flat, 0);
  EXPECT_EQ(messagesBetweenNodes(8, 8).twoLevel, 0);
}

TEST(LayerFigures, CompareDenseAndExpertsAtEqualArithmetic) {
  LayerSize layer;
  layer.hidden = 4096;
  layer.width = 4 * 4096;
  layer.matrices = 2;
  layer.experts = 64;
  layer.choices = 2;
  LayerFigures dense = denseLayerFigures(layer);
  LayerFigures experts = expertLayerFigures(layer, 8192);
  EXPECT_NEAR(dense.parameters / 1e9, 0.27, 0.005);
  EXPECT_NEAR(experts.parameters / 1e9, 8.59, 0.005);
  EXPECT_EQ(experts.parameters / dense.parameters, 32);
  EXPECT_NEAR(dense.flopsPerToken.value() / 1e9, 0.54, 0.005);
  EXPECT_EQ(dense.flopsPerToken, experts.flopsPerToken);
  EXPECT_EQ(dense.exchanged, Bytes());
  EXPECT_EQ(experts.exchanged, Bytes(256.0 * (1 << 20)));
  EXPECT_EQ(dense.weights, Bytes(0.5 * (1 << 30)));
  EXPECT_EQ(experts.weights, Bytes(16.0 * (1 << 30)));
}
