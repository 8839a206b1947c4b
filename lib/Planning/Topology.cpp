//===- Topology.cpp - Devices and the links between them ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Topology.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <cassert>
#include <cmath>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

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
  }
  topology.tierList = std::move(tiers);
  topology.createPortLinks();
  return topology;
}

void Topology::createPortLinks() {
  for (unsigned index = 0; index < tierCount(); ++index) {
    firstLinks.push_back(linkList.size());
    const Tier &tier = tierList[index];
    if (tier.size > 1) {
      linkList.insert(linkList.end(), 2 * (devices / tier.devicesPerPort),
                      Link{index, tier.bandwidth});
    }
  }
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
  for (unsigned index = 0; index < tierCount(); ++index) {
    if (partOf(a, index) != partOf(b, index)) {
      return index;
    }
  }
  return std::nullopt;
}

Path Topology::path(int64_t a, int64_t b) const {
  std::optional<unsigned> index = tierOf(a, b);
  assert(index && "a device needs no path to itself");
  return {*index, tierList[*index].bandwidth, tierList[*index].latency};
}

Route Topology::route(int64_t a, int64_t b) const {
  std::optional<unsigned> index = tierOf(a, b);
  assert(index && "a device needs no route to itself");
  LinkId first = firstLinks[*index];
  return {static_cast<LinkId>(first + 2 * portOf(a, *index)),
          static_cast<LinkId>(first + 2 * portOf(b, *index) + 1)};
}

std::string Topology::linkName(LinkId link) const {
  const Tier &tier = tierList[linkList[link].tier];
  LinkId place = link - firstLinks[linkList[link].tier];
  int64_t begin = place / 2 * tier.devicesPerPort;
  int64_t last = begin + tier.devicesPerPort - 1;
  std::string ends = last == begin
                         ? formatv("device {0}", begin).str()
                         : formatv("devices {0}-{1}", begin, last).str();
  return formatv("{0} {1} {2}", tier.name, place % 2 == 0 ? "out of" : "into",
                 ends);
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
