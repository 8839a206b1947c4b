//===- NvidiaSmiTopoTest.cpp - The matrix of nvidia-smi topo -m -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace moe::topology;
using namespace moe::topology::test;
using moe::planning::Topology;

static Topology readMatrix(llvm::StringRef name, llvm::StringRef gpu) {
  return llvm::cantFail(readInput(("matrix/" + name).str(), ofGpu(gpu)));
}

//===----------------------------------------------------------------------===//
// Real files
//===----------------------------------------------------------------------===//

TEST(NvidiaSmiTopo, BoardsOfEightLeadToAnNvswitch) {
  EXPECT_EQ(readMatrix("h100_8x_ml-engineering.txt", "H100").toString(),
            "nvlink: 8 x 370.8 GB/s 3.4 us");
  EXPECT_EQ(readMatrix("a100_8x_ml-engineering.txt", "A100").toString(),
            "nvlink: 8 x 240.0 GB/s 3.4 us");
  // The same matrix of another GPU.
  EXPECT_EQ(readMatrix("b200_8x_cutlass_doc.txt", "B200").toString(),
            "nvlink: 8 x 721.8 GB/s 3.4 us");
  EXPECT_EQ(readMatrix("b200_8x_cutlass_doc.txt", "H100").toString(),
            "nvlink: 8 x 370.8 GB/s 3.4 us");
  Topology topology = readMatrix("h100_8x_ml-engineering.txt", "H100");
  EXPECT_TRUE(assumes(topology, "they lead to an NVSwitch"));
  EXPECT_EQ(topology.node()->numaNodeOf(topology.node()->gpus()[5]), 1);
}

TEST(NvidiaSmiTopo, TwoNicsForEight) {
  Topology topology = readMatrix("a100_8x_2nic.txt", "A100");
  EXPECT_EQ(nicRow(topology, 0), "PXB 24 PXN 24");
  EXPECT_EQ(nicRow(topology, 2), "PXN 24 PXN 24");
  EXPECT_EQ(nicRow(topology, 5), "PXN 24 PXB 24");
  TopologyOptions options = ofGpu("A100");
  options.nodes = 2;
  EXPECT_EQ(inputMessage("matrix/a100_8x_2nic.txt", options),
            "matrix/a100_8x_2nic.txt: the file does not say how fast NIC "
            "'mlx5_0' is, which 2 nodes need: give --nic-gbps=X, in Gb/s");
  options.nicGbps = 100;
  topology = llvm::cantFail(readInput("matrix/a100_8x_2nic.txt", options));
  EXPECT_EQ(topology.toString(),
            "net: 2 x 12.5 GB/s 14.0 us, nvlink: 8 x 240.0 GB/s 3.4 us");
}

TEST(NvidiaSmiTopo, BridgedPairsAcrossSockets) {
  Topology topology = readMatrix("a100pcie_6x_nvbridge_pairs.txt", "A100 PCIe");
  EXPECT_EQ(topology.toString(),
            "socket: 3 x 16.0 GB/s 5.7 us, nvlink: 2 x 240.0 GB/s 3.4 us");
  EXPECT_EQ(gpuRow(topology, 0), "PHB 24 PHB 24 NVL 240 SYS 16 SYS 16");
  EXPECT_EQ(gpuRow(topology, 3), "NVL 240 SYS 16 SYS 16 PHB 24 PHB 24");
  EXPECT_EQ(nicRow(topology, 2), "PHB 24");
  EXPECT_EQ(nicRow(topology, 4), "SYS 16");
  // Pairs are neighbours, whatever their numbers.
  std::vector<int64_t> order;
  for (int64_t position = 0; position < 6; ++position) {
    order.push_back(topology.deviceAt(position));
  }
  EXPECT_EQ(order, (std::vector<int64_t>{0, 3, 1, 2, 4, 5}));
}

TEST(NvidiaSmiTopo, CubeMeshOfV100) {
  Topology topology = readMatrix("dgx1_v100_8x_msccl.txt", "V100");
  EXPECT_EQ(topology.toString(), "nvlink: 8 x 20.0 GB/s 3.4 us");
  EXPECT_EQ(gpuRow(topology, 0),
            "NVL 20 NVL 20 NVL 40 NVL 40 NVB 20 NVB 20 NVB 40");
  // NICs stand in the order of the table.
  EXPECT_EQ(portList(topology), "0 0 2 2 1 1 3 3");
  EXPECT_EQ(nicRow(topology, 1), "PIX 12 SYS 10 PXN 12 SYS 10");
}

TEST(NvidiaSmiTopo, FourMeshedWithTheirNicsReversed) {
  Topology topology = readMatrix("polaris_a100_4x_nv4.txt", "A100");
  EXPECT_EQ(topology.toString(), "nvlink: 4 x 80.0 GB/s 3.4 us");
  EXPECT_EQ(nicRow(topology, 1), "SYS 16 PHB 24");
  EXPECT_EQ(nicRow(topology, 3), "PHB 24 SYS 16");
  EXPECT_EQ(topology.node()->numaNodeOf(topology.node()->gpus()[0]), 3);
}

TEST(NvidiaSmiTopo, BoxesWithoutNvlink) {
  EXPECT_EQ(readMatrix("2gpu_phb_ml-engineering.txt", "RTX3090").toString(),
            "host_bridge: 2 x 24.0 GB/s 5.7 us");
  Topology topology = readMatrix("l40_4x_2nic.txt", "L40");
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 16.0 GB/s 5.7 us, host_bridge: 2 x 24.0 GB/s 5.7 us");
  // GPUs far from the NICs use them all the same.
  EXPECT_EQ(nicRow(topology, 0), "SYS 16 SYS 16");
  EXPECT_EQ(portList(topology), "0 1 0 1");
  topology = readMatrix("rtx4090_8x_sys_go-gpuallocator.txt", "RTX4090");
  EXPECT_EQ(topology.toString(), "socket: 8 x 16.0 GB/s 5.7 us");
  EXPECT_EQ(nicRow(topology, 6), "PHB 24 PHB 24");
}

TEST(NvidiaSmiTopo, OneGpuAndEmptyColumns) {
  Topology topology = readMatrix("gb10_1gpu_4nic.txt", "GB10");
  EXPECT_EQ(topology.deviceCount(), 1);
  EXPECT_EQ(nicRow(topology, 0), "PHB 48 PHB 48 PHB 48 PHB 48");
  topology = readMatrix("slurm_gpu-d_4x_cpu0.txt", "A100");
  EXPECT_EQ(topology.toString(), "nvlink: 4 x 80.0 GB/s 3.4 us");
  EXPECT_EQ(topology.node()->numaNodeOf(topology.node()->gpus()[2]), 1);
}

TEST(NvidiaSmiTopo, RefusesWhatIsBroken) {
  EXPECT_EQ(
      inputMessage("matrix/a100_8x_vm_all_phb_corrupt.txt", ofGpu("A100")),
      "matrix/a100_8x_vm_all_phb_corrupt.txt:2:73: expected a class such "
      "as NV12, PIX or SYS, but got 'PH0-115'");
  EXPECT_EQ(inputMessage("matrix/h800_8x_9nic_nccl933.txt", ofGpu("H800")),
            "matrix/h800_8x_9nic_nccl933.txt:9:1: expected the row of GPU7, "
            "but the table ends here");
  EXPECT_EQ(inputMessage("matrix/h100_8x_ml-engineering.txt"),
            "matrix/h100_8x_ml-engineering.txt: the table does not say which "
            "GPUs these are (H100 and B200 print the same): give --gpu=NAME");
}

//===----------------------------------------------------------------------===//
// Rules, one by one
//===----------------------------------------------------------------------===//

TEST(NvidiaSmiTopo, OtherLinesAndUnderlinesDoNotMatter) {
  Topology topology = llvm::cantFail(readText(
      "$ nvidia-smi topo -m\r\n"
      "\t\x1b[4mGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\x1b[0m\r\n"
      "GPU0\t X \tNV18\tPIX\t0-7\t0\r\n"
      "GPU1\tNV18\t X \tSYS\t8-15\t1\r\n"
      "NIC0\tPIX\tSYS\t X \r\n"
      "\r\nLegend:\r\n\r\n  X    = Self\r\n\r\nNIC Legend:\r\n\r\n"
      "  NIC0: mlx5_3\r\n",
      ofGpu("H100")));
  EXPECT_EQ(gpuRow(topology, 0), "NVL 370.8");
  EXPECT_EQ(nicRow(topology, 0), "PIX 48");
  EXPECT_EQ(topology.node()->vertices()[topology.node()->nics()[0]].model,
            "mlx5_3");
}

TEST(NvidiaSmiTopo, TopoMpHidesNvlinks) {
  Topology topology = llvm::cantFail(readText("      GPU0  GPU1\n"
                                              "GPU0   X    PXB\n"
                                              "GPU1  PXB    X\n",
                                              ofGpu("A100")));
  EXPECT_EQ(gpuRow(topology, 0), "PXB 24");
  EXPECT_TRUE(assumes(topology, "`topo -mp` hides them"));
}

TEST(NvidiaSmiTopo, TwoIslandsBecomeALevel) {
  std::string text = "\tGPU0\tGPU1\tGPU2\tGPU3\n"
                     "GPU0\tX\tNV6\tSYS\tSYS\n"
                     "GPU1\tNV6\tX\tSYS\tSYS\n"
                     "GPU2\tSYS\tSYS\tX\tNV6\n"
                     "GPU3\tSYS\tSYS\tNV6\tX\n";
  Topology topology = llvm::cantFail(readText(text, ofGpu("H100")));
  EXPECT_EQ(topology.toString(),
            "socket: 2 x 22.0 GB/s 5.7 us, nvlink: 2 x 123.6 GB/s 3.4 us");
}

TEST(NvidiaSmiTopo, RefusesBadTables) {
  TopologyOptions h100 = ofGpu("H100");
  EXPECT_EQ(
      message(readText("\tGPU0\tGPU1\nGPU0\tX\tNV18\nGPU1\tPIX\tX\n", h100)),
      "topo:3:6: expected NV18 for GPU1 and GPU0 as in line 2, but got "
      "PIX");
  EXPECT_EQ(message(readText("\tGPU0\tGPU1\nGPU0\tX\tX\nGPU1\tX\tX\n", h100)),
            "topo:2:8: expected X where a device meets itself and only there, "
            "but got 'X' for GPU0 and GPU1");
  EXPECT_EQ(message(readText("\tGPU0\tGPU1\nGPU0\tX\n", h100)),
            "topo:2:7: expected the class of GPU0 and GPU1, but the row ends "
            "here");
  EXPECT_EQ(message(readText("\tGPU0\tGPU0\nGPU0\tX\tX\n", h100)),
            "topo:1:7: expected distinct devices, but got GPU0 twice");
  EXPECT_EQ(message(readText("\tGPU0\tNIC0\nGPU0\tX\tNV2\n", h100)),
            "topo:2:8: expected NVLinks between GPUs only, but got 'NV2' for "
            "GPU0 and NIC0");
  EXPECT_EQ(message(readText("\tGPU0\tGPU1\nGPU0\tX\tOK\n", h100)),
            "topo:2:8: expected a class such as NV12, PIX or SYS, but got "
            "'OK': this is the table of `topo -p2p`");
  EXPECT_EQ(message(readText("\tGPU0\tGPU1\nGPU0\tX\tNV18\nGPU1\tNV18\tX\n",
                             ofGpu("A100"))),
            "topo: expected at most 12 NVLinks of the A100, but got NV18 for "
            "GPU0: is --gpu right?");
  EXPECT_EQ(message(readNvidiaSmiTopo(
                llvm::MemoryBufferRef("nothing\n", "topo"), h100)),
            "topo:2: expected the table of `nvidia-smi topo -m`, with a header "
            "that begins with GPU0");
}

TEST(NvidiaSmiTopo, NotesWhereNoTreeHasTheClasses) {
  // NIC0 is on one switch with both, which are said to be sockets apart.
  Topology topology = llvm::cantFail(readText("\tGPU0\tGPU1\tNIC0\n"
                                              "GPU0\tX\tSYS\tPIX\n"
                                              "GPU1\tSYS\tX\tPIX\n"
                                              "NIC0\tPIX\tPIX\tX\n",
                                              ofGpu("L40")));
  EXPECT_TRUE(assumes(topology, "no tree of switches has the classes of the "
                                "table (such as those of GPU1 and GPU0)"));
}
