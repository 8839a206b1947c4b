//===- NcclXml.h - NCCL's topology XML, and RCCL's --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The grammar is that of NVIDIA/nccl src/graph/xml.cc, what elements mean that
// of topo.cc. Three kinds of files have it:
//
//   - full dumps: every GPU has a <gpu> with a rank, and its NVLinks;
//   - files that NCCL completes on the machine: <gpu> without ranks;
//   - skeletons (clouds ship them): PCIe only. GPUs and NICs are then known by
//     their PCI class, NVLinks by the product.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_NCCLXML_H
#define MOE_LIB_TOPOLOGYFILES_NCCLXML_H

#include "GpuProduct.h"
#include "NodeAssembly.h"
#include "XmlTree.h"

namespace moe::topology {

/// How errors and assumptions tell users to get what a file lacks.
inline constexpr llvm::StringRef howToDump =
    "a full file comes from any NCCL program run with "
    "NCCL_TOPO_DUMP_FILE=topo.xml";

/// The most CPUs of a file; each has a link to each of its host.
inline constexpr size_t maxCpus = 256;

/// Where a PCI device hangs.
struct Parent {
  uint32_t vertex = 0;
  int64_t host = 0;
};

/// A GPU with what its links need.
struct FoundGpu {
  uint32_t vertex = 0;
  /// Its <gpu>; none in skeletons.
  const XmlElement *element = nullptr;
  std::optional<GpuProduct> product;
  unsigned line = 0;
};

class NcclXmlReader {
public:
  NcclXmlReader(llvm::MemoryBufferRef file, const XmlTree &tree,
                const TopologyOptions &options)
      : file(file), tree(tree), options(options),
        node(file.getBufferIdentifier(), options) {}

  llvm::Expected<planning::Topology> read();

private:
  llvm::Error fail(const XmlElement &at, const llvm::Twine &message) const {
    return fileError({file.getBufferIdentifier().str(), at.line, 0}, message);
  }
  llvm::Expected<llvm::StringRef> text(const XmlElement &at,
                                       llvm::StringRef attribute) const;
  llvm::Expected<int64_t> number(const XmlElement &at,
                                 llvm::StringRef attribute,
                                 std::optional<int64_t> absent) const;

  llvm::Error verifyPlaces(const XmlElement &parent);
  llvm::Error verifyVersion();
  void countDevices(const XmlElement &element);
  bool isGpu(const XmlElement &gpu) const;
  bool isBareGpu(const XmlElement &pci) const;
  bool isBareNic(const XmlElement &pci) const;
  bool isSwitch(const XmlElement &pci) const;
  bool hasDevices(const XmlElement &element) const;

  int64_t hostOf(const XmlElement &cpu);
  llvm::Error readCpu(const XmlElement &cpu);
  llvm::Error readPci(const XmlElement &pci, Parent parent,
                      const XmlElement *above);
  llvm::Error readSwitch(const XmlElement &pci, Parent parent,
                         const XmlElement *above,
                         planning::GigabytesPerSecond bandwidth);
  llvm::Error registerBusId(const XmlElement &pci, int64_t host,
                            llvm::StringRef busId);
  llvm::Expected<planning::GigabytesPerSecond>
  linkBandwidth(const XmlElement &pci);
  llvm::Error addGpu(const XmlElement &pci, const XmlElement *gpu,
                     Parent parent, planning::GigabytesPerSecond bandwidth);
  llvm::Expected<std::optional<GpuProduct>>
  productOf(const XmlElement &pci, const XmlElement *gpu) const;
  llvm::Error addNics(const XmlElement &at, const XmlElement *nic,
                      Parent parent, planning::GigabytesPerSecond bandwidth);
  llvm::Expected<planning::GigabytesPerSecond> nicSpeed(const XmlElement &net);

  llvm::Error readLinks(const FoundGpu &gpu);
  llvm::Error readNvlink(const FoundGpu &gpu, const XmlElement &link);
  llvm::Error readC2c(const FoundGpu &gpu, const XmlElement &link);
  llvm::Expected<planning::GigabytesPerSecond>
  nvlinkRate(const FoundGpu &gpu, const XmlElement &link) const;
  llvm::Error readPciLinks(const XmlElement &element, int64_t host);
  void assumeNvlinks();
  std::optional<uint32_t> cpuAbove(uint32_t vertex) const;
  llvm::Error connectCpus();

  llvm::MemoryBufferRef file;
  const XmlTree &tree;
  const TopologyOptions &options;
  NodeAssembly node;

  bool hasGpus = false;
  bool hasRanks = false;
  bool hasNics = false;
  bool hasNvlinks = false;
  std::map<std::string, int64_t> hosts;
  std::vector<FoundGpu> gpus;
  /// Lines of the devices by host and bus id.
  std::map<std::pair<int64_t, std::string>, unsigned> busIds;
  /// Vertices of GPUs and switches by host and bus id.
  std::map<std::pair<int64_t, std::string>, uint32_t> byBusId;
  std::map<uint32_t, planning::GigabytesPerSecond> socketRates;
  /// What each PCI vertex hangs on.
  std::map<uint32_t, uint32_t> parents;
  std::optional<uint32_t> nvSwitch;
  /// An interface that looks virtual, and how many there are.
  std::string virtualNic;
  unsigned virtualNics = 0;
};

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_NCCLXML_H
