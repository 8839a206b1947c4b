//===- LinkCuts.cpp - What leads out of a part of the ranks ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkCuts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <limits>
#include <map>

using namespace moe::planning;

/// Numbers the parts from 0 in the order in which ranks meet them.
static RankPartition makePartition(llvm::ArrayRef<int64_t> keys) {
  RankPartition partition;
  std::map<int64_t, int64_t> numbers;
  for (int64_t key : keys) {
    auto found = numbers.insert({key, numbers.size()}).first;
    partition.partOfRank.push_back(found->second);
  }
  partition.parts = numbers.size();
  return partition;
}

std::vector<RankPartition>
moe::planning::partitionsOf(const Deployment &deployment, int64_t ranks) {
  const Topology &topology = *deployment.topology;
  const DeviceGroup &devices = deployment.groups.front().devices;
  std::vector<RankPartition> partitions;
  auto add = [&](std::string name, std::string plural,
                 llvm::function_ref<int64_t(int64_t)> key) {
    std::vector<int64_t> keys;
    for (int64_t device : devices) {
      keys.push_back(key(device));
    }
    RankPartition partition = makePartition(keys);
    partition.name = std::move(name);
    partition.plural = std::move(plural);
    bool isKnown = llvm::any_of(partitions, [&](const RankPartition &other) {
      return other.partOfRank == partition.partOfRank;
    });
    if (partition.parts > 1 && !isKnown) {
      partitions.push_back(std::move(partition));
    }
  };
  for (unsigned tier = 0; tier + 1 < topology.tierCount(); ++tier) {
    llvm::StringRef name = topology.tier(tier).name;
    add(llvm::formatv("part of {0}", name), llvm::formatv("parts of {0}", name),
        [&](int64_t device) { return topology.partOf(device, tier); });
  }
  if (const LinkGraph *node = topology.node()) {
    int64_t each = topology.devicesPerNode();
    add("node", "nodes", [&](int64_t device) { return device / each; });
    add("NUMA node", "NUMA nodes", [&](int64_t device) {
      std::optional<int64_t> numa =
          node->numaNodeOf(node->gpus()[device % each]);
      constexpr int64_t mostNumaNodes = int64_t(1) << 32;
      return device / each * mostNumaNodes + numa.value_or(-1);
    });
  }
  add("device", "devices", [](int64_t device) { return device; });
  return partitions;
}

namespace {
/// Collects the sets of links of one part.
class CutCollector {
public:
  explicit CutCollector(const Topology &topology) : topology(topology) {}

  void add(const Route &route, unsigned tier) {
    if (route.empty()) {
      isOpen = true;
      return;
    }
    first.push_back(route.front());
    last.push_back(route.back());
    narrowest.push_back(
        *std::min_element(route.begin(), route.end(), [&](LinkId a, LinkId b) {
          return topology.links()[a].bandwidth < topology.links()[b].bandwidth;
        }));
    isOneTier &= !routeTier || *routeTier == tier;
    routeTier = tier;
    constexpr size_t many = 4096;
    if (first.size() > many) {
      compact();
    }
  }

  PartCut cut() {
    compact();
    PartCut best;
    best.bandwidth =
        GigabytesPerSecond(std::numeric_limits<double>::infinity());
    for (const std::vector<LinkId> *links : {&narrowest, &first, &last}) {
      GigabytesPerSecond sum;
      bool isOfTier = isOneTier && routeTier;
      for (LinkId link : *links) {
        sum += topology.links()[link].bandwidth;
        isOfTier &= topology.links()[link].tier == routeTier;
      }
      if (!isOpen && !links->empty() && sum < best.bandwidth) {
        best = {sum, links->size(),
                isOfTier ? routeTier : std::optional<unsigned>()};
      }
    }
    return best;
  }

private:
  void compact() {
    for (std::vector<LinkId> *links : {&first, &last, &narrowest}) {
      llvm::sort(*links);
      links->erase(std::unique(links->begin(), links->end()), links->end());
    }
  }

  const Topology &topology;
  std::vector<LinkId> first;
  std::vector<LinkId> last;
  std::vector<LinkId> narrowest;
  std::optional<unsigned> routeTier;
  bool isOneTier = true;
  /// A route that meets no link.
  bool isOpen = false;
};
} // namespace

std::vector<PartCut> moe::planning::cutsOf(const Deployment &deployment,
                                           const RankPartition &partition,
                                           ExchangeDirection direction) {
  const Topology &topology = *deployment.topology;
  std::vector<CutCollector> collectors(partition.parts, CutCollector(topology));
  int64_t ranks = partition.partOfRank.size();
  for (const DeployedGroup &group : deployment.groups) {
    for (int64_t source = 0; source < ranks; ++source) {
      for (int64_t target = 0; target < ranks; ++target) {
        int64_t part = partition.partOfRank[source];
        if (part == partition.partOfRank[target]) {
          continue;
        }
        int64_t from = group.devices[source], to = group.devices[target];
        if (direction == ExchangeDirection::Combine) {
          std::swap(from, to);
        }
        collectors[part].add(topology.route(from, to),
                             *topology.tierOf(from, to));
      }
    }
  }
  std::vector<PartCut> cuts;
  for (CutCollector &collector : collectors) {
    cuts.push_back(collector.cut());
  }
  return cuts;
}
