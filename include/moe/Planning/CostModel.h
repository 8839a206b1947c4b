//===- CostModel.h - Predicted times of exchanges and compute ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// α-β per link, with contention. In a phase, every device sends at once; each
// link carries what all routes over it bring (a NIC that devices share, an edge
// of the link graph that several pairs cross; directions are links apart):
//
//   time(tier)  = α + o · m + max over links of bytes / β
//   time(phase) = max over tiers that carry anything
//
// α is the largest latency of a path in use, o the overhead of a message and m
// the most messages that a device sends on the tier. Tiers are different
// hardware and overlap; phases follow one another.
//
// Inside a node of a product whose all-to-alls were measured, the fitted ramps
// (MessageRamp.h) replace α, o and the ramp-up of messages. A group of 2
// devices is slower than two of 8, since a pair does not fill the links, so a
// device's exchange takes the longest of
//
//   ramp of 2 (heaviest flow), ramp of 4 (3 heaviest), ramp of 8 (all)
//
// as far as it has so many peers: exact on the measured, even exchanges. Links
// bound it still. Times never fall as any pair's bytes grow.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_COSTMODEL_H
#define MOE_PLANNING_COSTMODEL_H

#include "moe/Planning/CostConstants.h"
#include "moe/Planning/ExchangePlan.h"

namespace moe::planning {

/// One group of an exchange with the rows that its ranks exchange.
struct GroupCounts {
  DeviceGroup group;
  CountMatrix counts;
};

/// What one tier takes, over all phases of an exchange.
struct TierCost {
  Microseconds time;
  /// The bytes of the slowest link.
  Bytes busiestPort;
  /// The slowest link of the phase that took longest; none where the tier
  /// carries nothing.
  std::optional<LinkId> slowestLink;
};

struct ExchangeCost {
  /// Between devices: the sum over phases of the slowest tier.
  Microseconds wire;
  /// Permutations and sums in memory, on the slowest device.
  Microseconds memory;
  /// The host's waits.
  Microseconds host;
  /// One a tier, in the topology's order.
  std::vector<TierCost> tiers;

  Microseconds total() const { return wire + memory + host; }
};

enum class CollectiveKind {
  AllToAll,
  AllGather,
  ReduceScatter,
  AllReduce,
  /// From each member of a group to the next, as pipeline stages do.
  Send
};

/// `all_to_all`, `all_gather`, `reduce_scatter`, `all_reduce`, `send`
llvm::StringRef toString(CollectiveKind kind);

/// How a group lies on the topology: for each tier the number of other members
/// that the worst-placed member reaches over it.
struct GroupSpread {
  std::vector<int64_t> peers;

  /// Members of the group, by the worst-placed one.
  int64_t size() const;
};

class CostModel {
public:
  /// The topology must outlive the model.
  explicit CostModel(const Topology &topology,
                     CostConstants constants = CostConstants());

  const CostConstants &constants() const { return constantTable; }

  /// Whether the ramps of the constants' accelerator hold on a tier: it is the
  /// innermost, and its links are those of that product, within 10 %.
  bool isCalibrated(unsigned tier) const {
    return calibratedTier && *calibratedTier == tier;
  }

  /// One exchange in all groups at once.
  ExchangeCost exchangeCost(const ExchangePlan &plan,
                            llvm::ArrayRef<GroupCounts> groups) const;

  /// How the groups lie; the worst over all of their members.
  GroupSpread spreadOf(llvm::ArrayRef<DeviceGroup> groups) const;

  /// A collective over groups of the given spread, all at once, for a tensor of
  /// N bytes: what a device sends in an all-to-all, the gathered result of an
  /// all-gather, the input of a reduction. With n members, p(t) of them reached
  /// over tier t and g(t) = 1 + Σ p over the tiers further in:
  ///
  ///   all_to_all      N · p(t) / n                      bytes a port
  ///   all_gather      N · (Σ p over tiers up to t) / n / g(t),  since what
  ///                   enters a part is shared out among its members' ports
  ///   reduce_scatter  as all_gather;   all_reduce  twice that
  ///   send            N, over the outermost tier between two neighbours
  Microseconds collectiveTime(CollectiveKind kind, Bytes bytes,
                              const GroupSpread &spread) const;

  /// The same over these groups, all at once. On a link graph no link may take
  /// longer than what all of their routes bring to it, gathers and reductions
  /// going round in the order of the group.
  Microseconds collectiveTime(CollectiveKind kind, Bytes bytes,
                              llvm::ArrayRef<DeviceGroup> groups) const;

  /// Matrix products on one device: the arithmetic or the reading of weights
  /// and rows, whichever is longer.
  Microseconds computeTime(Flops flops, Bytes memory) const;

private:
  class PhaseLoads;

  void addPhase(const Phase &phase, llvm::ArrayRef<GroupCounts> groups,
                PhaseLoads &loads, ExchangeCost &cost) const;

  const Topology &topology;
  CostConstants constantTable;
  std::optional<unsigned> calibratedTier;
};

} // namespace moe::planning

#endif // MOE_PLANNING_COSTMODEL_H
