//===- Topology.h - Devices and the links between them ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cluster as nested tiers, outermost first: `ib: 2 x 50 GB/s, nvlink: 4 x
// 370.8 GB/s` is two nodes of four devices, eight devices in all. Device ids
// are row-major over the tiers, so device 5 is the second device of the second
// node. Two devices talk over the outermost tier at which they differ.
//
// Bytes travel over *links*, each of one direction: `route(a, b)` says which
// ones they occupy, and what several routes have in common is where they slow
// each other down. Where tiers are all that is known, a device has one port out
// and one port in on each tier (shared by neighbours where NICs are), and a
// route is the sender's port out and the receiver's port in of the tier at
// which the devices differ.
//
// Callers ask for `path(a, b)` and `route(a, b)`, never for a tier's bandwidth
// by themselves, where the pair matters.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_TOPOLOGY_H
#define MOE_PLANNING_TOPOLOGY_H

#include "moe/Planning/PathClass.h"
#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moe::planning {

/// One level of the cluster: `size` equal parts joined by links of one kind.
struct Tier {
  std::string name;
  /// Number of parts that this tier joins.
  int64_t size = 1;
  /// What one device can send over this tier; receiving has as much again.
  GigabytesPerSecond bandwidth;
  /// Time from the first byte sent to the first byte received.
  Microseconds latency;
  /// Consecutive devices that share one port (NIC) of this tier, whose
  /// bandwidth is then `bandwidth` for all of them together.
  int64_t devicesPerPort = 1;
};

/// How two distinct devices reach each other.
struct Path {
  /// Index into `Topology::tiers()`; reports and counters go by it.
  unsigned tier = 0;
  /// Of the slowest link on the way, when nothing else uses it.
  GigabytesPerSecond bandwidth;
  Microseconds latency;
  /// Unknown where the topology has only tiers.
  std::optional<PathClass> pathClass = std::nullopt;
};

/// Index into `Topology::links()`.
using LinkId = uint32_t;

/// One direction of a piece of hardware that carries bytes between devices.
/// `Topology::linkName` has its name.
struct Link {
  /// The tier whose traffic it carries.
  unsigned tier = 0;
  GigabytesPerSecond bandwidth;
};

/// The links that bytes occupy on their way, in order; each at most once.
using Route = llvm::SmallVector<LinkId, 8>;

class Topology {
public:
  /// The most devices that a topology may have.
  static constexpr int64_t maxDevices = int64_t(1) << 20;

  /// Checks the tiers: at least one, distinct non-empty names, sizes of at
  /// least 1, finite bandwidths above 0 and latencies of at least 0, and a
  /// port shared by a divisor of the devices inside the tier's parts.
  static llvm::Expected<Topology> create(std::vector<Tier> tiers);

  /// One tier named `name` over `devices` devices; for runs without a topology.
  static Topology uniform(int64_t devices, llvm::StringRef name,
                          GigabytesPerSecond bandwidth, Microseconds latency);

  llvm::ArrayRef<Tier> tiers() const { return tierList; }
  const Tier &tier(unsigned index) const { return tierList[index]; }
  unsigned tierCount() const { return tierList.size(); }
  int64_t deviceCount() const { return devices; }

  /// The tier called `name`, if there is one.
  std::optional<unsigned> findTier(llvm::StringRef name) const;

  /// The outermost tier at which the devices differ; none when they are one
  /// device.
  std::optional<unsigned> tierOf(int64_t a, int64_t b) const;

  /// Devices in one part of tier `index`: the product of the sizes of the
  /// tiers further in.
  int64_t devicesPerPart(unsigned index) const { return partSizes[index]; }

  /// Which part of tier `index` holds the device, counted over the whole
  /// cluster.
  int64_t partOf(int64_t device, unsigned index) const {
    return device / partSizes[index];
  }

  /// The port of tier `index` that the device sends through, counted over the
  /// whole cluster.
  int64_t portOf(int64_t device, unsigned index) const {
    return device / tierList[index].devicesPerPort;
  }

  /// How `a` reaches `b`. The devices must differ.
  Path path(int64_t a, int64_t b) const;

  /// Every link that can be the slowest of an exchange.
  llvm::ArrayRef<Link> links() const { return linkList; }
  /// The links that bytes from `a` to `b` occupy. The devices must differ.
  Route route(int64_t a, int64_t b) const;
  /// `nvlink out of device 3`, `ib into devices 4-5`
  std::string linkName(LinkId link) const;

  /// `ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us`
  std::string toString() const;

private:
  Topology() = default;

  void createPortLinks();

  std::vector<Tier> tierList;
  std::vector<int64_t> partSizes;
  int64_t devices = 1;
  /// A tier's ports one after the other, each with its way out and its way in.
  std::vector<Link> linkList;
  /// The first link of each tier.
  std::vector<LinkId> firstLinks;
};

} // namespace moe::planning

#endif // MOE_PLANNING_TOPOLOGY_H
