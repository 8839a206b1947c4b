//===- Topology.h - Devices and the links between them ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cluster as nested tiers, outermost first: `ib: 2 x 50 GB/s, nvlink: 4 x
// 370.8 GB/s` is two nodes of four devices, eight devices in all. Devices sit
// at *positions*, row-major over the tiers: position 5 is the second of the
// second node. Two devices talk over the outermost tier at which their
// positions differ. Device ids are positions, except inside a node with a link
// graph, where they are the file's order of GPUs.
//
// Bytes travel over *links*, each of one direction: `route(a, b)` says which
// ones they occupy, and what several routes have in common is where they slow
// each other down.
//
//   - Where tiers are all that is known, a device has one port out and one port
//     in on each tier (shared by neighbours where NICs are), and a route is the
//     sender's port out and the receiver's port in of the tier at which the
//     devices differ. A tier in the shape of a ring or with a link for every
//     pair has these links instead.
//   - With a link graph, the innermost tiers are the inside of a node, and all
//     nodes are alike. Routes are NCCL's paths, and between nodes they go
//     through the ports of the graph's NICs; the tiers then only sum up what
//     the graph says.
//
// Callers ask for `path(a, b)` and `route(a, b)`, never for a tier's bandwidth
// by themselves, where the pair matters.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_TOPOLOGY_H
#define MOE_PLANNING_TOPOLOGY_H

#include "moe/Planning/LinkGraph.h"
#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace moe::planning {

/// How the parts of a tier are joined.
enum class TierShape : uint8_t {
  /// Every port meets every other in a switch.
  Switch,
  /// Each part is linked to the next and the previous one, device by device;
  /// bytes take the shorter way round, up the ring where both are as long.
  Ring,
  /// Each part is linked to every other, device by device.
  FullyConnected
};
/// `switch`, `ring`, `fully_connected`
llvm::StringRef toString(TierShape shape);
std::optional<TierShape> parseTierShape(llvm::StringRef name);

/// One level of the cluster: `size` equal parts joined by links of one kind.
struct Tier {
  std::string name;
  /// Number of parts that this tier joins.
  int64_t size = 1;
  /// What one device can send over one of its links of this tier; receiving has
  /// as much again.
  GigabytesPerSecond bandwidth;
  /// Time from the first byte sent to the first byte received.
  Microseconds latency;
  /// Consecutive devices that share one port (NIC) of this tier, whose
  /// bandwidth is then `bandwidth` for all of them together.
  int64_t devicesPerPort = 1;
  TierShape shape = TierShape::Switch;

  bool operator==(const Tier &other) const;
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
  /// The most links of a tier that has one for every pair.
  static constexpr int64_t maxPairLinks = int64_t(1) << 24;

  /// Checks the tiers: at least one, distinct non-empty names, sizes of at
  /// least 1, finite bandwidths above 0 and latencies of at least 0, and a
  /// port shared by a divisor of the devices inside the tier's parts.
  static llvm::Expected<Topology> create(std::vector<Tier> tiers);

  /// The same with a link graph inside. The sizes of the innermost tiers must
  /// be those of the graph's levels, or one tier must hold all of its GPUs.
  /// Where there are several nodes, the graph must have no NICs at all or one
  /// of known speed in reach of each GPU.
  static llvm::Expected<Topology> create(std::vector<Tier> tiers,
                                         std::shared_ptr<const LinkGraph> node);

  /// Nodes of that inside, with tiers made from its levels. `outer` is what
  /// joins the nodes; it may be empty for one node.
  static llvm::Expected<Topology> ofNodes(std::shared_ptr<const LinkGraph> node,
                                          std::vector<Tier> outer);

  /// One tier named `name` over `devices` devices; for runs without a topology.
  static Topology uniform(int64_t devices, llvm::StringRef name,
                          GigabytesPerSecond bandwidth, Microseconds latency);

  /// Whether both describe the same devices and links. What they assume may
  /// differ.
  bool operator==(const Topology &other) const;

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

  /// Where a device sits when devices are numbered row-major over the tiers,
  /// and which device sits there.
  int64_t positionOf(int64_t device) const;
  int64_t deviceAt(int64_t position) const;

  /// Which part of tier `index` holds the device, counted over the whole
  /// cluster.
  int64_t partOf(int64_t device, unsigned index) const {
    return positionOf(device) / partSizes[index];
  }

  /// The port of tier `index` that the device sends through, counted over the
  /// whole cluster.
  int64_t portOf(int64_t device, unsigned index) const;

  /// The inside of a node; null where tiers are all that is known.
  const LinkGraph *node() const { return graph.get(); }
  std::shared_ptr<const LinkGraph> sharedNode() const { return graph; }
  /// The outermost tier inside a node; `tierCount()` without a graph.
  unsigned nodeTier() const { return firstNodeTier; }
  /// Without a graph, a node is a device.
  int64_t devicesPerNode() const;
  int64_t nodeCount() const { return devices / devicesPerNode(); }

  /// What the description rests on that its source does not say; reports repeat
  /// it.
  llvm::ArrayRef<std::string> assumptions() const { return assumed; }
  void assume(std::string what) { assumed.push_back(std::move(what)); }

  /// How `a` reaches `b`. The devices must differ.
  Path path(int64_t a, int64_t b) const;

  /// Every link that can be the slowest of an exchange.
  llvm::ArrayRef<Link> links() const { return linkList; }
  /// The links that bytes from `a` to `b` occupy. The devices must differ.
  Route route(int64_t a, int64_t b) const;
  /// `nvlink out of device 3`, `ib into devices 4-5`, `gpu0 to pci1 of node 0`,
  /// `out of nic0 of node 1`
  std::string linkName(LinkId link) const;

  /// `ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us`
  std::string toString() const;

private:
  Topology() = default;

  /// Where the links of a tier's ports, or of a node, begin and how many each
  /// has.
  struct LinkRange {
    LinkId first = 0;
    LinkId each = 0;
  };

  void createTierLinks(unsigned index);
  void createNodeLinks();
  llvm::Error setNode(std::shared_ptr<const LinkGraph> node);
  llvm::Error verifyPorts() const;
  LinkId portLink(int64_t node, uint32_t port, bool isInto) const;
  void addTierRoute(unsigned index, int64_t a, int64_t b, Route &route) const;
  void addArcs(int64_t node, llvm::ArrayRef<ArcId> arcs, Route &route) const;
  Route routeInNode(int64_t a, int64_t b) const;
  Route routeOverPorts(unsigned index, int64_t a, int64_t b) const;
  std::string nodeLinkName(LinkId link) const;
  bool usesPorts(unsigned index) const;

  std::vector<Tier> tierList;
  std::vector<int64_t> partSizes;
  int64_t devices = 1;
  std::vector<Link> linkList;
  /// One a tier; empty inside nodes and where the nodes' NICs are its ports.
  std::vector<LinkRange> tierLinks;

  std::shared_ptr<const LinkGraph> graph;
  unsigned firstNodeTier = 0;
  /// Positions within a node of its devices, and the reverse.
  std::vector<int64_t> nodePositions;
  std::vector<int64_t> nodeDevices;
  LinkRange nodeLinks;
  /// The link of each arc, counted within a node; none where the arc is too
  /// wide to matter.
  std::vector<std::optional<LinkId>> arcLinks;
  /// Within a node, the links out of and into port p are `firstPortLink + 2 p`
  /// and the one after.
  LinkId firstPortLink = 0;
  std::vector<std::string> assumed;
};

} // namespace moe::planning

#endif // MOE_PLANNING_TOPOLOGY_H
