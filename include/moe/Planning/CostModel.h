//===- CostModel.h - Predicted times of exchanges and compute ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// α-β per tier, with contention. In a phase, every device sends at once:
//
//   time(tier)  = α + o · m + max over ports of max(out, in) / β
//   time(phase) = max over tiers that carry anything
//
// α is the tier's latency, β its bandwidth, o the overhead of a message and m
// the most messages that a device sends on the tier. `out` and `in` are the
// bytes of all devices that share a port (NIC); links carry both directions at
// once, so the busier one counts. Tiers are different hardware and overlap;
// phases follow one another. Times grow with every byte, never shrink.
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
  /// The most bytes that one port sends or receives.
  Bytes busiestPort;
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

enum class CollectiveKind { AllToAll, AllGather, ReduceScatter, AllReduce };

/// `all_to_all`, `all_gather`, `reduce_scatter`, `all_reduce`
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
                     CostConstants constants = CostConstants())
      : topology(topology), constantTable(std::move(constants)) {}

  const CostConstants &constants() const { return constantTable; }

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
  Microseconds collectiveTime(CollectiveKind kind, Bytes bytes,
                              const GroupSpread &spread) const;

  /// Matrix products on one device: the arithmetic or the reading of weights
  /// and rows, whichever is longer.
  Microseconds computeTime(Flops flops, Bytes memory) const;

private:
  class PortLoads;

  const Topology &topology;
  CostConstants constantTable;
};

} // namespace moe::planning

#endif // MOE_PLANNING_COSTMODEL_H
