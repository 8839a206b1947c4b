//===- LinkGraphTest.cpp - NCCL's paths, ports and levels -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"
#include "TestSupport.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::planning;
using namespace moe::planning::test;

using Names = std::vector<std::string>;

/// The vertices on the way, the first one included.
static Names wayOf(const LinkGraph &graph, const LinkGraph::Reach &reach) {
  Names names;
  for (ArcId arc : reach.arcs) {
    if (names.empty()) {
      names.push_back(graph.vertices()[graph.arcSource(arc)].name);
    }
    names.push_back(graph.vertices()[graph.arcTarget(arc)].name);
  }
  return names;
}

static std::vector<int64_t> levelSizes(const LinkGraph &graph) {
  std::vector<int64_t> sizes;
  for (const LinkGraph::Level &level : graph.levels()) {
    sizes.push_back(level.size);
  }
  return sizes;
}

TEST(LinkConstants, AreNcclsAndRccls) {
  // H100, A100, B200 and H800 by their numbers of links.
  EXPECT_NEAR(18 * nvlinkBandwidth(90).value(), 370.8, 1e-9);
  EXPECT_NEAR(12 * nvlinkBandwidth(80).value(), 240, 1e-9);
  EXPECT_NEAR(18 * nvlinkBandwidth(100).value(), 721.8, 1e-9);
  EXPECT_NEAR(nvlinkBandwidth(86).value(), 12, 1e-9);
  EXPECT_NEAR(nvlinkBandwidth(89).value(), 20, 1e-9);
  EXPECT_EQ(xgmiBandwidth("910"), GigabytesPerSecond(36));
  EXPECT_EQ(xgmiBandwidth("gfx942"), GigabytesPerSecond(48));
  EXPECT_EQ(xgmiBandwidth("906"), GigabytesPerSecond(24));
  EXPECT_EQ(pcieBandwidth("16.0 GT/s PCIe", 16), GigabytesPerSecond(24));
  EXPECT_EQ(pcieBandwidth("32 GT/s", 16), GigabytesPerSecond(48));
  // Not in NCCL's table: counts as the third generation.
  EXPECT_EQ(pcieBandwidth("32.0 GT/s", 16), GigabytesPerSecond(12));
  EXPECT_EQ(pcieBandwidth("", 0), GigabytesPerSecond(12));
  auto intel = [](int64_t model) {
    return socketBandwidth({"x86_64", "GenuineIntel", 6, model}).value();
  };
  EXPECT_EQ(intel(0x4F), 6);
  EXPECT_EQ(intel(0x55), 10);
  EXPECT_EQ(intel(0x8F), 22);
  EXPECT_EQ(intel(0xCF), 40);
  EXPECT_EQ(socketBandwidth({"x86_64", "AuthenticAMD", 25, 1}).value(), 16);
  EXPECT_EQ(socketBandwidth({"arm64", "", 0, 0}).value(), 6);
  EXPECT_EQ(socketBandwidth({"ppc64", "", 0, 0}).value(), 32);
}

TEST(LinkGraph, AClassIsTheWorstPartOfThePath) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({{0, 1}}).build();
  EXPECT_EQ(graph->betweenGpus(0, 1).pathClass, PathClass::NVL);
  EXPECT_EQ(graph->betweenGpus(0, 1).bandwidth, GigabytesPerSecond(80));
  EXPECT_EQ(graph->betweenGpus(2, 3).pathClass, PathClass::PHB);
  EXPECT_EQ(wayOf(*graph, graph->betweenGpus(2, 3)),
            Names({"gpu2", "pci2", "cpu1", "pci3", "gpu3"}));
  EXPECT_EQ(graph->betweenGpus(1, 2).pathClass, PathClass::SYS);
  EXPECT_EQ(graph->betweenGpus(1, 2).bandwidth, GigabytesPerSecond(10));
  EXPECT_EQ(graph->gpuToNic(3, 3).pathClass, PathClass::PIX);
  EXPECT_EQ(graph->nicToGpu(3, 3).bandwidth, GigabytesPerSecond(24));
  EXPECT_EQ(graph->numaNodeOf(graph->gpus()[3]), 1);
}

TEST(LinkGraph, SwitchesBehindSwitchesArePxb) {
  GraphBuilder builder;
  uint32_t gpu0 = builder.gpu("gpu0"), gpu1 = builder.gpu("gpu1");
  uint32_t leaf0 = builder.pcieSwitch("leaf0");
  uint32_t leaf1 = builder.pcieSwitch("leaf1");
  uint32_t root = builder.pcieSwitch("root"), cpu = builder.cpu("cpu0");
  builder.link(gpu0, leaf0, EdgeKind::PCIe, 24);
  builder.link(gpu1, leaf1, EdgeKind::PCIe, 24);
  builder.link(leaf0, root, EdgeKind::PCIe, 24);
  builder.link(leaf1, root, EdgeKind::PCIe, 12);
  builder.link(root, cpu, EdgeKind::PCIe, 24);
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(graph->betweenGpus(0, 1).pathClass, PathClass::PXB);
  EXPECT_EQ(graph->betweenGpus(0, 1).bandwidth, GigabytesPerSecond(12));
}

TEST(LinkGraph, AGpuPassesOnceOverNvlink) {
  // A chain: two hops go over a GPU, three do not, so the CPU is taken.
  GraphBuilder builder = fourGpus({{0, 1}, {1, 2}, {2, 3}});
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(graph->betweenGpus(0, 2).pathClass, PathClass::NVB);
  EXPECT_EQ(wayOf(*graph, graph->betweenGpus(0, 2)),
            Names({"gpu0", "gpu1", "gpu2"}));
  EXPECT_EQ(graph->betweenGpus(0, 3).pathClass, PathClass::SYS);
}

TEST(LinkGraph, OfEqualLengthTheWiderWins) {
  GraphBuilder builder = fourGpus({{0, 1}, {1, 3}});
  builder.link(0, 2, EdgeKind::NVLink, 160);
  builder.link(2, 3, EdgeKind::NVLink, 160);
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(wayOf(*graph, graph->betweenGpus(0, 3)),
            Names({"gpu0", "gpu2", "gpu3"}));
  EXPECT_EQ(graph->betweenGpus(0, 3).bandwidth, GigabytesPerSecond(160));
}

TEST(LinkGraph, IslandsAreLevelsWhateverTheOrder) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({{0, 3}, {2, 1}}).build();
  EXPECT_EQ(levelSizes(*graph), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(graph->levels()[0].pathClass, PathClass::SYS);
  EXPECT_EQ(graph->levels()[0].bandwidth, GigabytesPerSecond(10));
  EXPECT_EQ(graph->levels()[1].pathClass, PathClass::NVL);
  std::vector<int64_t> positions;
  for (uint32_t gpu = 0; gpu < 4; ++gpu) {
    positions.push_back(graph->positionOf(gpu));
  }
  EXPECT_EQ(positions, (std::vector<int64_t>{0, 2, 3, 1}));
}

TEST(LinkGraph, GroupsOfDifferentSizesAreNoLevel) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({{0, 1}, {1, 2}}).build();
  EXPECT_EQ(levelSizes(*graph), (std::vector<int64_t>{4}));
  EXPECT_EQ(graph->levels()[0].bandwidth, GigabytesPerSecond(10));
}

TEST(LinkGraph, EachGpuTakesItsNearestNic) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({}).build();
  ASSERT_EQ(graph->ports().size(), 4u);
  for (uint32_t gpu = 0; gpu < 4; ++gpu) {
    ASSERT_TRUE(graph->portOf(gpu));
    EXPECT_EQ(graph->ports()[*graph->portOf(gpu)].nics,
              std::vector<uint32_t>{gpu});
    EXPECT_EQ(graph->gpuToPort(gpu, *graph->portOf(gpu)).pathClass,
              PathClass::PIX);
  }
  // Without NVLink, messages leave by the sender's own NIC.
  EXPECT_EQ(graph->sendingPort(0, 2), *graph->portOf(0));
}

TEST(LinkGraph, NvlinkMakesRails) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({{0, 1}}).build();
  uint32_t rail = *graph->portOf(1);
  EXPECT_EQ(graph->sendingPort(0, 1), rail);
  EXPECT_EQ(graph->gpuToPort(0, rail).pathClass, PathClass::PXN);
  EXPECT_EQ(wayOf(*graph, graph->gpuToPort(0, rail)),
            Names({"gpu0", "gpu1", "pci1", "nic1"}));
  EXPECT_EQ(graph->gpuToNic(0, 1).pathClass, PathClass::PXN);
  // Only towards the network.
  EXPECT_EQ(graph->nicToGpu(1, 0).pathClass, PathClass::PHB);
}

TEST(LinkGraph, SeveralNicsOfAGpuAddUp) {
  GraphBuilder builder;
  uint32_t gpu = builder.gpu("gpu0"), cpu = builder.cpu("cpu0");
  uint32_t pci = builder.pcieSwitch("pci0");
  builder.link(gpu, pci, EdgeKind::PCIe, 48);
  builder.link(pci, cpu, EdgeKind::PCIe, 48);
  for (int index = 0; index < 2; ++index) {
    uint32_t nic = builder.nic("nic" + std::to_string(index), 25);
    builder.link(nic, pci, EdgeKind::PCIe, 48);
  }
  std::shared_ptr<const LinkGraph> graph = builder.build();
  ASSERT_EQ(graph->ports().size(), 1u);
  EXPECT_EQ(graph->ports()[0].speed, GigabytesPerSecond(50));
  EXPECT_EQ(wayOf(*graph, graph->gpuToPort(0, 0)), Names({"gpu0", "pci0"}));
}

TEST(LinkGraph, GpusShareOutEqualNics) {
  // Four GPUs and two NICs on one CPU.
  GraphBuilder builder;
  uint32_t cpu = builder.cpu("cpu0");
  for (int index = 0; index < 4; ++index) {
    builder.link(builder.gpu("gpu" + std::to_string(index)), cpu,
                 EdgeKind::PCIe, 24);
  }
  for (int index = 0; index < 2; ++index) {
    builder.link(builder.nic("nic" + std::to_string(index), 12.5), cpu,
                 EdgeKind::PCIe, 24);
  }
  std::shared_ptr<const LinkGraph> graph = builder.build();
  std::vector<uint32_t> ports;
  for (uint32_t gpu = 0; gpu < 4; ++gpu) {
    ports.push_back(*graph->portOf(gpu));
  }
  EXPECT_EQ(ports, (std::vector<uint32_t>{0, 1, 0, 1}));
}

TEST(LinkGraph, WithoutDirectAccessTheCpuIsOnTheWay) {
  GraphBuilder builder = fourGpus({});
  for (Vertex &vertex : builder.vertices) {
    vertex.hasDirectAccess = vertex.name != "nic0";
  }
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(graph->gpuToNic(0, 0).pathClass, PathClass::PHB);
  EXPECT_EQ(wayOf(*graph, graph->gpuToNic(0, 0)),
            Names({"gpu0", "pci0", "cpu0", "pci0", "nic0"}));
  EXPECT_EQ(graph->gpuToNic(1, 1).pathClass, PathClass::PIX);
}

TEST(LinkGraph, CoherentLinksAreP2C) {
  GraphBuilder builder;
  uint32_t gpu = builder.gpu("gpu0"), cpu = builder.cpu("cpu0");
  builder.link(gpu, cpu, EdgeKind::C2C, 400);
  builder.link(builder.nic("nic0", 50), cpu, EdgeKind::PCIe, 48);
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(graph->gpuToNic(0, 0).pathClass, PathClass::P2C);
}

TEST(LinkGraph, HostsMeetOverTheNetwork) {
  GraphBuilder builder;
  for (int host = 0; host < 2; ++host) {
    std::string number = std::to_string(host);
    uint32_t gpu = builder.gpu("gpu" + number);
    uint32_t cpu = builder.cpu("cpu" + number);
    uint32_t nic = builder.nic("nic" + number, 12.5);
    builder.link(gpu, cpu, EdgeKind::PCIe, 24);
    builder.link(nic, cpu, EdgeKind::PCIe, 24);
  }
  std::shared_ptr<const LinkGraph> graph = builder.build();
  EXPECT_EQ(graph->betweenGpus(0, 1).pathClass, PathClass::NET);
  EXPECT_EQ(graph->betweenGpus(0, 1).bandwidth, GigabytesPerSecond(12.5));
  EXPECT_EQ(wayOf(*graph, graph->betweenGpus(0, 1)),
            Names({"gpu0", "cpu0", "nic0", "cpu1", "gpu1"}));
}

TEST(LinkGraph, RefusesBadGraphs) {
  GraphBuilder builder;
  EXPECT_EQ(message(builder.tryBuild()), "expected at least one GPU");
  uint32_t gpu0 = builder.gpu("gpu0"), gpu1 = builder.gpu("gpu1");
  EXPECT_EQ(message(builder.tryBuild()), "no path from 'gpu0' to 'gpu1'");
  builder.link(gpu0, gpu1, EdgeKind::NVLink, 0);
  EXPECT_EQ(message(builder.tryBuild()),
            "link 'gpu0 - gpu1': expected a bandwidth above 0 GB/s, but got "
            "0.00");
  builder.edges.back().b = gpu0;
  EXPECT_EQ(message(builder.tryBuild()),
            "link 'gpu0 - gpu0': expected two different ends");
  builder.edges.back().b = 7;
  EXPECT_EQ(message(builder.tryBuild()),
            "expected the ends of a link to be vertices");
  builder.edges.clear();
  builder.vertices[1].name = "gpu0";
  EXPECT_EQ(message(builder.tryBuild()),
            "expected distinct vertices, but got 'gpu0' twice");
  builder.vertices[1].name = "";
  EXPECT_EQ(message(builder.tryBuild()),
            "expected every vertex to have a name");
  for (size_t index = 0; index < LinkGraph::maxGpus; ++index) {
    builder.gpu("more" + std::to_string(index));
  }
  EXPECT_EQ(message(builder.tryBuild()),
            "expected at most 576 GPUs, but got 578");
}

//===----------------------------------------------------------------------===//
// Topologies with a graph inside
//===----------------------------------------------------------------------===//

static Tier network(int64_t nodes) {
  return {"net", nodes, GigabytesPerSecond(25), Microseconds(14)};
}

static Names routeNames(const Topology &topology, int64_t a, int64_t b) {
  Names names;
  for (LinkId link : topology.route(a, b)) {
    names.push_back(topology.linkName(link));
  }
  return names;
}

TEST(GraphTopology, TiersSumUpTheGraph) {
  Topology topology = llvm::cantFail(
      Topology::ofNodes(fourGpus({{0, 3}, {1, 2}}).build(), {network(2)}));
  EXPECT_EQ(topology.toString(),
            "net: 2 x 25.0 GB/s 14.0 us, socket: 2 x 10.0 GB/s 5.7 us, "
            "nvlink: 2 x 80.0 GB/s 3.4 us");
  EXPECT_EQ(topology.tierOf(0, 3), 2u);
  EXPECT_EQ(topology.tierOf(0, 1), 1u);
  EXPECT_EQ(topology.tierOf(0, 4), 0u);
  EXPECT_EQ(topology.nodeTier(), 1u);
  EXPECT_EQ(topology.nodeCount(), 2);
  for (int64_t device = 0; device < 8; ++device) {
    EXPECT_EQ(topology.deviceAt(topology.positionOf(device)), device);
  }
  Path path = topology.path(5, 6);
  EXPECT_EQ(path.pathClass, PathClass::NVL);
  EXPECT_EQ(path.bandwidth, GigabytesPerSecond(80));
  EXPECT_EQ(topology.path(1, 5).pathClass, PathClass::NET);
  EXPECT_EQ(topology.path(1, 5).bandwidth, GigabytesPerSecond(24));
}

TEST(GraphTopology, RoutesAreTheLinksOnTheWay) {
  Topology topology = llvm::cantFail(
      Topology::ofNodes(fourGpus({{0, 1}}).build(), {network(2)}));
  EXPECT_EQ(routeNames(topology, 4, 5), Names({"gpu0 to gpu1 of node 1"}));
  EXPECT_EQ(routeNames(topology, 2, 3),
            Names({"gpu2 to pci2 of node 0", "pci2 to cpu1 of node 0",
                   "cpu1 to pci3 of node 0", "pci3 to gpu3 of node 0"}));
  // By rail: over NVLink to the GPU whose NIC the receiver's place has.
  EXPECT_EQ(routeNames(topology, 0, 5),
            Names({"gpu0 to gpu1 of node 0", "gpu1 to pci1 of node 0",
                   "pci1 to nic1 of node 0", "out of nic1 of node 0",
                   "into nic1 of node 1", "nic1 to pci1 of node 1",
                   "pci1 to gpu1 of node 1"}));
  EXPECT_EQ(routeNames(topology, 2, 7)[2], "out of nic2 of node 0");
}

TEST(GraphTopology, EveryRouteIsOfDistinctLinksAsWideAsItsPath) {
  for (const GraphBuilder &builder :
       {fourGpus({}), fourGpus({{0, 1}, {2, 3}}), fourGpus({{0, 1}, {1, 2}})}) {
    Topology topology =
        llvm::cantFail(Topology::ofNodes(builder.build(), {network(3)}));
    for (int64_t a = 0; a < topology.deviceCount(); ++a) {
      for (int64_t b = 0; b < topology.deviceCount(); ++b) {
        if (a == b) {
          continue;
        }
        Route route = topology.route(a, b);
        GigabytesPerSecond slowest(1e9);
        for (LinkId link : route) {
          ASSERT_LT(link, topology.links().size());
          slowest = std::min(slowest, topology.links()[link].bandwidth);
        }
        EXPECT_EQ(slowest, topology.path(a, b).bandwidth);
        llvm::sort(route);
        EXPECT_EQ(llvm::unique(route), route.end());
      }
    }
  }
}

TEST(GraphTopology, FurtherTiersJoinTheNics) {
  Topology topology = llvm::cantFail(
      Topology::create({{"pod", 2, GigabytesPerSecond(10), Microseconds(20), 8},
                        network(2),
                        {"node", 4, GigabytesPerSecond(10), Microseconds(5)}},
                       fourGpus({}).build()));
  EXPECT_EQ(routeNames(topology, 0, 8),
            Names({"gpu0 to pci0 of node 0", "pci0 to nic0 of node 0",
                   "out of nic0 of node 0", "pod out of devices 0-7",
                   "pod into devices 8-15", "into nic0 of node 2",
                   "nic0 to pci0 of node 2", "pci0 to gpu0 of node 2"}));
  EXPECT_EQ(topology.portOf(5, 1), 5);
  EXPECT_EQ(topology.path(0, 8).bandwidth, GigabytesPerSecond(10));
}

TEST(GraphTopology, RefusesWhatDoesNotFit) {
  std::shared_ptr<const LinkGraph> graph = fourGpus({{0, 1}, {2, 3}}).build();
  auto tiers = [](const std::vector<int64_t> &sizes) {
    std::vector<Tier> list;
    for (int64_t size : sizes) {
      list.push_back({"t" + std::to_string(list.size()), size,
                      GigabytesPerSecond(1), Microseconds(1)});
    }
    return list;
  };
  EXPECT_EQ(message(Topology::create(tiers({2, 3}), graph)),
            "expected the innermost tiers to hold the 4 GPUs of a node, as 2 x "
            "2 or in one tier, but got t0: 2 x 1.0 GB/s 1.0 us, t1: 3 x 1.0 "
            "GB/s 1.0 us");
  EXPECT_EQ(message(Topology::create(tiers({2, 2}), graph)), "");
  EXPECT_EQ(message(Topology::create(tiers({4}), graph)), "");
  EXPECT_EQ(message(Topology::create(tiers({3, 4}), graph)), "");

  GraphBuilder slow = fourGpus({});
  slow.vertices.back().speed = GigabytesPerSecond(0);
  EXPECT_EQ(message(Topology::ofNodes(slow.build(), {})), "");
  EXPECT_EQ(message(Topology::ofNodes(slow.build(), {network(2)})),
            "expected the speed of NIC 'nic3' to be known, as there are 2 "
            "nodes");
  Tier ring = network(2);
  ring.shape = TierShape::Ring;
  EXPECT_EQ(message(Topology::ofNodes(graph, {ring})),
            "tier 'net': expected a switch, as the NICs of the nodes meet "
            "there, but got a ring");
}

TEST(GraphTopology, ManyNodesShareOneGraph) {
  Topology topology = llvm::cantFail(
      Topology::ofNodes(fourGpus({{0, 1}, {2, 3}}).build(), {network(512)}));
  EXPECT_EQ(topology.deviceCount(), 2048);
  int64_t hops = 0;
  for (int64_t a = 0; a < 2048; a += 3) {
    for (int64_t b = 0; b < 2048; b += 5) {
      hops += a == b ? 0 : topology.route(a, b).size();
    }
  }
  EXPECT_GT(hops, 0);
}
