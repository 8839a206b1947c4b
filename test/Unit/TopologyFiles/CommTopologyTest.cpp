//===- CommTopologyTest.cpp - comm.topology without MLIR ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace moe::topology;
using namespace moe::topology::test;
using moe::planning::TierShape;
using moe::planning::Topology;

TEST(CommTopology, FindsTheOperationInAModule) {
  Topology topology = llvm::cantFail(readText(
      "// A comment with comm.topology in it.\n"
      "module @m attributes {a = \"comm.topology @no tiers [\"} {\n"
      "  comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us shared_by 2, "
      "nvlink: 4 x 3.708e+02 GB/s 1.5 us ring]\n"
      "  comm.mesh @mesh <[\"dp\"=2, \"ep\"=4]> on @cluster\n"
      "}\n"));
  EXPECT_EQ(topology.toString(),
            "ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us");
  EXPECT_EQ(topology.tier(0).devicesPerPort, 2);
  EXPECT_EQ(topology.tier(1).shape, TierShape::Ring);
}

static const char *const graphText =
    "comm.topology @box tiers [net: 2 x 25.0 GB/s 14.0 us, host_bridge: 2 x "
    "24.0 GB/s 5.7 us]\n"
    "  node [gpu0: gpu bus \"0000:01:00.0\" model \"L40\" indirect,\n"
    "        gpu1: gpu,\n"
    "        cpu0: cpu numa 1,\n"
    "        nic0: nic model \"mlx5_0\" host 3 speed 25.0 GB/s]\n"
    "  links [gpu0 to cpu0: pcie 24.0 GB/s,\n"
    "         gpu1 to cpu0: pcie 24.0 GB/s back 12.0 GB/s,\n"
    "         nic0 to cpu0: pcie 5000.0 GB/s]\n"
    "  assumed [\"one\", \"a \\22two\\22\"]\n";

TEST(CommTopology, ReadsLinkGraphs) {
  Topology topology = llvm::cantFail(readText(graphText));
  EXPECT_EQ(gpuRow(topology, 0), "PHB 12");
  EXPECT_EQ(gpuRow(topology, 1), "PHB 24");
  EXPECT_EQ(topology.assumptions()[1], "a \"two\"");
  const moe::planning::LinkGraph &graph = *topology.node();
  EXPECT_EQ(graph.vertices()[0].busId, "0000:01:00.0");
  EXPECT_FALSE(graph.vertices()[0].hasDirectAccess);
  EXPECT_EQ(graph.vertices()[2].numaNode, 1);
  EXPECT_EQ(graph.vertices()[3].host, 3);
  EXPECT_EQ(graph.vertices()[3].speed.value(), 25);
}

/// The message for the text with `from` replaced by `to`.
static std::string messageWith(llvm::StringRef from, llvm::StringRef to) {
  std::string text = graphText;
  size_t at = text.find(from.str());
  EXPECT_NE(at, std::string::npos);
  return message(readText(text.replace(at, from.size(), to.str())));
}

TEST(CommTopology, RefusesBadText) {
  EXPECT_EQ(messageWith("gpu bus", "tpu bus"),
            "topo:2:15: expected a kind of vertex, but got 'tpu'");
  EXPECT_EQ(messageWith("gpu1 to cpu0", "gpu7 to cpu0"),
            "topo:7:10: expected a vertex of the node, but got 'gpu7'");
  EXPECT_EQ(messageWith("pcie 5000.0", "wire 5000.0"),
            "topo:8:24: expected a kind of link, but got 'wire'");
  EXPECT_EQ(messageWith("gpu1: gpu,", "gpu0: gpu,"),
            "topo:3:18: expected distinct vertices, but got 'gpu0' twice");
  EXPECT_EQ(messageWith("back 12.0", "back 0.0"),
            "topo:1:15: link 'gpu1 - cpu0': expected a bandwidth above 0 GB/s, "
            "but got 0.00");
  EXPECT_EQ(messageWith("host_bridge: 2 x", "host_bridge: 3 x"),
            "topo:1:15: expected the innermost tiers to hold the 2 GPUs of a "
            "node, as 2 or in one tier, but got net: 2 x 25.0 GB/s 14.0 us, "
            "host_bridge: 3 x 24.0 GB/s 5.7 us");
  EXPECT_EQ(message(readText("comm.topology @a tiers [ib: 2 x 5.0 GB/s")),
            "topo:1:41: expected a number, but got the end of the file");
  EXPECT_EQ(message(readText("comm.topology @a tiers [ib: 2 x 5.0 GB/s 1.0 us "
                             "torus]")),
            "topo:1:49: expected switch, ring or fully_connected, but got "
            "'torus'");
  EXPECT_EQ(message(readText("module {}\n")),
            "topo: expected a comm.topology in this file");
  EXPECT_EQ(
      message(readText("comm.topology @a tiers [a: 2 x 1.0 GB/s 1.0 us]\n"
                       "comm.topology @b tiers [a: 2 x 1.0 GB/s 1.0 us]\n")),
      "topo:2:15: expected one comm.topology, but got another");
}
