//===- LinkGraph.cpp - What connects the devices of a node ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LinkGraph.h"
#include "PathFinder.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// In the order of the enumerations.
static constexpr llvm::StringRef vertexKindNames[] = {
    "gpu", "cpu", "pcie_switch", "nvswitch", "adapter", "nic"};
static constexpr llvm::StringRef edgeKindNames[] = {"local", "nvlink", "c2c",
                                                    "pcie", "socket"};

llvm::StringRef moe::planning::toString(VertexKind kind) {
  return vertexKindNames[static_cast<unsigned>(kind)];
}
llvm::StringRef moe::planning::toString(EdgeKind kind) {
  return edgeKindNames[static_cast<unsigned>(kind)];
}

bool Vertex::operator==(const Vertex &other) const {
  auto members = [](const Vertex &vertex) {
    return std::tie(vertex.kind, vertex.name, vertex.busId, vertex.model,
                    vertex.numaNode, vertex.host, vertex.hasDirectAccess,
                    vertex.speed);
  };
  return members(*this) == members(other);
}

bool Edge::operator==(const Edge &other) const {
  auto members = [](const Edge &edge) {
    return std::tie(edge.a, edge.b, edge.kind, edge.forward, edge.backward);
  };
  return members(*this) == members(other);
}

template <typename Kind>
static std::optional<Kind> parseKind(llvm::ArrayRef<llvm::StringRef> names,
                                     llvm::StringRef name) {
  const llvm::StringRef *found = llvm::find(names, name);
  return found == names.end()
             ? std::nullopt
             : std::optional(static_cast<Kind>(found - names.begin()));
}

std::optional<VertexKind> moe::planning::parseVertexKind(llvm::StringRef name) {
  return parseKind<VertexKind>(vertexKindNames, name);
}
std::optional<EdgeKind> moe::planning::parseEdgeKind(llvm::StringRef name) {
  return parseKind<EdgeKind>(edgeKindNames, name);
}

static llvm::Error verifyVertices(llvm::ArrayRef<Vertex> vertices) {
  llvm::StringSet<> names;
  for (const Vertex &vertex : vertices) {
    if (vertex.name.empty()) {
      return createStringError("expected every vertex to have a name");
    }
    if (!names.insert(vertex.name).second) {
      return createStringError(
          formatv("expected distinct vertices, but got '{0}' twice",
                  vertex.name)
              .str());
    }
    double speed = vertex.speed.value();
    if (!std::isfinite(speed) || speed < 0) {
      return createStringError(
          formatv("'{0}': expected a speed of at least 0 GB/s, but got {1}",
                  vertex.name, speed)
              .str());
    }
  }
  return llvm::Error::success();
}

static llvm::Error verifyEdge(llvm::ArrayRef<Vertex> vertices,
                              const Edge &edge) {
  if (edge.a >= vertices.size() || edge.b >= vertices.size()) {
    return createStringError("expected the ends of a link to be vertices");
  }
  std::string name =
      formatv("{0} - {1}", vertices[edge.a].name, vertices[edge.b].name);
  if (edge.a == edge.b) {
    return createStringError(
        formatv("link '{0}': expected two different ends", name).str());
  }
  for (GigabytesPerSecond bandwidth : {edge.forward, edge.backward}) {
    if (!std::isfinite(bandwidth.value()) || bandwidth.value() <= 0) {
      return createStringError(
          formatv("link '{0}': expected a bandwidth above 0 GB/s, but got {1}",
                  name, bandwidth.value())
              .str());
    }
  }
  return llvm::Error::success();
}

static llvm::Error verifyCount(llvm::StringRef what, size_t count,
                               size_t most) {
  return count <= most ? llvm::Error::success()
                       : createStringError(
                             formatv("expected at most {0} {1}, but got {2}",
                                     most, what, count)
                                 .str());
}

llvm::Expected<LinkGraph> LinkGraph::create(std::vector<Vertex> vertices,
                                            std::vector<Edge> edges) {
  LinkGraph graph;
  for (uint32_t index = 0; index < vertices.size(); ++index) {
    if (vertices[index].kind == VertexKind::GPU) {
      graph.gpuList.push_back(index);
    } else if (vertices[index].kind == VertexKind::NIC) {
      graph.nicList.push_back(index);
    }
  }
  if (graph.gpuList.empty()) {
    return createStringError("expected at least one GPU");
  }
  for (auto [what, count, most] :
       {std::tuple("GPUs", graph.gpuList.size(), maxGpus),
        std::tuple("NICs", graph.nicList.size(), maxNics),
        std::tuple("vertices", vertices.size(), maxVertices),
        std::tuple("links", edges.size(), maxEdges)}) {
    if (llvm::Error error = verifyCount(what, count, most)) {
      return std::move(error);
    }
  }
  if (llvm::Error error = verifyVertices(vertices)) {
    return std::move(error);
  }
  for (const Edge &edge : edges) {
    if (llvm::Error error = verifyEdge(vertices, edge)) {
      return std::move(error);
    }
  }
  graph.vertexList = std::move(vertices);
  graph.edgeList = std::move(edges);
  if (llvm::Error error = PathFinder(graph).run()) {
    return std::move(error);
  }
  graph.findLevels();
  return graph;
}

uint32_t LinkGraph::arcSource(ArcId arc) const {
  const Edge &edge = edgeList[arc / 2];
  return arc % 2 == 0 ? edge.a : edge.b;
}
uint32_t LinkGraph::arcTarget(ArcId arc) const { return arcSource(arc ^ 1); }
GigabytesPerSecond LinkGraph::arcBandwidth(ArcId arc) const {
  const Edge &edge = edgeList[arc / 2];
  return arc % 2 == 0 ? edge.forward : edge.backward;
}

uint32_t LinkGraph::sendingPort(uint32_t from, uint32_t to) const {
  uint32_t rail = *gpuPorts[to];
  return gpuToPort(from, rail).pathClass != PathClass::DIS ? rail
                                                           : *gpuPorts[from];
}

std::optional<int64_t> LinkGraph::numaNodeOf(uint32_t vertex) const {
  if (vertexList[vertex].numaNode || !nearestCpus[vertex]) {
    return vertexList[vertex].numaNode;
  }
  return vertexList[*nearestCpus[vertex]].numaNode;
}

/// The classes at which GPUs are counted as one group, nearest first.
static constexpr PathClass levelClasses[] = {PathClass::NVB, PathClass::PXB,
                                             PathClass::PHB, PathClass::SYS,
                                             PathClass::NET};

/// The group of each GPU when those with a path of at most `worst` are joined.
/// A group has the number of its first GPU.
static std::vector<uint32_t> joinGpus(const LinkGraph &graph, PathClass worst) {
  uint32_t count = graph.gpus().size();
  std::vector<uint32_t> groups(count);
  std::iota(groups.begin(), groups.end(), 0);
  for (uint32_t a = 0; a < count; ++a) {
    for (uint32_t b = a + 1; b < count; ++b) {
      bool isNear = graph.betweenGpus(a, b).pathClass <= worst ||
                    graph.betweenGpus(b, a).pathClass <= worst;
      if (isNear && groups[a] != groups[b]) {
        uint32_t low = std::min(groups[a], groups[b]);
        uint32_t high = std::max(groups[a], groups[b]);
        llvm::replace(groups, high, low);
      }
    }
  }
  return groups;
}

/// The size that all groups have; 0 when they differ.
static int64_t commonSize(llvm::ArrayRef<uint32_t> groups) {
  std::vector<int64_t> sizes(groups.size());
  for (uint32_t group : groups) {
    ++sizes[group];
  }
  int64_t common = sizes[groups.front()];
  bool equal = llvm::all_of(
      sizes, [&](int64_t size) { return size == 0 || size == common; });
  return equal ? common : 0;
}

void LinkGraph::findLevels() {
  uint32_t count = gpuList.size();
  // Each GPU's groups, innermost first; groups of one are left out.
  std::vector<std::vector<uint32_t>> nested;
  std::vector<int64_t> sizes = {1};
  for (PathClass worst : levelClasses) {
    std::vector<uint32_t> groups = joinGpus(*this, worst);
    int64_t size = commonSize(groups);
    if (size > sizes.back()) {
      sizes.push_back(size);
      nested.push_back(std::move(groups));
    }
  }
  if (sizes.back() < count) {
    // Joined only where that gives groups of different sizes.
    sizes.push_back(count);
    nested.push_back(std::vector<uint32_t>(count, 0));
  }
  for (size_t depth = nested.size(); depth-- > 0;) {
    Level level;
    level.size = sizes[depth + 1] / sizes[depth];
    level.bandwidth = GigabytesPerSecond(INFINITY);
    for (uint32_t a = 0; a < count; ++a) {
      for (uint32_t b = 0; b < count; ++b) {
        bool isInner = a == b || (depth > 0 &&
                                  nested[depth - 1][a] == nested[depth - 1][b]);
        if (!isInner && nested[depth][a] == nested[depth][b]) {
          const Reach &reach = betweenGpus(a, b);
          level.pathClass = std::max(level.pathClass, reach.pathClass);
          level.bandwidth = std::min(level.bandwidth, reach.bandwidth);
        }
      }
    }
    levelList.push_back(level);
  }
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  auto key = [&](uint32_t gpu) {
    std::vector<uint32_t> groups;
    for (const std::vector<uint32_t> &level : llvm::reverse(nested)) {
      groups.push_back(level[gpu]);
    }
    groups.push_back(gpu);
    return groups;
  };
  llvm::sort(order, [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  positions.resize(count);
  for (uint32_t position = 0; position < count; ++position) {
    positions[order[position]] = position;
  }
}
