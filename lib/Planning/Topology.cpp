//===- Topology.cpp - Devices and the links between them ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Topology.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <cassert>
#include <cmath>
#include <tuple>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// In the order of the enumeration.
static constexpr llvm::StringRef shapeNames[] = {"switch", "ring",
                                                 "fully_connected"};

llvm::StringRef moe::planning::toString(TierShape shape) {
  return shapeNames[static_cast<unsigned>(shape)];
}

std::optional<TierShape> moe::planning::parseTierShape(llvm::StringRef name) {
  const llvm::StringRef *found = llvm::find(shapeNames, name);
  return found == std::end(shapeNames)
             ? std::nullopt
             : std::optional(static_cast<TierShape>(found - shapeNames));
}

bool Tier::operator==(const Tier &other) const {
  auto members = [](const Tier &tier) {
    return std::tie(tier.name, tier.size, tier.bandwidth, tier.latency,
                    tier.devicesPerPort, tier.shape);
  };
  return members(*this) == members(other);
}

bool Topology::operator==(const Topology &other) const {
  bool isNodeEqual =
      graph && other.graph ? *graph == *other.graph : !graph && !other.graph;
  return tierList == other.tierList && isNodeEqual;
}

/// Checks what concerns one tier alone.
static llvm::Error verifyTier(const Tier &tier) {
  if (tier.name.empty()) {
    return createStringError("expected every tier to have a name");
  }
  if (tier.size < 1) {
    return createStringError(
        formatv("tier '{0}': expected a size of at least 1, but got {1}",
                tier.name, tier.size)
            .str());
  }
  double bandwidth = tier.bandwidth.value();
  if (!std::isfinite(bandwidth) || bandwidth <= 0) {
    return createStringError(
        formatv("tier '{0}': expected a bandwidth above 0 GB/s, but got {1}",
                tier.name, bandwidth)
            .str());
  }
  double latency = tier.latency.value();
  if (!std::isfinite(latency) || latency < 0) {
    return createStringError(
        formatv("tier '{0}': expected a latency of at least 0 us, but got {1}",
                tier.name, latency)
            .str());
  }
  return llvm::Error::success();
}

llvm::Expected<Topology> Topology::create(std::vector<Tier> tiers) {
  return create(std::move(tiers), nullptr);
}

llvm::Expected<Topology>
Topology::create(std::vector<Tier> tiers,
                 std::shared_ptr<const LinkGraph> node) {
  if (tiers.empty()) {
    return createStringError("expected a topology of at least one tier");
  }
  llvm::StringSet<> names;
  Topology topology;
  for (const Tier &tier : tiers) {
    if (llvm::Error error = verifyTier(tier)) {
      return std::move(error);
    }
    if (!names.insert(tier.name).second) {
      return createStringError(
          formatv("tier '{0}' is defined twice", tier.name).str());
    }
    if (tier.size > maxDevices / topology.devices) {
      return createStringError(
          formatv("expected at most {0} devices, but tier '{1}' makes it more",
                  maxDevices, tier.name)
              .str());
    }
    topology.devices *= tier.size;
  }
  int64_t outside = topology.devices;
  for (const Tier &tier : tiers) {
    outside /= tier.size;
    topology.partSizes.push_back(outside);
    // A port never spans two parts of its own tier.
    if (tier.devicesPerPort < 1 || outside % tier.devicesPerPort != 0) {
      return createStringError(
          formatv("tier '{0}': expected the devices on a port to divide the "
                  "{1} devices of a part, but got {2}",
                  tier.name, outside, tier.devicesPerPort)
              .str());
    }
    if (tier.shape == TierShape::FullyConnected &&
        topology.devices * tier.size > maxPairLinks) {
      return createStringError(
          formatv("tier '{0}': expected at most {1} links, but got {2} devices "
                  "with a link to each of {3} parts",
                  tier.name, maxPairLinks, topology.devices, tier.size)
              .str());
    }
  }
  topology.firstNodeTier = tiers.size();
  topology.tierList = std::move(tiers);
  if (node) {
    if (llvm::Error error = topology.setNode(std::move(node))) {
      return std::move(error);
    }
  }
  topology.tierLinks.resize(topology.tierCount());
  for (unsigned index = 0; index < topology.firstNodeTier; ++index) {
    topology.createTierLinks(index);
  }
  topology.createNodeLinks();
  return topology;
}

/// How tiers are called whose worst pair is of a class.
static llvm::StringRef tierNameOf(PathClass pathClass) {
  switch (pathClass) {
  case PathClass::LOC:
  case PathClass::NVL:
  case PathClass::NVB:
  case PathClass::C2C:
    return "nvlink";
  case PathClass::PIX:
  case PathClass::PXB:
    return "pcie_switch";
  case PathClass::P2C:
  case PathClass::PXN:
  case PathClass::PHB:
    return "host_bridge";
  case PathClass::SYS:
    return "socket";
  case PathClass::NET:
  case PathClass::DIS:
    return "host";
  }
  llvm_unreachable("unknown class");
}

llvm::Expected<Topology>
Topology::ofNodes(std::shared_ptr<const LinkGraph> node,
                  std::vector<Tier> outer) {
  std::vector<Tier> tiers = std::move(outer);
  for (const LinkGraph::Level &level : node->levels()) {
    tiers.push_back({tierNameOf(level.pathClass).str(), level.size,
                     level.bandwidth, classLatency(level.pathClass)});
  }
  if (node->levels().empty()) {
    tiers.push_back({"node", 1, localBandwidth, Microseconds(0)});
  }
  return create(std::move(tiers), std::move(node));
}

llvm::Error Topology::setNode(std::shared_ptr<const LinkGraph> node) {
  int64_t gpus = node->gpus().size();
  // The outermost tiers of one part may be nodes: the fewest tiers count.
  int64_t inside = 1;
  while (firstNodeTier > 0 && (inside < gpus || firstNodeTier == tierCount())) {
    inside *= tierList[--firstNodeTier].size;
  }
  std::string levels;
  for (const LinkGraph::Level &level : node->levels()) {
    levels += formatv("{0}{1}", levels.empty() ? "" : " x ", level.size);
  }
  bool isFlat = firstNodeTier + 1 == tierCount();
  bool isLevels = llvm::equal(
      llvm::ArrayRef(tierList).drop_front(firstNodeTier), node->levels(),
      [](const Tier &tier, const LinkGraph::Level &level) {
        return tier.size == level.size;
      });
  if (inside != gpus || (!isFlat && !isLevels)) {
    return createStringError(
        formatv("expected the innermost tiers to hold the {0} GPUs of a node, "
                "as {1} or in one tier, but got {2}",
                gpus, levels.empty() ? "1" : levels, toString())
            .str());
  }
  graph = std::move(node);
  nodePositions.resize(gpus);
  nodeDevices.resize(gpus);
  for (int64_t device = 0; device < gpus; ++device) {
    int64_t position = graph->positionOf(device);
    nodePositions[device] = position;
    nodeDevices[position] = device;
  }
  return verifyPorts();
}

llvm::Error Topology::verifyPorts() const {
  if (nodeCount() == 1 || graph->nics().empty()) {
    return llvm::Error::success();
  }
  for (uint32_t gpu = 0; gpu < graph->gpus().size(); ++gpu) {
    llvm::StringRef name = graph->vertices()[graph->gpus()[gpu]].name;
    std::optional<uint32_t> port = graph->portOf(gpu);
    if (!port) {
      return createStringError(
          formatv("expected a NIC in reach of '{0}', as there are {1} nodes",
                  name, nodeCount())
              .str());
    }
    if (graph->ports()[*port].speed.value() <= 0) {
      uint32_t nic = graph->nics()[graph->ports()[*port].nics.front()];
      return createStringError(
          formatv("expected the speed of NIC '{0}' to be known, as there are "
                  "{1} nodes",
                  graph->vertices()[nic].name, nodeCount())
              .str());
    }
  }
  const Tier &tier = tierList[firstNodeTier - 1];
  return tier.shape == TierShape::Switch
             ? llvm::Error::success()
             : createStringError(
                   formatv("tier '{0}': expected a switch, as the NICs of the "
                           "nodes meet there, but got a {1}",
                           tier.name, planning::toString(tier.shape))
                       .str());
}

Topology Topology::uniform(int64_t devices, llvm::StringRef name,
                           GigabytesPerSecond bandwidth, Microseconds latency) {
  return llvm::cantFail(create({{name.str(), devices, bandwidth, latency}}));
}

std::optional<unsigned> Topology::findTier(llvm::StringRef name) const {
  for (unsigned index = 0; index < tierCount(); ++index) {
    if (tierList[index].name == name) {
      return index;
    }
  }
  return std::nullopt;
}

std::optional<unsigned> Topology::tierOf(int64_t a, int64_t b) const {
  assert(a >= 0 && a < devices && b >= 0 && b < devices &&
         "device out of range");
  int64_t first = positionOf(a), second = positionOf(b);
  for (unsigned index = 0; index < tierCount(); ++index) {
    if (first / partSizes[index] != second / partSizes[index]) {
      return index;
    }
  }
  return std::nullopt;
}

int64_t Topology::positionOf(int64_t device) const {
  if (!graph) {
    return device;
  }
  int64_t each = nodePositions.size();
  return device / each * each + nodePositions[device % each];
}

int64_t Topology::deviceAt(int64_t position) const {
  if (!graph) {
    return position;
  }
  int64_t each = nodeDevices.size();
  return position / each * each + nodeDevices[position % each];
}

int64_t Topology::devicesPerNode() const {
  return graph ? nodePositions.size() : 1;
}

std::string Topology::toString() const {
  std::string text;
  for (const Tier &tier : tierList) {
    text += formatv("{0}{1}: {2} x {3:F1} GB/s {4:F1} us",
                    text.empty() ? "" : ", ", tier.name, tier.size,
                    tier.bandwidth.value(), tier.latency.value());
  }
  return text;
}
