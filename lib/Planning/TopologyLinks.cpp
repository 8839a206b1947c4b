//===- TopologyLinks.cpp - Links and routes of a topology -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LinkConstants.h"
#include "moe/Planning/Topology.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cassert>

using namespace moe::planning;
using llvm::formatv;

bool Topology::usesPorts(unsigned index) const {
  return graph && index + 1 == firstNodeTier && !graph->nics().empty();
}

int64_t Topology::portOf(int64_t device, unsigned index) const {
  if (!usesPorts(index)) {
    return positionOf(device) / tierList[index].devicesPerPort;
  }
  int64_t each = devicesPerNode();
  return device / each * graph->ports().size() + *graph->portOf(device % each);
}

//===----------------------------------------------------------------------===//
// Links
//===----------------------------------------------------------------------===//

void Topology::createTierLinks(unsigned index) {
  const Tier &tier = tierList[index];
  if (tier.size == 1 || usesPorts(index)) {
    return;
  }
  LinkId each = tier.shape == TierShape::FullyConnected ? tier.size - 1 : 2;
  tierLinks[index] = {static_cast<LinkId>(linkList.size()), each};
  linkList.insert(linkList.end(), each * (devices / tier.devicesPerPort),
                  Link{index, tier.bandwidth});
}

/// The class of traffic that only this link makes as bad as it is.
static PathClass classOf(const LinkGraph &graph, const Edge &edge) {
  auto isCpu = [&](uint32_t vertex) {
    return graph.vertices()[vertex].kind == VertexKind::CPU;
  };
  switch (edge.kind) {
  case EdgeKind::Local:
    return PathClass::LOC;
  case EdgeKind::NVLink:
    return PathClass::NVL;
  case EdgeKind::C2C:
    return PathClass::C2C;
  case EdgeKind::PCIe:
    return isCpu(edge.a) || isCpu(edge.b) ? PathClass::PHB : PathClass::PIX;
  case EdgeKind::Socket:
    return PathClass::SYS;
  }
  return PathClass::LOC;
}

void Topology::createNodeLinks() {
  if (!graph) {
    return;
  }
  // The innermost tier whose traffic is as bad as the link makes it; what is
  // worse than all of them carries traffic between nodes.
  auto tierFor = [&](PathClass pathClass) -> unsigned {
    bool hasLevels = graph->levels().size() == tierCount() - firstNodeTier;
    for (size_t level = hasLevels ? graph->levels().size() : 0; level-- > 0;) {
      if (graph->levels()[level].pathClass >= pathClass) {
        return firstNodeTier + level;
      }
    }
    return hasLevels && firstNodeTier > 0 ? firstNodeTier - 1 : firstNodeTier;
  };
  std::vector<Link> each;
  arcLinks.resize(2 * graph->edges().size());
  for (ArcId arc = 0; arc < arcLinks.size(); ++arc) {
    const Edge &edge = graph->edges()[arc / 2];
    if (graph->arcBandwidth(arc) < localBandwidth) {
      arcLinks[arc] = each.size();
      each.push_back(
          {tierFor(classOf(*graph, edge)), graph->arcBandwidth(arc)});
    }
  }
  firstPortLink = each.size();
  unsigned networkTier = tierFor(PathClass::NET);
  for (const LinkGraph::Port &port : graph->ports()) {
    // Where a speed is unknown, nothing travels between nodes.
    GigabytesPerSecond speed =
        port.speed.value() > 0 ? port.speed : localBandwidth;
    each.insert(each.end(), 2, Link{networkTier, speed});
  }
  nodeLinks = {static_cast<LinkId>(linkList.size()),
               static_cast<LinkId>(each.size())};
  for (int64_t node = 0; node < nodeCount(); ++node) {
    linkList.insert(linkList.end(), each.begin(), each.end());
  }
}

//===----------------------------------------------------------------------===//
// Routes
//===----------------------------------------------------------------------===//

namespace {
/// A way round a ring.
struct RingWay {
  int64_t hops = 0;
  bool isUp = true;
};
} // namespace

static RingWay shorterWay(int64_t from, int64_t to, int64_t size) {
  int64_t up = (to - from + size) % size;
  return up <= size - up ? RingWay{up, true} : RingWay{size - up, false};
}

void Topology::addTierRoute(unsigned index, int64_t a, int64_t b,
                            Route &route) const {
  const Tier &tier = tierList[index];
  LinkRange links = tierLinks[index];
  int64_t ports = partSizes[index] / tier.devicesPerPort;
  int64_t source = positionOf(a) / tier.devicesPerPort;
  int64_t from = source / ports % tier.size;
  int64_t to = positionOf(b) / partSizes[index] % tier.size;
  auto linkOf = [&](int64_t port, int64_t place) {
    return static_cast<LinkId>(links.first + port * links.each + place);
  };
  switch (tier.shape) {
  case TierShape::Switch:
    route.push_back(linkOf(source, 0));
    route.push_back(linkOf(positionOf(b) / tier.devicesPerPort, 1));
    return;
  case TierShape::Ring: {
    RingWay way = shorterWay(from, to, tier.size);
    for (int64_t hop = 0; hop < way.hops; ++hop) {
      int64_t part = (from + (way.isUp ? hop : tier.size - hop)) % tier.size;
      route.push_back(linkOf(source + (part - from) * ports, way.isUp ? 0 : 1));
    }
    return;
  }
  case TierShape::FullyConnected:
    route.push_back(linkOf(source, to < from ? to : to - 1));
    return;
  }
}

void Topology::addArcs(int64_t node, llvm::ArrayRef<ArcId> arcs,
                       Route &route) const {
  for (ArcId arc : arcs) {
    if (arcLinks[arc]) {
      route.push_back(nodeLinks.first + node * nodeLinks.each + *arcLinks[arc]);
    }
  }
}

LinkId Topology::portLink(int64_t node, uint32_t port, bool isInto) const {
  return nodeLinks.first + node * nodeLinks.each + firstPortLink +
         2 * int64_t{port} + (isInto ? 1 : 0);
}

Route Topology::routeInNode(int64_t a, int64_t b) const {
  int64_t each = devicesPerNode();
  const LinkGraph::Reach &reach = graph->betweenGpus(a % each, b % each);
  Route route;
  addArcs(a / each, reach.arcs, route);
  if (reach.pathClass == PathClass::NET) {
    route.push_back(portLink(a / each, *graph->portOf(a % each), false));
    route.push_back(portLink(b / each, *graph->portOf(b % each), true));
  }
  return route;
}

Route Topology::routeOverPorts(unsigned index, int64_t a, int64_t b) const {
  int64_t each = devicesPerNode();
  uint32_t port = graph->sendingPort(a % each, b % each);
  Route route;
  addArcs(a / each, graph->gpuToPort(a % each, port).arcs, route);
  route.push_back(portLink(a / each, port, false));
  if (index + 1 < firstNodeTier) {
    addTierRoute(index, a, b, route);
  }
  route.push_back(portLink(b / each, *graph->portOf(b % each), true));
  addArcs(b / each, graph->portToGpu(b % each).arcs, route);
  return route;
}

Route Topology::route(int64_t a, int64_t b) const {
  std::optional<unsigned> index = tierOf(a, b);
  assert(index && "a device needs no route to itself");
  if (*index >= firstNodeTier) {
    return routeInNode(a, b);
  }
  if (graph && !graph->nics().empty()) {
    return routeOverPorts(*index, a, b);
  }
  Route route;
  addTierRoute(*index, a, b, route);
  return route;
}

Path Topology::path(int64_t a, int64_t b) const {
  std::optional<unsigned> index = tierOf(a, b);
  assert(index && "a device needs no path to itself");
  const Tier &tier = tierList[*index];
  Path path{*index, tier.bandwidth, tier.latency};
  int64_t each = devicesPerNode();
  if (*index >= firstNodeTier) {
    const LinkGraph::Reach &reach = graph->betweenGpus(a % each, b % each);
    path.bandwidth = reach.bandwidth;
    path.pathClass = reach.pathClass;
    return path;
  }
  if (tier.shape == TierShape::Ring) {
    path.latency =
        tier.latency * shorterWay(partOf(a, *index) % tier.size,
                                  partOf(b, *index) % tier.size, tier.size)
                           .hops;
  }
  if (graph) {
    path.pathClass = PathClass::NET;
    path.bandwidth = localBandwidth;
    for (LinkId link : route(a, b)) {
      path.bandwidth = std::min(path.bandwidth, linkList[link].bandwidth);
    }
  }
  return path;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

std::string Topology::nodeLinkName(LinkId link) const {
  LinkId place = (link - nodeLinks.first) % nodeLinks.each;
  std::string node =
      nodeCount() == 1
          ? ""
          : formatv(" of node {0}", (link - nodeLinks.first) / nodeLinks.each)
                .str();
  if (place >= firstPortLink) {
    const LinkGraph::Port &port = graph->ports()[(place - firstPortLink) / 2];
    std::string nics;
    for (uint32_t nic : port.nics) {
      nics += (nics.empty() ? "" : "+") +
              graph->vertices()[graph->nics()[nic]].name;
    }
    bool isInto = (place - firstPortLink) % 2 != 0;
    return formatv("{0} {1}{2}", isInto ? "into" : "out of", nics, node);
  }
  auto arc = std::find(arcLinks.begin(), arcLinks.end(), std::optional(place));
  ArcId id = arc - arcLinks.begin();
  return formatv("{0} to {1}{2}", graph->vertices()[graph->arcSource(id)].name,
                 graph->vertices()[graph->arcTarget(id)].name, node);
}

std::string Topology::linkName(LinkId link) const {
  if (graph && link >= nodeLinks.first) {
    return nodeLinkName(link);
  }
  const Link &found = linkList[link];
  const Tier &tier = tierList[found.tier];
  LinkRange links = tierLinks[found.tier];
  int64_t port = (link - links.first) / links.each;
  int64_t place = (link - links.first) % links.each;
  int64_t begin = port * tier.devicesPerPort;
  int64_t last = begin + tier.devicesPerPort - 1;
  // Neighbours in position that share a port may be no neighbours in number.
  std::string ends =
      last == begin
          ? formatv("device {0}", deviceAt(begin)).str()
          : formatv("devices {0}-{1}", deviceAt(begin), deviceAt(last)).str();
  switch (tier.shape) {
  case TierShape::Switch:
    return formatv("{0} {1} {2}", tier.name, place == 0 ? "out of" : "into",
                   ends);
  case TierShape::Ring:
    return formatv("{0} {1} from {2}", tier.name, place == 0 ? "up" : "down",
                   ends);
  case TierShape::FullyConnected: {
    int64_t part = begin / partSizes[found.tier] % tier.size;
    return formatv("{0} from {1} to part {2}", tier.name, ends,
                   place < part ? place : place + 1);
  }
  }
  return "";
}
