//===- Cluster.cpp - A cluster from flags and a file ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Workload.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::placement;
using namespace moe::planning;
using namespace moe::topology;
using llvm::createStringError;
using llvm::formatv;

/// Whether a file of the format is about one machine, or a whole cluster.
static bool describesMachine(TopologyFormat format) {
  return format == TopologyFormat::NcclXml ||
         format == TopologyFormat::NvidiaSmiTopo;
}

/// The devices of a node: of a machine, or of the outermost tier's parts.
static int64_t devicesPerNode(const Topology &topology) {
  if (topology.node()) {
    return topology.devicesPerNode();
  }
  return topology.tierCount() > 1 ? topology.devicesPerPart(0)
                                  : topology.deviceCount();
}

/// Whether so many consecutive devices are a part of some tier.
static bool isPart(const Topology &topology, int64_t devices) {
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    if (topology.devicesPerPart(tier) == devices) {
      return true;
    }
  }
  return devices == topology.deviceCount();
}

static llvm::Expected<Topology> readFile(const WorkloadOptions &options) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(options.topology);
  if (!file) {
    return createStringError(options.topology + ": " +
                             file.getError().message());
  }
  llvm::MemoryBufferRef text((*file)->getBuffer(), options.topology);
  llvm::Expected<TopologyFormat> format = detectFormat(text);
  if (!format) {
    return format.takeError();
  }
  TopologyOptions machine = options.machine;
  if (describesMachine(*format)) {
    machine.nodes = std::max<int64_t>(options.nodes, 1);
  } else {
    // It names the products of rates and memory too, which no reader asks for.
    machine.gpu.clear();
  }
  return readTopology(text, machine);
}

/// The numbers of GPUs and nodes, against what the topology says.
static llvm::Error setCounts(const WorkloadOptions &options, Cluster &cluster) {
  const Topology *topology = cluster.topology.get();
  cluster.gpus = options.gpus;
  cluster.nodes = std::max<int64_t>(options.nodes, 1);
  cluster.knowsNodes = options.nodes != 0 || topology;
  if (topology) {
    cluster.gpus = topology->deviceCount();
    if (options.gpus != 0 && options.gpus != cluster.gpus) {
      return createStringError(
          formatv("{0}: expected a topology of {1} devices, as --gpus says, "
                  "but got {2} ({3})",
                  options.topology, options.gpus, cluster.gpus,
                  topology->toString())
              .str());
    }
    int64_t perNode = devicesPerNode(*topology);
    if (options.nodes == 0) {
      cluster.nodes = cluster.gpus / perNode;
    } else if (cluster.gpus % options.nodes != 0 ||
               !isPart(*topology, cluster.gpus / options.nodes)) {
      return createStringError(
          formatv("{0}: expected a topology of {1} nodes, as --nodes says, but "
                  "got {2} ({3})",
                  options.topology, options.nodes, cluster.gpus / perNode,
                  topology->toString())
              .str());
    }
  }
  if (cluster.gpus == 0) {
    return createStringError("expected --gpus or --topology");
  }
  if (cluster.gpus % cluster.nodes != 0) {
    return createStringError(
        formatv("--nodes: expected a number that divides the {0} GPUs, but got "
                "{1}",
                cluster.gpus, cluster.nodes)
            .str());
  }
  return llvm::Error::success();
}

/// The product that constants are of: the one that is named, else the one that
/// the topology's GPUs are.
static llvm::Error setConstants(const WorkloadOptions &options,
                                Cluster &cluster) {
  std::string name = options.machine.gpu;
  if (name.empty() && cluster.topology && cluster.topology->node()) {
    const LinkGraph &node = *cluster.topology->node();
    name = node.vertices()[node.gpus().front()].model;
  }
  if (const Accelerator *product = findAccelerator(name)) {
    return CostConstants::forAccelerator(product->name)
        .moveInto(cluster.constants);
  }
  cluster.notes.push_back(
      name.empty()
          ? "no GPU is named (--gpu): rates and memory are those of an H100"
          : formatv("nothing is known of '{0}': rates and memory are those of "
                    "an H100; known: {1}",
                    name, knownAccelerators())
                .str());
  return llvm::Error::success();
}

llvm::Expected<Cluster>
moe::placement::readCluster(const WorkloadOptions &options) {
  Cluster cluster;
  if (!options.topology.empty()) {
    llvm::Expected<Topology> topology = readFile(options);
    if (!topology) {
      return topology.takeError();
    }
    for (llvm::StringRef assumption : topology->assumptions()) {
      cluster.notes.push_back("assumed of the topology: " + assumption.str());
    }
    cluster.topology = std::make_shared<Topology>(std::move(*topology));
  }
  if (llvm::Error error = setCounts(options, cluster)) {
    return std::move(error);
  }
  if (llvm::Error error = setConstants(options, cluster)) {
    return std::move(error);
  }
  return cluster;
}
