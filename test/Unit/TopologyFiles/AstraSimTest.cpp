//===- AstraSimTest.cpp - ASTRA-sim's network files -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace moe::topology;
using namespace moe::topology::test;
using moe::planning::TierShape;
using moe::planning::Topology;

TEST(AstraSim, DimensionsAreInnermostFirst) {
  Topology topology =
      llvm::cantFail(readInput("astra-sim/ring-fully-connected-switch.yml"));
  EXPECT_EQ(topology.toString(),
            "dim3: 4 x 50.0 GB/s 4.0 us, dim2: 8 x 100.0 GB/s 0.5 us, dim1: 2 "
            "x 200.0 GB/s 0.1 us");
  EXPECT_EQ(topology.tier(0).shape, TierShape::Switch);
  EXPECT_EQ(topology.tier(1).shape, TierShape::FullyConnected);
  EXPECT_EQ(topology.tier(2).shape, TierShape::Ring);
  EXPECT_EQ(topology.deviceCount(), 64);
}

TEST(AstraSim, ListsMayStandInLines) {
  Topology topology = llvm::cantFail(readText("topology:\n  - Ring\n"
                                              "npus_count:\n  - 6\n"
                                              "bandwidth:\n  - 12.5\n"
                                              "latency:\n  - 700\n"
                                              "something_else: 3\n"));
  EXPECT_EQ(topology.toString(), "dim1: 6 x 12.5 GB/s 0.7 us");
}

TEST(AstraSim, WritesWhatItReads) {
  for (const char *name : {"astra-sim/ring-fully-connected-switch.yml",
                           "astra-sim/hgx-h100.yml"}) {
    Topology topology = llvm::cantFail(readInput(name));
    Topology again = llvm::cantFail(readText(writeAstraSim(topology)));
    EXPECT_EQ(again.toString(), topology.toString());
    for (unsigned index = 0; index < topology.tierCount(); ++index) {
      EXPECT_EQ(again.tier(index).shape, topology.tier(index).shape);
      EXPECT_EQ(again.tier(index).latency, topology.tier(index).latency);
    }
  }
}

TEST(AstraSim, SumsUpGraphs) {
  TopologyOptions options;
  options.nodes = 2;
  Topology topology =
      llvm::cantFail(readInput("xml/ibmcloud_h100_vsi_8subnet.xml", options));
  EXPECT_EQ(writeAstraSim(topology),
            "# Dimensions, innermost first: [ nvlink, net ].\n"
            "# Inside a node the source has a link graph. Here each of its "
            "tiers is as fast as\n# its slowest pair.\n"
            "# Assumed: latencies are NCCL's for its Simple protocol.\n"
            "topology: [ Switch, Switch ]\n"
            "npus_count: [ 8, 2 ]\n"
            "bandwidth: [ 370.8, 25 ]  # GB/s\n"
            "latency: [ 1700, 7000 ]  # ns\n");
}

TEST(AstraSim, RefusesBadFiles) {
  EXPECT_EQ(message(readText("topology: [ Ring ]\nnpus_count: [ 2 ]\n"
                             "bandwidth: [ tbd ]\nlatency: [ 1 ]\n")),
            "topo:3:14: expected a number of at least 0, but got 'tbd'");
  EXPECT_EQ(message(readText("topology: [ Torus ]\nnpus_count: [ 2 ]\n"
                             "bandwidth: [ 1 ]\nlatency: [ 1 ]\n")),
            "topo:1:13: expected Ring, FullyConnected or Switch, but got "
            "'Torus'");
  EXPECT_EQ(message(readText("topology: [ Ring, Ring ]\nnpus_count: [ 2 ]\n"
                             "bandwidth: [ 1, 1 ]\nlatency: [ 1, 1 ]\n")),
            "topo:2:15: expected 2 entries in 'npus_count', as in 'topology', "
            "but got 1");
  EXPECT_EQ(message(readText("topology: [ Ring ]\nnpus_count: [ 2 ]\n"
                             "bandwidth: [ 1 ]\n")),
            "topo: expected the key 'latency'");
  EXPECT_EQ(message(readText("topology: [ Ring ]\nnpus_count: [ 0 ]\n"
                             "bandwidth: [ 1 ]\nlatency: [ 1 ]\n")),
            "topo:2:15: expected a whole number of at least 1, but got '0'");
  EXPECT_EQ(message(readText("topology: [ Ring ]\nnpus_count: [ 2 ]\n"
                             "bandwidth: [ 0 ]\nlatency: [ 1 ]\n")),
            "topo: tier 'dim1': expected a bandwidth above 0 GB/s, but got "
            "0.00");
  EXPECT_EQ(message(readText("topology: Ring\n")),
            "topo:1:1: expected a list, one entry a dimension");
  TopologyOptions options;
  options.nodes = 2;
  EXPECT_NE(message(readText("topology: [ Ring ]\n", options))
                .find("expected no options of machines"),
            std::string::npos);
}
