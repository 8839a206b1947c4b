//===- NcclXmlDevices.cpp - GPUs and NICs of NCCL's XML -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NcclXml.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

llvm::Expected<std::optional<GpuProduct>>
NcclXmlReader::productOf(const XmlElement &pci, const XmlElement *gpu) const {
  llvm::StringRef device = pci.find("device").value_or("");
  std::optional<GpuProduct> product =
      findGpuProduct(pci.find("vendor").value_or(""), device);
  if (!options.gpu.empty()) {
    llvm::Expected<GpuProduct> named = findGpuProduct(options.gpu);
    if (!named) {
      return fileError({file.getBufferIdentifier().str()},
                       llvm::toString(named.takeError()));
    }
    product = *named;
  }
  if (!gpu || !product || gpu->find("gcn")) {
    return product;
  }
  llvm::Expected<int64_t> sm = number(*gpu, "sm", product->sm);
  if (!sm) {
    return sm.takeError();
  }
  if (!options.gpu.empty() && product->sm != *sm) {
    return fail(*gpu, formatv("expected a {0}, sm_{1}, as --gpu says, but got "
                              "sm_{2}",
                              product->name, product->sm, *sm));
  }
  return product;
}

llvm::Error NcclXmlReader::addGpu(const XmlElement &pci, const XmlElement *gpu,
                                  Parent parent, GigabytesPerSecond bandwidth) {
  llvm::Expected<std::optional<GpuProduct>> product = productOf(pci, gpu);
  if (!product) {
    return product.takeError();
  }
  llvm::StringRef busId = pci.find("busid").value_or("");
  if (!gpu && !*product) {
    return fail(pci, formatv("expected a PCI device id that tells what GPU "
                             "'{0}' is: give --gpu=NAME; {1}",
                             busId, howToDump));
  }
  Vertex vertex{VertexKind::GPU, ""};
  vertex.busId = busId.str();
  vertex.host = parent.host;
  if (*product) {
    vertex.model = (*product)->name;
  } else if (gpu && gpu->find("gcn")) {
    vertex.model = ("gcn " + *gpu->find("gcn")).str();
  } else if (gpu && gpu->find("sm")) {
    vertex.model = ("sm_" + *gpu->find("sm")).str();
  }
  vertex.hasDirectAccess = !gpu || gpu->find("gdr").value_or("1") != "0";
  if (!gpu) {
    node.assume(formatv("the GPUs are {0}, by {1}", vertex.model,
                        options.gpu.empty() ? "their PCI device id" : "--gpu"));
  } else if (!hasRanks) {
    node.assume("no GPU of the file has a rank, so all of them count");
  }
  FoundGpu found{node.add(std::move(vertex)), gpu, *product, pci.line};
  parents[found.vertex] = parent.vertex;
  node.connect(found.vertex, parent.vertex, EdgeKind::PCIe, bandwidth);
  byBusId[std::pair(parent.host, busId.lower())] = found.vertex;
  gpus.push_back(std::move(found));
  return llvm::Error::success();
}

llvm::Expected<GigabytesPerSecond>
NcclXmlReader::nicSpeed(const XmlElement &net) {
  if (!net.find("speed")) {
    return GigabytesPerSecond(0);
  }
  llvm::Expected<int64_t> speed = number(net, "speed", std::nullopt);
  if (!speed) {
    return speed.takeError();
  }
  if (*speed <= 0) {
    node.assume(formatv("NIC '{0}' has a speed of {1} Mb/s, which counts as 10 "
                        "Gb/s in NCCL",
                        net.find("name").value_or(""), *speed));
    return GigabytesPerSecond(10000 / 8000.0);
  }
  return GigabytesPerSecond(static_cast<double>(*speed) / 8000);
}

/// Whether a network interface of this name is software.
static bool looksVirtual(llvm::StringRef name) {
  return name.starts_with("veth") || name.starts_with("br-") ||
         name.starts_with("docker") || name.starts_with("virbr");
}

llvm::Error NcclXmlReader::addNics(const XmlElement &at, const XmlElement *nic,
                                   Parent parent,
                                   GigabytesPerSecond bandwidth) {
  Vertex common{VertexKind::NIC, ""};
  common.busId = at.find("busid").value_or("").str();
  common.host = parent.host;
  std::vector<Vertex> found;
  for (uint32_t index : nic ? nic->children : std::vector<uint32_t>()) {
    const XmlElement &net = tree[index];
    if (net.name != "net" || !net.find("dev") ||
        net.find("net").value_or("1") == "0") {
      continue;
    }
    llvm::Expected<GigabytesPerSecond> speed = nicSpeed(net);
    if (!speed) {
      return speed.takeError();
    }
    Vertex vertex = common;
    vertex.model = net.find("name").value_or("").str();
    vertex.speed = *speed;
    vertex.hasDirectAccess = net.find("gdr").value_or("1") != "0";
    if (looksVirtual(vertex.model) && virtualNics++ == 0) {
      virtualNic = vertex.model;
    }
    found.push_back(std::move(vertex));
  }
  if (!nic) {
    found.push_back(common);
  }
  if (found.size() == 1) {
    uint32_t vertex = node.add(std::move(found.front()));
    node.connect(vertex, parent.vertex, EdgeKind::PCIe, bandwidth);
  } else if (!found.empty()) {
    common.kind = VertexKind::Adapter;
    uint32_t adapter = node.add(common);
    node.connect(adapter, parent.vertex, EdgeKind::PCIe, bandwidth);
    for (Vertex &vertex : found) {
      node.connect(node.add(std::move(vertex)), adapter, EdgeKind::Local,
                   localBandwidth);
    }
  }
  return llvm::Error::success();
}
