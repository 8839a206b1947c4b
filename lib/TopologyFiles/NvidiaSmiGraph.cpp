//===- NvidiaSmiGraph.cpp - Hardware that has a matrix of classes ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The matrix says how far devices are from each other, not what is between
// them. What is made here:
//
//   - a CPU for each group of devices that are at most NODE apart;
//   - below it a switch for each group that is at most PXB apart, and below
//     that, where not all of them are PIX apart, a switch for each group that
//     is;
//   - NVLinks between GPUs, or an NVSwitch where these would be more than a GPU
//     has.
//
// NVLink hides how two GPUs are joined by PCIe. Such GPUs share what they share
// with some NIC, and the CPU of their NUMA domain unless SYS keeps them apart.
//
//===----------------------------------------------------------------------===//

#include "NvidiaSmiTopo.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

namespace {
/// Devices in groups; a group has the number of its first device.
class Groups {
public:
  explicit Groups(size_t count) : first(count) {
    std::iota(first.begin(), first.end(), 0);
  }

  size_t operator[](size_t device) const { return first[device]; }
  bool isFirst(size_t device) const { return first[device] == device; }
  void join(size_t a, size_t b) {
    size_t low = std::min(first[a], first[b]);
    size_t high = std::max(first[a], first[b]);
    std::replace(first.begin(), first.end(), high, low);
  }
  size_t sizeOf(size_t group) const { return llvm::count(first, group); }

private:
  std::vector<size_t> first;
};

class NodeMaker {
public:
  NodeMaker(const TopoMatrix &matrix, const GpuProduct &product,
            NodeAssembly &node, llvm::StringRef file)
      : matrix(matrix), product(product), node(node), file(file.str()),
        count(matrix.devices().size()), totalLinks(count), mostLinks(count) {}

  llvm::Error run();

private:
  Groups joinUpTo(MatrixClass worst) const;
  void joinByNuma(Groups &groups) const;
  bool hasPcie(size_t device) const;
  void addDevices();
  void addCpus();
  void addSwitches();
  llvm::Error addNvlinks();
  llvm::Error countNvlinks();
  llvm::Error addIsland(const Groups &islands, size_t island);
  void addMesh(llvm::ArrayRef<size_t> members);
  void noteMismatches(const Groups &near, const Groups &far);

  const TopoMatrix &matrix;
  const GpuProduct &product;
  NodeAssembly &node;
  std::string file;
  size_t count;
  std::vector<uint32_t> vertices;
  Groups cpuGroups{0};
  std::map<size_t, uint32_t> cpus;
  /// Each device's NVLinks, and those to any one GPU.
  std::vector<int64_t> totalLinks;
  std::vector<int64_t> mostLinks;
};
} // namespace

Groups NodeMaker::joinUpTo(MatrixClass worst) const {
  Groups groups(count);
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < a; ++b) {
      MatrixClass found = matrix.at(a, b).matrixClass;
      if (found >= MatrixClass::PIX && found <= worst &&
          groups[a] != groups[b]) {
        groups.join(a, b);
      }
    }
  }
  return groups;
}

void NodeMaker::joinByNuma(Groups &groups) const {
  // Which groups have a pair that SYS keeps apart, by their first devices.
  std::vector<llvm::SmallBitVector> apart(count, llvm::SmallBitVector(count));
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < count; ++b) {
      if (matrix.at(a, b).matrixClass == MatrixClass::SYS) {
        apart[groups[a]].set(groups[b]);
      }
    }
  }
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < a; ++b) {
      std::optional<int64_t> numa = matrix.devices()[a].numaNode;
      size_t low = std::min(groups[a], groups[b]);
      size_t high = std::max(groups[a], groups[b]);
      if (!numa || numa != matrix.devices()[b].numaNode || low == high ||
          apart[low].test(high)) {
        continue;
      }
      groups.join(a, b);
      apart[low] |= apart[high];
      for (llvm::SmallBitVector &others : apart) {
        if (others.test(high)) {
          others.set(low);
        }
      }
    }
  }
}

/// Whether anything is known of where a device hangs.
bool NodeMaker::hasPcie(size_t device) const {
  bool hasNuma = matrix.devices()[device].numaNode.has_value();
  for (size_t other = 0; other < count; ++other) {
    if (matrix.at(device, other).matrixClass >= MatrixClass::PIX) {
      return true;
    }
  }
  return hasNuma || count == 1;
}

void NodeMaker::addDevices() {
  for (const MatrixDevice &device : matrix.devices()) {
    Vertex vertex{device.isGpu ? VertexKind::GPU : VertexKind::NIC, ""};
    vertex.numaNode = device.numaNode;
    vertex.model = device.isGpu          ? product.name
                   : device.name.empty() ? device.label
                                         : device.name;
    vertices.push_back(node.add(std::move(vertex)));
  }
}

void NodeMaker::addCpus() {
  cpuGroups = joinUpTo(MatrixClass::NODE);
  joinByNuma(cpuGroups);
  for (size_t device = 0; device < count; ++device) {
    if (!hasPcie(device)) {
      continue;
    }
    auto [entry, isNew] = cpus.try_emplace(cpuGroups[device]);
    if (isNew) {
      entry->second = node.add({VertexKind::CPU, ""});
    }
    Vertex &cpu = node[entry->second];
    if (!cpu.numaNode) {
      cpu.numaNode = matrix.devices()[device].numaNode;
    }
  }
  // What CPUs of the GPU's time have.
  llvm::StringRef vendor =
      product.pcieGeneration == 4 ? "AuthenticAMD" : "GenuineIntel";
  int64_t model = product.pcieGeneration >= 5 ? 0x8F : 0x55;
  GigabytesPerSecond rate = socketBandwidth({"x86_64", vendor, 6, model});
  for (auto a = cpus.begin(); a != cpus.end(); ++a) {
    for (auto b = cpus.begin(); b != a; ++b) {
      node.connect(b->second, a->second, EdgeKind::Socket, rate);
    }
  }
  if (cpus.size() > 1) {
    node.assume(formatv("the table does not name the CPUs: {0} GB/s between "
                        "NUMA domains",
                        decimal(rate.value())));
  }
}

void NodeMaker::addSwitches() {
  Groups near = joinUpTo(MatrixClass::PIX);
  Groups far = joinUpTo(MatrixClass::PXB);
  GigabytesPerSecond rate = product.pcieBandwidth();
  std::map<size_t, uint32_t> roots, leaves;
  for (size_t device = 0; device < count; ++device) {
    if (!hasPcie(device)) {
      continue;
    }
    uint32_t above = cpus.at(cpuGroups[device]);
    size_t root = far[device];
    if (far.sizeOf(root) > 1) {
      auto [entry, isNew] = roots.try_emplace(root);
      if (isNew) {
        entry->second = node.add({VertexKind::PCIeSwitch, ""});
        node.connect(entry->second, above, EdgeKind::PCIe, rate);
      }
      above = entry->second;
    }
    bool isOneSwitch = near.sizeOf(near[device]) == far.sizeOf(root);
    if (far.sizeOf(root) > 1 && !isOneSwitch) {
      auto [entry, isNew] = leaves.try_emplace(near[device]);
      if (isNew) {
        entry->second = node.add({VertexKind::PCIeSwitch, ""});
        node.connect(entry->second, above, EdgeKind::PCIe, rate);
      }
      above = entry->second;
    }
    node.connect(vertices[device], above, EdgeKind::PCIe, rate);
  }
  if (!cpus.empty()) {
    node.assume(formatv("the table does not say how wide PCIe is: every link "
                        "counts as {0} GB/s, that of the {1}",
                        decimal(rate.value()), product.name));
  }
  noteMismatches(near, far);
}

void NodeMaker::noteMismatches(const Groups &near, const Groups &far) {
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < a; ++b) {
      MatrixClass found = matrix.at(a, b).matrixClass;
      MatrixClass made = near[a] == near[b]             ? MatrixClass::PIX
                         : far[a] == far[b]             ? MatrixClass::PXB
                         : cpuGroups[a] == cpuGroups[b] ? MatrixClass::PHB
                                                        : MatrixClass::SYS;
      found = found == MatrixClass::NODE ? MatrixClass::PHB : found;
      if (found >= MatrixClass::PIX && found != made) {
        node.assume(formatv("no tree of switches has the classes of the table "
                            "(such as those of {0} and {1}): some pairs are "
                            "nearer here",
                            matrix.devices()[a].label,
                            matrix.devices()[b].label));
        return;
      }
    }
  }
}

/// Links between the GPUs of an island, as the matrix counts them.
void NodeMaker::addMesh(llvm::ArrayRef<size_t> members) {
  for (size_t a : members) {
    for (size_t b : members) {
      const MatrixCell &cell = matrix.at(a, b);
      if (b < a && cell.nvlinks > 0) {
        node.connect(vertices[b], vertices[a], EdgeKind::NVLink,
                     product.linkBandwidth() *
                         static_cast<double>(cell.nvlinks));
      }
    }
  }
}

llvm::Error NodeMaker::countNvlinks() {
  bool hasAny = false;
  size_t gpus = 0;
  for (size_t a = 0; a < count; ++a) {
    gpus += matrix.devices()[a].isGpu ? 1 : 0;
    for (size_t b = 0; b < count; ++b) {
      int64_t links = matrix.at(a, b).nvlinks;
      totalLinks[a] += links;
      mostLinks[a] = std::max(mostLinks[a], links);
    }
    hasAny |= totalLinks[a] > 0;
    if (mostLinks[a] > product.links) {
      return fileError(
          {file}, formatv("expected at most {0} NVLinks of the {1}, but got "
                          "NV{2} for {3}: is --gpu right?",
                          product.links, product.name, mostLinks[a],
                          matrix.devices()[a].label));
    }
  }
  if (product.links > 0 && !hasAny && gpus > 1) {
    node.assume("the table shows no NVLinks (`topo -mp` hides them): there are "
                "none here");
  }
  return llvm::Error::success();
}

llvm::Error NodeMaker::addIsland(const Groups &islands, size_t island) {
  std::vector<size_t> members;
  bool needsSwitch = false;
  for (size_t device = 0; device < count; ++device) {
    if (islands[device] == island) {
      members.push_back(device);
      needsSwitch |= totalLinks[device] > product.links;
    }
  }
  bool isWhole = llvm::all_of(members, [&](size_t a) {
    return llvm::all_of(members, [&](size_t b) {
      return a == b || matrix.at(a, b).nvlinks > 0;
    });
  });
  if (!needsSwitch) {
    addMesh(members);
    return llvm::Error::success();
  }
  if (!isWhole) {
    return fileError({file},
                     formatv("expected at most {0} NVLinks of the {1}, or an "
                             "NVSwitch that joins all, but got neither around "
                             "{2}: is --gpu right?",
                             product.links, product.name,
                             matrix.devices()[island].label));
  }
  uint32_t nvSwitch = node.add({VertexKind::NVSwitch, ""});
  for (size_t device : members) {
    node.connect(vertices[device], nvSwitch, EdgeKind::NVLink,
                 product.linkBandwidth() *
                     static_cast<double>(mostLinks[device]));
  }
  node.assume(formatv("the table shows more NVLinks than the {0} has, so they "
                      "lead to an NVSwitch",
                      product.name));
  return llvm::Error::success();
}

llvm::Error NodeMaker::addNvlinks() {
  if (llvm::Error error = countNvlinks()) {
    return error;
  }
  Groups islands(count);
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (matrix.at(a, b).nvlinks > 0 && islands[a] != islands[b]) {
        islands.join(a, b);
      }
    }
  }
  for (size_t island = 0; island < count; ++island) {
    if (islands.isFirst(island) && totalLinks[island] > 0) {
      if (llvm::Error error = addIsland(islands, island)) {
        return error;
      }
    }
  }
  return llvm::Error::success();
}

llvm::Error NodeMaker::run() {
  addDevices();
  addCpus();
  addSwitches();
  return addNvlinks();
}

llvm::Error moe::topology::makeNode(const TopoMatrix &matrix,
                                    const GpuProduct &product,
                                    NodeAssembly &node, llvm::StringRef file) {
  return NodeMaker(matrix, product, node, file).run();
}
