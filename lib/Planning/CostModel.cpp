//===- CostModel.cpp - Predicted times of exchanges and compute -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CostModel.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <numeric>

using namespace moe::planning;

llvm::StringRef moe::planning::toString(CollectiveKind kind) {
  switch (kind) {
  case CollectiveKind::AllToAll:
    return "all_to_all";
  case CollectiveKind::AllGather:
    return "all_gather";
  case CollectiveKind::ReduceScatter:
    return "reduce_scatter";
  case CollectiveKind::AllReduce:
    return "all_reduce";
  }
  llvm_unreachable("unknown collective");
}

int64_t GroupSpread::size() const {
  return std::accumulate(peers.begin(), peers.end(), int64_t(1));
}

/// What the ports and devices of one tier carry in a phase.
class CostModel::PortLoads {
public:
  PortLoads(const Topology &topology, unsigned tier)
      : topology(topology), tier(tier), out(topology.deviceCount()),
        in(topology.deviceCount()), messages(topology.deviceCount()) {}

  void add(int64_t source, int64_t target, const Traffic &traffic) {
    out[topology.portOf(source, tier)] += traffic.total();
    in[topology.portOf(target, tier)] += traffic.total();
    messages[source] += traffic.messages;
  }

  Bytes busiest() const {
    return std::max(*std::max_element(out.begin(), out.end()),
                    *std::max_element(in.begin(), in.end()));
  }
  double mostMessages() const {
    return *std::max_element(messages.begin(), messages.end());
  }

private:
  const Topology &topology;
  unsigned tier;
  std::vector<Bytes> out;
  std::vector<Bytes> in;
  std::vector<double> messages;
};

ExchangeCost CostModel::exchangeCost(const ExchangePlan &plan,
                                     llvm::ArrayRef<GroupCounts> groups) const {
  ExchangeCost cost;
  cost.tiers.resize(topology.tierCount());
  Microseconds overhead(constantTable[ConstantId::MessageOverhead]);
  GigabytesPerSecond memoryRate(constantTable[ConstantId::MemoryBandwidth]);
  for (const std::shared_ptr<const Phase> &phase : plan.phases()) {
    std::vector<PortLoads> loads;
    for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
      loads.emplace_back(topology, tier);
    }
    Bytes mostMemory;
    for (const GroupCounts &entry : groups) {
      phase->visitFlows(entry.counts, [&](const Flow &flow) {
        if (!flow.isLocal()) {
          int64_t source = entry.group[flow.source];
          int64_t target = entry.group[flow.target];
          loads[topology.path(source, target).tier].add(source, target,
                                                        flow.traffic);
        }
      });
      for (int64_t rank = 0; rank < entry.counts.ranks(); ++rank) {
        mostMemory =
            std::max(mostMemory, phase->memoryBytes(entry.counts, rank));
      }
    }
    Microseconds slowest;
    for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
      double messages = loads[tier].mostMessages();
      if (messages == 0) {
        continue;
      }
      const Tier &link = topology.tier(tier);
      Microseconds time = link.latency + messages * overhead +
                          loads[tier].busiest() / link.bandwidth;
      cost.tiers[tier].time += time;
      cost.tiers[tier].busiestPort += loads[tier].busiest();
      slowest = std::max(slowest, time);
    }
    cost.wire += slowest;
    cost.memory += mostMemory / memoryRate;
    if (llvm::isa<HostExtentPhase>(phase.get())) {
      cost.host += Microseconds(constantTable[ConstantId::HostSynchronization]);
    }
  }
  return cost;
}

GroupSpread CostModel::spreadOf(llvm::ArrayRef<DeviceGroup> groups) const {
  GroupSpread spread;
  spread.peers.resize(topology.tierCount());
  std::vector<int64_t> peers(topology.tierCount());
  for (const DeviceGroup &group : groups) {
    for (int64_t device : group) {
      std::fill(peers.begin(), peers.end(), 0);
      for (int64_t other : group) {
        if (std::optional<unsigned> tier = topology.tierOf(device, other)) {
          ++peers[*tier];
        }
      }
      // The worst member is the one with the most peers furthest out.
      spread.peers = std::max(spread.peers, peers);
    }
  }
  return spread;
}

Microseconds CostModel::collectiveTime(CollectiveKind kind, Bytes bytes,
                                       const GroupSpread &spread) const {
  double members = spread.size();
  Microseconds overhead(constantTable[ConstantId::MessageOverhead]);
  Microseconds slowest;
  int64_t reached = 0;
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    int64_t peers = spread.peers[tier];
    reached += peers;
    if (peers == 0) {
      continue;
    }
    const Tier &link = topology.tier(tier);
    int64_t inside = std::accumulate(spread.peers.begin() + tier + 1,
                                     spread.peers.end(), int64_t(1));
    Bytes onPort;
    double rounds = 1;
    switch (kind) {
    case CollectiveKind::AllToAll:
      onPort = bytes * (peers / members);
      break;
    case CollectiveKind::AllReduce:
      rounds = 2;
      [[fallthrough]];
    case CollectiveKind::AllGather:
    case CollectiveKind::ReduceScatter:
      onPort = bytes * (reached / members / inside);
      break;
    }
    // Every device of a port takes part in a group of its own or in this one.
    Microseconds time = link.latency + static_cast<double>(peers) * overhead +
                        onPort * link.devicesPerPort / link.bandwidth;
    slowest = std::max(slowest, time * rounds);
  }
  return slowest;
}

Microseconds CostModel::computeTime(Flops flops, Bytes memory) const {
  TeraflopsPerSecond rate(constantTable[ConstantId::DeviceCompute] *
                          constantTable[ConstantId::ComputeEfficiency]);
  GigabytesPerSecond memoryRate(constantTable[ConstantId::MemoryBandwidth]);
  return std::max(flops / rate, memory / memoryRate);
}
