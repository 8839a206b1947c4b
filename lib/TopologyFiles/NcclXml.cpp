//===- NcclXml.cpp - NCCL's topology XML, and RCCL's ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NcclXml.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

//===----------------------------------------------------------------------===//
// Attributes and structure
//===----------------------------------------------------------------------===//

llvm::Expected<llvm::StringRef>
NcclXmlReader::text(const XmlElement &at, llvm::StringRef attribute) const {
  if (std::optional<llvm::StringRef> found = at.find(attribute)) {
    return *found;
  }
  return fail(at, formatv("expected <{0}> to have '{1}'", at.name, attribute));
}

llvm::Expected<int64_t>
NcclXmlReader::number(const XmlElement &at, llvm::StringRef attribute,
                      std::optional<int64_t> absent) const {
  std::optional<llvm::StringRef> found = at.find(attribute);
  if (!found && absent) {
    return *absent;
  }
  llvm::Expected<llvm::StringRef> value = text(at, attribute);
  if (!value) {
    return value.takeError();
  }
  int64_t result = 0;
  if (value->trim().getAsInteger(0, result)) {
    return fail(at, formatv("expected '{0}' of <{1}> to be a whole number, but "
                            "got '{2}'",
                            attribute, at.name, *value));
  }
  return result;
}

/// What may hold an element; empty for names that NCCL does not know.
static llvm::ArrayRef<llvm::StringRef> parentsOf(llvm::StringRef name) {
  static constexpr llvm::StringRef system[] = {"system"}, pci[] = {"pci"},
                                   gpu[] = {"gpu"}, nic[] = {"nic"},
                                   cpuOrPci[] = {"cpu", "pci"};
  if (name == "cpu") {
    return system;
  }
  if (name == "pci" || name == "nic") {
    return cpuOrPci;
  }
  if (name == "gpu" || name == "pcilink") {
    return pci;
  }
  if (name == "nvlink" || name == "xgmi" || name == "c2c") {
    return gpu;
  }
  return name == "net" ? llvm::ArrayRef(nic)
                       : llvm::ArrayRef<llvm::StringRef>();
}

llvm::Error NcclXmlReader::verifyPlaces(const XmlElement &parent) {
  for (uint32_t index : parent.children) {
    const XmlElement &child = tree[index];
    llvm::ArrayRef<llvm::StringRef> allowed = parentsOf(child.name);
    if (!allowed.empty() && !llvm::is_contained(allowed, parent.name)) {
      return fail(child, formatv("expected <{0}> inside <{1}>, but got it "
                                 "inside <{2}>",
                                 child.name, llvm::join(allowed, "> or <"),
                                 parent.name));
    }
    if (llvm::Error error = verifyPlaces(child)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error NcclXmlReader::verifyVersion() {
  const XmlElement &root = tree.root();
  if (root.name != "system") {
    return fail(root, formatv("expected <system>, but got <{0}>{1}", root.name,
                              root.name == "graphs"
                                  ? ": these are the channels of a job, not "
                                    "its machine; NCCL_TOPO_DUMP_FILE writes "
                                    "that"
                                  : ""));
  }
  llvm::Expected<llvm::StringRef> version = text(root, "version");
  if (!version) {
    return version.takeError();
  }
  if (*version != "1" && *version != "2") {
    return fail(root, formatv("expected version 1 (NCCL) or 2 (RCCL), but got "
                              "'{0}'",
                              *version));
  }
  return llvm::Error::success();
}

void NcclXmlReader::countDevices(const XmlElement &element) {
  hasGpus |= element.name == "gpu";
  hasRanks |= element.name == "gpu" && element.find("rank");
  hasNics |= element.name == "net" && element.find("dev");
  hasNvlinks |= element.name == "nvlink" || element.name == "xgmi";
  for (uint32_t child : element.children) {
    countDevices(tree[child]);
  }
}

bool NcclXmlReader::isGpu(const XmlElement &gpu) const {
  return gpu.name == "gpu" && (!hasRanks || gpu.find("rank"));
}

bool NcclXmlReader::isBareGpu(const XmlElement &pci) const {
  llvm::StringRef vendor = pci.find("vendor").value_or("0x10de");
  return !hasGpus && pci.find("class").value_or("").starts_with("0x03") &&
         (vendor == "0x10de" || vendor == "0x1002");
}

bool NcclXmlReader::isBareNic(const XmlElement &pci) const {
  return !hasNics && pci.find("class").value_or("").starts_with("0x02");
}

bool NcclXmlReader::isSwitch(const XmlElement &pci) const {
  llvm::StringRef pciClass = pci.find("class").value_or("");
  bool isOther = pciClass.starts_with("0x0680") ||
                 pciClass.starts_with("0x03") || pciClass.starts_with("0x02");
  return !isOther;
}

bool NcclXmlReader::hasDevices(const XmlElement &element) const {
  bool isNic = element.name == "net" && element.find("dev");
  bool isBare =
      element.name == "pci" && (isBareGpu(element) || isBareNic(element));
  return isNic || isBare || isGpu(element) ||
         llvm::any_of(element.children,
                      [&](uint32_t child) { return hasDevices(tree[child]); });
}

//===----------------------------------------------------------------------===//
// CPUs and PCIe
//===----------------------------------------------------------------------===//

int64_t NcclXmlReader::hostOf(const XmlElement &cpu) {
  int64_t next = hosts.size();
  return hosts.try_emplace(cpu.find("host_hash").value_or("").str(), next)
      .first->second;
}

llvm::Error NcclXmlReader::readCpu(const XmlElement &cpu) {
  if (!hasDevices(cpu)) {
    return llvm::Error::success();
  }
  llvm::Expected<int64_t> numa = number(cpu, "numaid", std::nullopt);
  if (!numa) {
    return numa.takeError();
  }
  llvm::Expected<int64_t> family = number(cpu, "familyid", 0);
  if (!family) {
    return family.takeError();
  }
  llvm::Expected<int64_t> model = number(cpu, "modelid", 0);
  if (!model) {
    return model.takeError();
  }
  Vertex vertex{VertexKind::CPU, ""};
  vertex.host = hostOf(cpu);
  if (*numa >= 0) {
    vertex.numaNode = *numa;
  }
  llvm::StringRef architecture = cpu.find("arch").value_or("");
  llvm::StringRef vendor = cpu.find("vendor").value_or("");
  vertex.model = architecture == "x86_64" ? vendor.str() : architecture.str();
  Parent parent{node.add(std::move(vertex)), hostOf(cpu)};
  GigabytesPerSecond rate =
      socketBandwidth({architecture, vendor, *family, *model});
  if (rate == localBandwidth) {
    node.assume(formatv("links between CPUs of architecture '{0}' and vendor "
                        "'{1}' count as {2} GB/s, as in NCCL",
                        architecture, vendor, decimal(rate.value())));
  }
  socketRates[parent.vertex] = rate;
  for (uint32_t index : cpu.children) {
    const XmlElement &child = tree[index];
    if (child.name != "pci" && child.name != "nic") {
      continue;
    }
    if (llvm::Error error =
            child.name == "pci"
                ? readPci(child, parent, nullptr)
                : addNics(child, &child, parent, localBandwidth)) {
      return error;
    }
  }
  return llvm::Error::success();
}

/// Broadcom's switches show themselves as two levels where they are one: which
/// generation of them this is, 0 for none.
static unsigned twoLevelGeneration(const XmlElement &pci, uint64_t level) {
  auto id = [&](llvm::StringRef attribute) {
    uint64_t value = 0;
    pci.find(attribute).value_or("0").getAsInteger(0, value);
    return value & 0xffff;
  };
  uint64_t board =
      id("vendor") << 32 | id("device") << 16 | id("subsystem_vendor");
  uint64_t series = id("subsystem_device") & 0xf000;
  if (board == 0x1000c0101000 && series == 0xa000) {
    return 4;
  }
  return board == 0x1000c0301000 && series == level * 0x1000 ? 5 : 0;
}

llvm::Error NcclXmlReader::registerBusId(const XmlElement &pci, int64_t host,
                                         llvm::StringRef busId) {
  auto [entry, isNew] =
      busIds.try_emplace(std::pair(host, busId.lower()), pci.line);
  if (!isNew) {
    return fail(pci, formatv("expected distinct bus ids, but got '{0}' again "
                             "(first in line {1})",
                             busId, entry->second));
  }
  return llvm::Error::success();
}

llvm::Expected<GigabytesPerSecond>
NcclXmlReader::linkBandwidth(const XmlElement &pci) {
  llvm::StringRef speed = pci.find("link_speed").value_or("");
  llvm::Expected<int64_t> width = number(pci, "link_width", 0);
  if (!width) {
    return width.takeError();
  }
  if (*width < 0 || *width > 32) {
    return fail(pci, formatv("expected 'link_width' from 0 to 32, but got {0}",
                             *width));
  }
  if (!isKnownPcieSpeed(speed)) {
    node.assume(
        speed.empty()
            ? "PCIe links without a speed count as 8 GT/s, as in NCCL"
            : formatv("a PCIe speed of '{0}' is not in NCCL's table and "
                      "counts as 8 GT/s there",
                      speed)
                  .str());
  }
  return pcieBandwidth(speed, *width);
}

llvm::Error NcclXmlReader::readPci(const XmlElement &pci, Parent parent,
                                   const XmlElement *above) {
  llvm::Expected<llvm::StringRef> busId = text(pci, "busid");
  if (!busId) {
    return busId.takeError();
  }
  if (llvm::Error error = registerBusId(pci, parent.host, *busId)) {
    return error;
  }
  if (!hasDevices(pci)) {
    return llvm::Error::success();
  }
  llvm::Expected<GigabytesPerSecond> bandwidth = linkBandwidth(pci);
  if (!bandwidth) {
    return bandwidth.takeError();
  }
  const XmlElement *nic = nullptr;
  bool isGpuDevice = false;
  for (uint32_t index : pci.children) {
    const XmlElement &child = tree[index];
    nic = child.name == "nic" && !nic ? &child : nic;
    if (isGpu(child)) {
      isGpuDevice = true;
      if (llvm::Error error = addGpu(pci, &child, parent, *bandwidth)) {
        return error;
      }
    }
  }
  if (isGpuDevice) {
    return llvm::Error::success();
  }
  if (isBareGpu(pci)) {
    return addGpu(pci, nullptr, parent, *bandwidth);
  }
  if (nic || isBareNic(pci)) {
    return addNics(pci, nic, parent, *bandwidth);
  }
  if (!isSwitch(pci)) {
    return llvm::Error::success();
  }
  return readSwitch(pci, parent, above, *bandwidth);
}

llvm::Error NcclXmlReader::readSwitch(const XmlElement &pci, Parent parent,
                                      const XmlElement *above,
                                      GigabytesPerSecond bandwidth) {
  std::string busId = pci.find("busid").value_or("").str();
  unsigned generation = twoLevelGeneration(pci, 1);
  bool isSecondLevel =
      above && generation != 0 && generation == twoLevelGeneration(*above, 0);
  Parent self = parent;
  if (!isSecondLevel) {
    Vertex vertex{VertexKind::PCIeSwitch, ""};
    vertex.busId = busId;
    vertex.host = parent.host;
    self.vertex = node.add(std::move(vertex));
    parents[self.vertex] = parent.vertex;
    node.connect(self.vertex, parent.vertex, EdgeKind::PCIe, bandwidth);
  }
  byBusId[std::pair(parent.host, llvm::StringRef(busId).lower())] = self.vertex;
  for (uint32_t index : pci.children) {
    if (tree[index].name == "pci") {
      if (llvm::Error error =
              readPci(tree[index], self, isSecondLevel ? nullptr : &pci)) {
        return error;
      }
    }
  }
  return llvm::Error::success();
}
