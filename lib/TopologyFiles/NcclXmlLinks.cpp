//===- NcclXmlLinks.cpp - Links of NCCL's XML besides PCIe ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NcclXml.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

/// How many GPUs a board with NVSwitches holds, and how many one without.
static constexpr size_t switchedBoard = 8;
static constexpr size_t meshedBoard = 4;

llvm::Expected<GigabytesPerSecond>
NcclXmlReader::nvlinkRate(const FoundGpu &gpu, const XmlElement &link) const {
  if (std::optional<llvm::StringRef> gcn = gpu.element->find("gcn")) {
    return xgmiBandwidth(gcn->split(':').first);
  }
  if (!gpu.element->find("sm") && gpu.product) {
    return gpu.product->linkBandwidth();
  }
  if (!gpu.element->find("sm")) {
    return fail(link, "expected the GPU of an NVLink to have 'sm': give "
                      "--gpu=NAME");
  }
  llvm::Expected<int64_t> sm = number(*gpu.element, "sm", std::nullopt);
  if (!sm) {
    return sm.takeError();
  }
  return nvlinkBandwidth(*sm);
}

llvm::Error NcclXmlReader::readNvlink(const FoundGpu &gpu,
                                      const XmlElement &link) {
  llvm::Expected<int64_t> count = number(link, "count", std::nullopt);
  if (!count) {
    return count.takeError();
  }
  if (*count < 1 || *count > 64) {
    return fail(link,
                formatv("expected 'count' from 1 to 64, but got {0}", *count));
  }
  llvm::Expected<llvm::StringRef> target = text(link, "target");
  if (!target) {
    return target.takeError();
  }
  llvm::Expected<GigabytesPerSecond> rate = nvlinkRate(gpu, link);
  if (!rate) {
    return rate.takeError();
  }
  GigabytesPerSecond bandwidth = *rate * static_cast<double>(*count);
  int64_t host = node[gpu.vertex].host;
  auto other = byBusId.find(std::pair(host, target->lower()));
  bool isGpu =
      other != byBusId.end() && node[other->second].kind == VertexKind::GPU;
  llvm::StringRef targetClass = link.find("tclass").value_or("");
  if (targetClass.starts_with("0x03") || (targetClass.empty() && isGpu)) {
    if (!isGpu || other->second == gpu.vertex) {
      node.assume(
          formatv("NVLinks to {0} are left out",
                  isGpu ? "the GPU itself" : "GPUs that the file lacks"));
      return llvm::Error::success();
    }
    // The other GPU lists the way back.
    node.addArc(gpu.vertex, other->second, EdgeKind::NVLink, bandwidth,
                link.line);
    return llvm::Error::success();
  }
  if (targetClass.starts_with("0x068001")) {
    if (std::optional<uint32_t> cpu = cpuAbove(gpu.vertex)) {
      node.connect(gpu.vertex, *cpu, EdgeKind::NVLink, bandwidth, link.line);
    }
    return llvm::Error::success();
  }
  if (!nvSwitch) {
    nvSwitch = node.add({VertexKind::NVSwitch, ""});
  }
  node.connect(gpu.vertex, *nvSwitch, EdgeKind::NVLink, bandwidth, link.line);
  return llvm::Error::success();
}

llvm::Error NcclXmlReader::readC2c(const FoundGpu &gpu,
                                   const XmlElement &link) {
  llvm::Expected<int64_t> count = number(link, "count", std::nullopt);
  if (!count) {
    return count.takeError();
  }
  llvm::Expected<int64_t> rate = number(link, "bw", std::nullopt);
  if (!rate) {
    return rate.takeError();
  }
  double bandwidth =
      static_cast<double>(*count) * static_cast<double>(*rate) / 1000;
  std::optional<uint32_t> cpu = cpuAbove(gpu.vertex);
  if (cpu && bandwidth > 0) {
    node.connect(gpu.vertex, *cpu, EdgeKind::C2C, GigabytesPerSecond(bandwidth),
                 link.line);
  }
  return llvm::Error::success();
}

llvm::Error NcclXmlReader::readLinks(const FoundGpu &gpu) {
  for (uint32_t index :
       gpu.element ? gpu.element->children : std::vector<uint32_t>()) {
    const XmlElement &link = tree[index];
    llvm::Error error = link.name == "nvlink" || link.name == "xgmi"
                            ? readNvlink(gpu, link)
                        : link.name == "c2c" ? readC2c(gpu, link)
                                             : llvm::Error::success();
    if (error) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error NcclXmlReader::readPciLinks(const XmlElement &element,
                                        int64_t host) {
  auto self =
      byBusId.find(std::pair(host, element.find("busid").value_or("").lower()));
  for (uint32_t index : element.children) {
    const XmlElement &child = tree[index];
    if (child.name == "pcilink" && self != byBusId.end()) {
      llvm::Expected<llvm::StringRef> target = text(child, "target");
      if (!target) {
        return target.takeError();
      }
      auto other = byBusId.find(std::pair(host, target->lower()));
      if (other != byBusId.end() && other->second != self->second) {
        node.addArc(self->second, other->second, EdgeKind::Local,
                    localBandwidth, child.line);
      }
    }
    int64_t at = child.name == "cpu" ? hostOf(child) : host;
    if (llvm::Error error = readPciLinks(child, at)) {
      return error;
    }
  }
  return llvm::Error::success();
}

void NcclXmlReader::assumeNvlinks() {
  if (hasNvlinks || hasRanks) {
    // A full dump without NVLinks means that there are none.
    return;
  }
  bool isBoard = llvm::all_of(gpus, [&](const FoundGpu &gpu) {
    return gpu.product && gpu.product->wiring == NvlinkWiring::Board &&
           gpu.product->name == gpus.front().product->name;
  });
  bool haveLinks = llvm::any_of(gpus, [](const FoundGpu &gpu) {
    return gpu.product && gpu.product->links > 0;
  });
  if (!haveLinks) {
    return;
  }
  if (!isBoard ||
      (gpus.size() != switchedBoard && gpus.size() != meshedBoard)) {
    node.assume(formatv("the file has no NVLinks, and how {0} GPUs of this "
                        "kind ({1}) are wired is not known: none are assumed; "
                        "{2}",
                        gpus.size(), node[gpus.front().vertex].model,
                        howToDump));
    return;
  }
  const GpuProduct &product = *gpus.front().product;
  GigabytesPerSecond rate = product.linkBandwidth();
  if (gpus.size() == switchedBoard) {
    uint32_t nvSwitchVertex = node.add({VertexKind::NVSwitch, ""});
    for (const FoundGpu &gpu : gpus) {
      node.connect(gpu.vertex, nvSwitchVertex, EdgeKind::NVLink,
                   rate * static_cast<double>(product.links));
    }
  } else {
    int64_t each = product.links / static_cast<int64_t>(meshedBoard - 1);
    for (size_t a = 0; a < gpus.size(); ++a) {
      for (size_t b = a + 1; b < gpus.size(); ++b) {
        node.connect(gpus[a].vertex, gpus[b].vertex, EdgeKind::NVLink,
                     rate * static_cast<double>(each));
      }
    }
  }
  node.assume(formatv("the file has no NVLinks: {0} a GPU{1}, as on a board of "
                      "{2} {3}; {4}",
                      product.links,
                      gpus.size() == switchedBoard ? " to an NVSwitch" : "",
                      gpus.size(), product.name, howToDump));
}

std::optional<uint32_t> NcclXmlReader::cpuAbove(uint32_t vertex) const {
  auto above = parents.find(vertex);
  while (above != parents.end()) {
    if (node[above->second].kind == VertexKind::CPU) {
      return above->second;
    }
    above = parents.find(above->second);
  }
  return std::nullopt;
}

llvm::Error NcclXmlReader::connectCpus() {
  std::vector<uint32_t> cpus = node.find(VertexKind::CPU);
  if (cpus.size() > maxCpus) {
    return fail(tree.root(), formatv("expected at most {0} CPUs, but got {1}",
                                     maxCpus, cpus.size()));
  }
  for (uint32_t from : cpus) {
    for (uint32_t to : cpus) {
      if (from != to && node[from].host == node[to].host) {
        node.addArc(from, to, EdgeKind::Socket, socketRates[from]);
      }
    }
  }
  return llvm::Error::success();
}

llvm::Expected<Topology> NcclXmlReader::read() {
  if (llvm::Error error = verifyVersion()) {
    return std::move(error);
  }
  if (llvm::Error error = verifyPlaces(tree.root())) {
    return std::move(error);
  }
  countDevices(tree.root());
  for (uint32_t index : tree.root().children) {
    if (tree[index].name == "cpu") {
      if (llvm::Error error = readCpu(tree[index])) {
        return std::move(error);
      }
    }
  }
  for (const FoundGpu &gpu : gpus) {
    if (llvm::Error error = readLinks(gpu)) {
      return std::move(error);
    }
  }
  if (!gpus.empty()) {
    assumeNvlinks();
  }
  if (llvm::Error error = readPciLinks(tree.root(), 0)) {
    return std::move(error);
  }
  if (llvm::Error error = connectCpus()) {
    return std::move(error);
  }
  if (virtualNics > 0) {
    node.assume(formatv("{0} NICs look virtual, such as '{1}'; they count, as "
                        "in NCCL",
                        virtualNics, virtualNic));
  }
  return node.finish();
}

llvm::Expected<Topology>
moe::topology::readNcclXml(llvm::MemoryBufferRef file,
                           const TopologyOptions &options) {
  llvm::Expected<XmlTree> tree = XmlTree::parse(file);
  if (!tree) {
    return tree.takeError();
  }
  return NcclXmlReader(file, *tree, options).read();
}
