//===- CostModel.cpp - Predicted times of exchanges and compute -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CostModel.h"
#include "PeerFlows.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cmath>
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
  case CollectiveKind::Send:
    return "send";
  }
  llvm_unreachable("unknown collective");
}

int64_t GroupSpread::size() const {
  return std::accumulate(peers.begin(), peers.end(), int64_t(1));
}

//===----------------------------------------------------------------------===//
// Ramps
//===----------------------------------------------------------------------===//

Microseconds moe::planning::rampTime(const GroupRamps &ramps,
                                     const PeerFlows &flows) {
  if (flows.peers == 0) {
    return Microseconds();
  }
  const auto &[first, second, third] = flows.heaviest;
  Microseconds time = ramps[0].timeOf(first);
  if (flows.peers > 1) {
    time = std::max(time, ramps[1].timeOf(first + second + third));
  }
  if (flows.peers > 3) {
    // Larger groups were not measured: each further peer adds the latency that
    // peers added on average up to there.
    constexpr int64_t measuredPeers = rampGroupSizes.back() - 1;
    Microseconds perPeer = (ramps[2].latency - ramps[0].latency) /
                           double(measuredPeers - (rampGroupSizes[0] - 1));
    double further = std::max<int64_t>(flows.peers - measuredPeers, 0);
    time = std::max(time, ramps[2].timeOf(flows.total) + perPeer * further);
  }
  return time;
}

PeerFlows moe::planning::evenFlows(int64_t peers, Bytes total) {
  PeerFlows flows;
  flows.total = total;
  flows.peers = peers;
  for (int64_t place = 0; place < std::min<int64_t>(peers, 3); ++place) {
    flows.heaviest[place] = total / double(peers);
  }
  return flows;
}

CostModel::CostModel(const Topology &topology, CostConstants constants)
    : topology(topology), constantTable(std::move(constants)) {
  const Accelerator *product = constantTable.accelerator();
  if (!product || !product->isMeasured()) {
    return;
  }
  unsigned innermost = topology.tierCount() - 1;
  double ratio = topology.tier(innermost).bandwidth / product->linkBandwidth;
  constexpr double tolerance = 0.1;
  if (std::abs(ratio - 1) <= tolerance) {
    calibratedTier = innermost;
  }
}

//===----------------------------------------------------------------------===//
// Exchanges
//===----------------------------------------------------------------------===//

/// What links and devices carry in one phase. Reused between phases.
class CostModel::PhaseLoads {
public:
  explicit PhaseLoads(const CostModel &model)
      : model(model), topology(model.topology), bytes(topology.links().size()),
        tiers(topology.tierCount()), longestPhases(topology.tierCount()) {
    for (TierLoad &tier : tiers) {
      tier.messages.resize(topology.deviceCount());
    }
    if (model.calibratedTier) {
      sent.resize(topology.deviceCount());
      received.resize(topology.deviceCount());
    }
  }

  void clear() {
    llvm::fill(bytes, Bytes());
    for (TierLoad &tier : tiers) {
      tier.latency = Microseconds();
      llvm::fill(tier.messages, 0);
    }
    llvm::fill(sent, PeerFlows());
    llvm::fill(received, PeerFlows());
  }

  void add(int64_t source, int64_t target, const Traffic &traffic) {
    for (LinkId link : topology.route(source, target)) {
      bytes[link] += traffic.total();
    }
    unsigned index = *topology.tierOf(source, target);
    TierLoad &tier = tiers[index];
    tier.latency = std::max(tier.latency, latencyOf(index, source, target));
    tier.messages[source] += traffic.messages;
    if (model.isCalibrated(index)) {
      sent[source].add(traffic.total());
      received[target].add(traffic.total());
    }
  }

  /// Adds the phase to the sums of its plan and returns the slowest tier's
  /// time.
  Microseconds addTo(std::vector<TierCost> &sums) {
    Microseconds slowest;
    for (auto [sum, tier, longest] : llvm::zip(sums, costs(), longestPhases)) {
      if (tier.time > longest) {
        longest = tier.time;
        sum.slowestLink = tier.slowestLink;
      }
      sum.time += tier.time;
      sum.busiestPort += tier.busiestPort;
      slowest = std::max(slowest, tier.time);
    }
    return slowest;
  }

private:
  struct TierLoad {
    /// Of the paths in use.
    Microseconds latency;
    /// That each device sends.
    std::vector<double> messages;
  };

  /// Of a path on the tier; only on rings it is not the tier's.
  Microseconds latencyOf(unsigned tier, int64_t source, int64_t target) const {
    return topology.tier(tier).shape == TierShape::Ring
               ? topology.path(source, target).latency
               : topology.tier(tier).latency;
  }

  /// One a tier. A tier that carries nothing takes no time.
  std::vector<TierCost> costs() const {
    std::vector<TierCost> result(tiers.size());
    std::vector<Microseconds> slowest(tiers.size());
    for (LinkId link = 0; link < bytes.size(); ++link) {
      const Link &hardware = topology.links()[link];
      Microseconds time = bytes[link] / hardware.bandwidth;
      if (time > slowest[hardware.tier]) {
        slowest[hardware.tier] = time;
        result[hardware.tier].busiestPort = bytes[link];
        result[hardware.tier].slowestLink = link;
      }
    }
    for (unsigned tier = 0; tier < tiers.size(); ++tier) {
      result[tier].time = model.isCalibrated(tier)
                              ? std::max(slowest[tier], slowestRamp())
                              : slowest[tier] + startOf(tiers[tier]);
    }
    return result;
  }

  /// Latency, and the overhead of the messages of the device with the most.
  Microseconds startOf(const TierLoad &tier) const {
    double most = *llvm::max_element(tier.messages);
    Microseconds overhead(model.constantTable[ConstantId::MessageOverhead]);
    return tier.latency + most * overhead;
  }

  Microseconds slowestRamp() const {
    const GroupRamps &ramps = model.constantTable.accelerator()->ramps;
    Microseconds slowest;
    for (const std::vector<PeerFlows> *way : {&sent, &received}) {
      for (const PeerFlows &flows : *way) {
        slowest = std::max(slowest, rampTime(ramps, flows));
      }
    }
    return slowest;
  }

  const CostModel &model;
  const Topology &topology;
  /// One a link.
  std::vector<Bytes> bytes;
  std::vector<TierLoad> tiers;
  /// One a tier: the most that it took in a phase so far.
  std::vector<Microseconds> longestPhases;
  /// One a device, where a tier is calibrated.
  std::vector<PeerFlows> sent;
  std::vector<PeerFlows> received;
};

void CostModel::addPhase(const Phase &phase, llvm::ArrayRef<GroupCounts> groups,
                         PhaseLoads &loads, ExchangeCost &cost) const {
  loads.clear();
  Bytes mostMemory;
  for (const GroupCounts &entry : groups) {
    phase.visitFlows(entry.counts, [&](const Flow &flow) {
      if (!flow.isLocal()) {
        loads.add(entry.group[flow.source], entry.group[flow.target],
                  flow.traffic);
      }
    });
    for (int64_t rank = 0; rank < entry.counts.ranks(); ++rank) {
      mostMemory = std::max(mostMemory, phase.memoryBytes(entry.counts, rank));
    }
  }
  cost.memory += mostMemory /
                 GigabytesPerSecond(constantTable[ConstantId::MemoryBandwidth]);
  if (llvm::isa<HostExtentPhase>(phase)) {
    cost.host += Microseconds(constantTable[ConstantId::HostSynchronization]);
  }
  cost.wire += loads.addTo(cost.tiers);
}

ExchangeCost CostModel::exchangeCost(const ExchangePlan &plan,
                                     llvm::ArrayRef<GroupCounts> groups) const {
  ExchangeCost cost;
  cost.tiers.resize(topology.tierCount());
  PhaseLoads loads(*this);
  for (const std::shared_ptr<const Phase> &phase : plan.phases()) {
    addPhase(*phase, groups, loads, cost);
  }
  return cost;
}

//===----------------------------------------------------------------------===//
// Collectives and compute
//===----------------------------------------------------------------------===//

GroupSpread CostModel::spreadOf(llvm::ArrayRef<DeviceGroup> groups) const {
  GroupSpread spread;
  spread.peers.resize(topology.tierCount());
  std::vector<int64_t> peers(topology.tierCount());
  // Members by part of each tier: looking at every pair would be quadratic.
  std::vector<llvm::DenseMap<int64_t, int64_t>> members(topology.tierCount());
  for (const DeviceGroup &group : groups) {
    for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
      members[tier].clear();
      for (int64_t device : group) {
        ++members[tier][topology.partOf(device, tier)];
      }
    }
    for (int64_t device : group) {
      int64_t outside = group.size();
      for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
        int64_t inside = members[tier][topology.partOf(device, tier)];
        peers[tier] = outside - inside;
        outside = inside;
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
    case CollectiveKind::Send:
      onPort = bytes;
      peers = 1;
      break;
    }
    // Every device of a port takes part in a group of its own or in this one.
    Microseconds time = onPort * link.devicesPerPort / link.bandwidth;
    if (isCalibrated(tier) && kind == CollectiveKind::AllToAll) {
      time = std::max(time, rampTime(constantTable.accelerator()->ramps,
                                     evenFlows(peers, onPort)));
    } else {
      time += link.latency + static_cast<double>(peers) * overhead;
    }
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
