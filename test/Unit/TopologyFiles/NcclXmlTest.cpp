//===- NcclXmlTest.cpp - NCCL's and RCCL's XML ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace moe::topology;
using namespace moe::topology::test;
using moe::planning::Topology;

static std::string repeat(llvm::StringRef text, unsigned times) {
  std::string result;
  for (unsigned index = 0; index < times; ++index) {
    result += (index == 0 ? "" : " ") + text.str();
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Real files
//===----------------------------------------------------------------------===//

TEST(NcclXml, IbmcloudH100) {
  Topology topology =
      llvm::cantFail(readInput("xml/ibmcloud_h100_vsi_8subnet.xml"));
  EXPECT_EQ(topology.toString(), "nvlink: 8 x 370.8 GB/s 3.4 us");
  EXPECT_EQ(gpuRow(topology, 3), repeat("NVL 370.8", 7));
  // The switch's own link, of one lane of the first generation, is not on the
  // way; the NIC's 200 Gb/s are.
  EXPECT_EQ(nicRow(topology, 1),
            "PXN 25 PIX 25 PXN 25 PXN 25 PXN 25 PXN 25 PXN 25 PXN 25");
  EXPECT_EQ(portList(topology), "0 1 2 3 4 5 6 7");
  const moe::planning::LinkGraph &graph = *topology.node();
  EXPECT_EQ(graph.vertices()[graph.gpus()[0]].busId, "0000:a4:00.0");
  EXPECT_EQ(graph.vertices()[graph.gpus()[0]].model, "H100");
  EXPECT_EQ(graph.vertices()[graph.nics()[0]].model, "mlx5_7");
  EXPECT_EQ(graph.numaNodeOf(graph.gpus()[7]), 1);
}

TEST(NcclXml, NebiusHasNicsAndBareGpus) {
  Topology topology = llvm::cantFail(readInput("xml/nebius_h100-v1.xml"));
  EXPECT_EQ(topology.toString(), "nvlink: 8 x 370.8 GB/s 3.4 us");
  EXPECT_EQ(nicRow(topology, 0).substr(0, 6), "PIX 48");
  EXPECT_TRUE(assumes(topology, "18 a GPU to an NVSwitch, as on a board of 8 "
                                "H100"));
  TopologyOptions options;
  options.nodes = 4;
  topology = llvm::cantFail(readInput("xml/nebius_h100-v1.xml", options));
  EXPECT_EQ(topology.toString(),
            "net: 4 x 48.0 GB/s 14.0 us, nvlink: 8 x 370.8 GB/s 3.4 us");
  EXPECT_EQ(topology.deviceCount(), 32);
}

TEST(NcclXml, AwsSkeletonsShareANicBetweenTwoGpus) {
  for (const char *name :
       {"xml/aws_p4d-24xl-topo.xml", "xml/aws_p4de-24xl-topo.xml"}) {
    Topology topology = llvm::cantFail(readInput(name));
    EXPECT_EQ(topology.toString(), "nvlink: 8 x 240.0 GB/s 3.4 us");
    EXPECT_EQ(portList(topology), "0 0 1 1 2 2 3 3");
    EXPECT_EQ(nicRow(topology, 2), "PXN 12 PIX 12 PXN 12 PXN 12");
    EXPECT_TRUE(assumes(topology, "the GPUs are A100, by their PCI device id"));
    EXPECT_TRUE(assumes(topology, "12 a GPU to an NVSwitch"));
    EXPECT_TRUE(assumes(topology, "does not say how fast NICs are"));
  }
  TopologyOptions options;
  options.nodes = 2;
  EXPECT_EQ(inputMessage("xml/aws_p4d-24xl-topo.xml", options),
            "xml/aws_p4d-24xl-topo.xml: the file does not say how fast NIC "
            "'0000:10:1b.0' is, which 2 nodes need: give --nic-gbps=X, in "
            "Gb/s");
  options.nicGbps = 80;
  Topology topology =
      llvm::cantFail(readInput("xml/aws_p4d-24xl-topo.xml", options));
  EXPECT_EQ(topology.toString(),
            "net: 2 x 10.0 GB/s 14.0 us, nvlink: 8 x 240.0 GB/s 3.4 us");
  EXPECT_TRUE(assumes(topology, "every NIC has 80 Gb/s (10 GB/s), as given"));
  // Both GPUs of a pair leave through one NIC.
  EXPECT_EQ(topology.portOf(2, 0), topology.portOf(3, 0));
  EXPECT_EQ(topology.route(2, 10)[2], topology.route(3, 10)[2]);
}

TEST(NcclXml, AzureSkeletonsAskForTheGpu) {
  EXPECT_EQ(inputMessage("xml/azure_ndv4-topo.xml"),
            "xml/azure_ndv4-topo.xml:4: expected a PCI device id that tells "
            "what GPU '0003:00:00.0' is: give --gpu=NAME; a full file comes "
            "from any NCCL program run with NCCL_TOPO_DUMP_FILE=topo.xml");
  Topology topology =
      llvm::cantFail(readInput("xml/azure_ndv4-topo.xml", ofGpu("A100")));
  EXPECT_EQ(topology.toString(), "nvlink: 8 x 240.0 GB/s 3.4 us");
  EXPECT_EQ(portList(topology), "0 1 2 3 4 5 6 7");
  // How eight V100 are meshed is not known.
  topology =
      llvm::cantFail(readInput("xml/azure_ndv2-topo.xml", ofGpu("V100")));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 10.0 GB/s 5.7 us, host_bridge: 4 x 24.0 GB/s 5.7 us");
  EXPECT_EQ(portList(topology), "0 0 0 0 0 0 0 0");
  EXPECT_TRUE(assumes(topology, "none are assumed"));
}

TEST(NcclXml, AzureNcv4ListsNvlinksToItself) {
  Topology topology = llvm::cantFail(readInput("xml/azure_ncv4-topo.xml"));
  EXPECT_EQ(topology.toString(), "socket: 4 x 12.0 GB/s 5.7 us");
  EXPECT_EQ(gpuRow(topology, 0), repeat("SYS 12", 3));
  // eth0 has no direct access to GPUs, and is in reach of all.
  EXPECT_EQ(nicRow(topology, 0), "PHB 12");
  EXPECT_EQ(nicRow(topology, 3), "SYS 12");
  EXPECT_TRUE(assumes(topology, "NVLinks to the GPU itself are left out"));
  EXPECT_TRUE(assumes(topology, "PCIe links without a speed count as 8 GT/s"));
}

TEST(NcclXml, AzureGraphIsNoTopology) {
  EXPECT_EQ(inputMessage("xml/azure_ncv4-graph.xml"),
            "xml/azure_ncv4-graph.xml:1: expected <system>, but got <graphs>: "
            "these are the channels of a job, not its machine; "
            "NCCL_TOPO_DUMP_FILE writes that");
}

TEST(NcclXml, RtpLlmHasNoRanks) {
  Topology topology = llvm::cantFail(readInput("xml/rtp-llm_8x_pcie_cx8.xml"));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 22.0 GB/s 5.7 us, host_bridge: 4 x 48.0 GB/s 5.7 us");
  EXPECT_EQ(gpuRow(topology, 0).substr(0, 20), "PHB 48 PHB 48 PHB 48");
  // Its own adapter, two switches away; four slow ports of one card.
  EXPECT_EQ(nicRow(topology, 0).substr(0, 41),
            "PXB 96 PHB 48 PHB 48 PHB 48 PHB 3 PHB 3 P");
  EXPECT_EQ(portList(topology), "0 1 2 3 8 9 10 11");
  EXPECT_TRUE(assumes(topology, "no GPU of the file has a rank"));
}

TEST(NcclXml, YcclA6000WithoutNvlink) {
  Topology topology = llvm::cantFail(readInput("xml/yccl_topo.xml"));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 10.0 GB/s 5.7 us, host_bridge: 2 x 12.0 GB/s 5.7 us");
  EXPECT_EQ(nicRow(topology, 0).substr(0, 29), "PHB 0.125 PHB 0.125 PHB 1.25 ");
  EXPECT_TRUE(assumes(topology, "8 NICs look virtual, such as "
                                "'br-3c276cd5dbc3'"));
}

TEST(NcclXml, YcclL20HasThreeLevels) {
  Topology topology = llvm::cantFail(readInput("xml/yccl_topo_l20.xml"));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 22.0 GB/s 5.7 us, host_bridge: 2 x 24.0 GB/s 5.7 us, "
            "pcie_switch: 4 x 24.0 GB/s 5.7 us");
  EXPECT_EQ(gpuRow(topology, 0).substr(0, 34),
            "PIX 24 PXB 24 PXB 24 PHB 24 PHB 24");
  EXPECT_EQ(portList(topology), "0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7");
}

TEST(NcclXml, RcclLinksAreXgmi) {
  Topology topology = llvm::cantFail(readInput("xml/rccl/topo_8p_90a.xml"));
  EXPECT_EQ(topology.toString(), "nvlink: 8 x 36.0 GB/s 3.4 us");
  EXPECT_EQ(gpuRow(topology, 0),
            "NVL 36 NVL 36 NVB 36 NVB 36 NVB 36 NVL 36 NVB 36");

  topology = llvm::cantFail(readInput("xml/rccl/topo_16p1h.xml"));
  EXPECT_EQ(topology.toString(), "socket: 16 x 12.0 GB/s 5.7 us");
  EXPECT_EQ(gpuRow(topology, 0).substr(0, 40),
            "NVL 144 NVL 36 NVB 36 NVL 72 NVB 72 NVB ");
  // Two NICs on what shows itself as two levels of a switch, and is one.
  EXPECT_EQ(nicRow(topology, 0).substr(0, 13), "PXB 12 PXB 12");
  EXPECT_EQ(topology.node()->vertices()[topology.node()->gpus()[0]].model,
            "MI250");
}

TEST(NcclXml, RcclBoxesWithoutXgmi) {
  Topology topology = llvm::cantFail(readInput("xml/rccl/topo_3p_pcie.xml"));
  EXPECT_EQ(topology.toString(), "socket: 3 x 16.0 GB/s 5.7 us");
  EXPECT_EQ(gpuRow(topology, 1), "SYS 16 PHB 24");
  EXPECT_EQ(portList(topology), "0 0 0");

  topology = llvm::cantFail(readInput("xml/rccl/topo_8p_rome_pcie.xml"));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 16.0 GB/s 5.7 us, host_bridge: 4 x 24.0 GB/s 5.7 us");
  EXPECT_EQ(nicRow(topology, 0), "SYS 3 SYS 3");
  EXPECT_EQ(nicRow(topology, 4), "PHB 3 PHB 3");
}

//===----------------------------------------------------------------------===//
// Rules, one by one
//===----------------------------------------------------------------------===//

/// A system of one CPU with `body` inside.
static std::string onCpu(llvm::StringRef body) {
  return ("<system version=\"1\">\n<cpu numaid=\"0\" arch=\"x86_64\" "
          "vendor=\"GenuineIntel\" familyid=\"6\" modelid=\"143\">\n" +
          body + "\n</cpu>\n</system>\n")
      .str();
}

static std::string gpu(llvm::StringRef busId, llvm::StringRef rank,
                       llvm::StringRef links) {
  return llvm::formatv("<pci busid=\"{0}\" class=\"0x030200\" "
                       "link_speed=\"32.0 GT/s PCIe\" link_width=\"16\">"
                       "<gpu dev=\"{1}\" sm=\"90\" rank=\"{1}\" gdr=\"1\">{2}"
                       "</gpu></pci>\n",
                       busId, rank, links);
}

static std::string nvlink(llvm::StringRef target, int count,
                          llvm::StringRef targetClass) {
  return llvm::formatv(
      "<nvlink target=\"{0}\" count=\"{1}\"{2}/>", target, count,
      targetClass.empty() ? "" : (" tclass=\"" + targetClass + "\"").str());
}

TEST(NcclXml, NvlinksOfAPairAddUp) {
  std::string one = nvlink("0000:02:00.0", 4, "0x030200");
  std::string two = nvlink("0000:01:00.0", 4, "0x030200");
  Topology topology =
      llvm::cantFail(readText(onCpu(gpu("0000:01:00.0", "0", one + one) +
                                    gpu("0000:02:00.0", "1", two + two))));
  EXPECT_EQ(gpuRow(topology, 0), "NVL 164.8");
}

TEST(NcclXml, AnUnreadableTargetIsAnNvswitch) {
  std::string link = nvlink("fffffff:ffff:ff", 18, "");
  Topology topology = llvm::cantFail(readText(
      onCpu(gpu("0000:01:00.0", "0", link) + gpu("0000:02:00.0", "1", link))));
  EXPECT_EQ(gpuRow(topology, 1), "NVL 370.8");
}

TEST(NcclXml, AGpuWithoutNvlinksFallsBackToPcie) {
  std::string link = nvlink("0000:f0:00.0", 18, "0x068000");
  Topology topology = llvm::cantFail(readText(
      onCpu(gpu("0000:01:00.0", "0", link) + gpu("0000:02:00.0", "1", link) +
            gpu("0000:03:00.0", "2", ""))));
  EXPECT_EQ(gpuRow(topology, 0), "NVL 370.8 PHB 48");
  EXPECT_EQ(topology.toString(), "host_bridge: 3 x 48.0 GB/s 5.7 us");
}

TEST(NcclXml, ALinkNeedsItsWayBack) {
  EXPECT_EQ(message(readText(onCpu(gpu("0000:01:00.0", "0",
                                       nvlink("0000:02:00.0", 4, "0x030200")) +
                                   gpu("0000:02:00.0", "1", "")))),
            "topo:3: expected a link back from 'gpu1' to 'gpu0', but the file "
            "has none");
}

TEST(NcclXml, GpusWithoutRankDoNotCountBesideThoseWith) {
  std::string bare = "<pci busid=\"0000:03:00.0\" class=\"0x030200\">"
                     "<gpu dev=\"2\"/></pci>";
  Topology topology =
      llvm::cantFail(readText(onCpu(gpu("0000:01:00.0", "0", "") + bare)));
  EXPECT_EQ(topology.deviceCount(), 1);
}

TEST(NcclXml, C2cIsCountedInMegabytes) {
  std::string link = "<c2c bw=\"44712\" count=\"10\"/>";
  std::string nic = "<pci busid=\"0000:09:00.0\" class=\"0x020000\" "
                    "link_speed=\"32.0 GT/s PCIe\" link_width=\"16\"><nic>"
                    "<net name=\"mlx5_0\" dev=\"0\" speed=\"400000\"/></nic>"
                    "</pci>";
  Topology topology =
      llvm::cantFail(readText(onCpu(gpu("0000:01:00.0", "0", link) + nic)));
  EXPECT_EQ(nicRow(topology, 0), "P2C 48");
}

TEST(NcclXml, HostsOfOneFileShareAnNvswitch) {
  std::string text = "<system version=\"1\">\n";
  for (int host = 0; host < 2; ++host) {
    text += llvm::formatv("<cpu host_hash=\"0x{0}\" numaid=\"0\" "
                          "arch=\"arm64\">",
                          host + 1);
    text += gpu("0000:01:00.0", std::to_string(host),
                nvlink("0000:f0:00.0", 18, "0x068000"));
    text += "</cpu>\n";
  }
  Topology topology = llvm::cantFail(readText(text + "</system>\n"));
  EXPECT_EQ(gpuRow(topology, 0), "NVL 370.8");
  EXPECT_EQ(topology.node()->vertices()[topology.node()->gpus()[1]].host, 1);
}

TEST(NcclXml, Nvl72IsOneNode) {
  std::string text = "<system version=\"1\">\n";
  for (int host = 0; host < 18; ++host) {
    text += llvm::formatv("<cpu host_hash=\"0x{0}\" numaid=\"0\" "
                          "arch=\"arm64\">",
                          host + 1);
    for (int place = 0; place < 4; ++place) {
      text += gpu(llvm::formatv("000{0}:01:00.0", place).str(),
                  std::to_string(host * 4 + place),
                  nvlink("0000:f0:00.0", 18, "0x068000"));
    }
    text += "</cpu>\n";
  }
  TopologyOptions options;
  options.nodes = 28;
  options.interNodeGbps = 400;
  Topology topology = llvm::cantFail(readText(text + "</system>\n", options));
  EXPECT_EQ(topology.toString(),
            "net: 28 x 50.0 GB/s 14.0 us, nvlink: 72 x 370.8 GB/s 3.4 us");
  EXPECT_EQ(topology.deviceCount(), 2016);
  EXPECT_TRUE(assumes(topology, "each GPU sends 400 Gb/s (50 GB/s) to "
                                "other nodes, as given"));
}

TEST(NcclXml, BoardsOfFourAreMeshed) {
  std::string body;
  for (int index = 1; index <= 4; ++index) {
    body += llvm::formatv("<pci busid=\"0000:0{0}:00.0\" class=\"0x030200\" "
                          "vendor=\"0x10de\" device=\"0x20b0\" "
                          "link_speed=\"16.0 GT/s PCIe\" link_width=\"16\"/>\n",
                          index);
  }
  Topology topology = llvm::cantFail(readText(onCpu(body)));
  EXPECT_EQ(gpuRow(topology, 0), repeat("NVL 80", 3));
}

TEST(NcclXml, NodesWithoutNicsAskForTheirSpeed) {
  TopologyOptions options;
  options.nodes = 2;
  EXPECT_EQ(message(readText(onCpu(gpu("0000:01:00.0", "0", "")), options)),
            "topo: the file has no NICs, which 2 nodes need: give "
            "--inter-node-gbps=X, what one GPU can send to other nodes, in "
            "Gb/s");
  options.interNodeGbps = -1;
  EXPECT_EQ(message(readText(onCpu(gpu("0000:01:00.0", "0", "")), options)),
            "topo: expected --inter-node-gbps above 0, but got -1");
  options.nodes = 0;
  options.interNodeGbps = 100;
  EXPECT_EQ(message(readText(onCpu(gpu("0000:01:00.0", "0", "")), options)),
            "topo: expected --nodes of at least 1, but got 0");
}

TEST(NcclXml, GpuMustBeWhatTheFileSays) {
  std::string text = onCpu(gpu("0000:01:00.0", "0", ""));
  EXPECT_EQ(message(readText(text, ofGpu("A100"))),
            "topo:3: expected a A100, sm_80, as --gpu says, but got sm_90");
  EXPECT_EQ(message(readText(text, ofGpu("H200"))), "");
  EXPECT_EQ(message(readText(text, ofGpu("sm_90"))), "");
  EXPECT_NE(message(readText(text, ofGpu("H1000"))).find("unknown GPU 'H1000'"),
            std::string::npos);
  EXPECT_EQ(message(readText(text, ofGpu("NVIDIA H100 80GB HBM3"))), "");
}
