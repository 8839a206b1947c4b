//===- PathSearch.cpp - NCCL's search for paths ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PathSearch.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <limits>
#include <tuple>

using namespace moe::planning;

PathSearch::PathSearch(const LinkGraph &graph)
    : graph(graph), links(graph.vertices().size()) {
  for (ArcId arc = 0; arc < 2 * graph.edges().size(); ++arc) {
    links[graph.arcSource(arc)].push_back({arc, graph.arcTarget(arc), false});
  }
  orderLinks();
}

void PathSearch::orderLinks() {
  // How many PCIe links each vertex is away from its CPU.
  constexpr unsigned unknown = std::numeric_limits<unsigned>::max();
  std::vector<unsigned> depths(links.size(), unknown);
  std::vector<uint32_t> queue;
  for (uint32_t vertex = 0; vertex < links.size(); ++vertex) {
    if (graph.vertices()[vertex].kind == VertexKind::CPU) {
      depths[vertex] = 0;
      queue.push_back(vertex);
    }
  }
  for (size_t next = 0; next < queue.size(); ++next) {
    for (const Link &link : links[queue[next]]) {
      if (graph.edges()[link.arc / 2].kind == EdgeKind::PCIe &&
          depths[link.target] == unknown) {
        depths[link.target] = depths[queue[next]] + 1;
        queue.push_back(link.target);
      }
    }
  }
  for (uint32_t vertex = 0; vertex < links.size(); ++vertex) {
    for (Link &link : links[vertex]) {
      link.isUplink = graph.edges()[link.arc / 2].kind == EdgeKind::PCIe &&
                      depths[link.target] < depths[vertex];
    }
    // Links as wide as each other keep the order of the file.
    llvm::sort(links[vertex], [&](const Link &a, const Link &b) {
      double wide = graph.arcBandwidth(a.arc).value();
      double other = graph.arcBandwidth(b.arc).value();
      return std::tuple(a.isUplink, -wide, a.arc) <
             std::tuple(b.isUplink, -other, b.arc);
    });
  }
}

bool PathSearch::mayPass(uint32_t base, uint32_t vertex, const Link &link,
                         const Reach &path) const {
  if (vertex == base || graph.vertices()[vertex].kind != VertexKind::GPU) {
    return true;
  }
  return graph.vertices()[base].kind == VertexKind::GPU &&
         graph.edges()[link.arc / 2].kind == EdgeKind::NVLink &&
         graph.vertices()[link.target].kind == VertexKind::GPU &&
         path.arcs.size() <= 1;
}

PathClass PathSearch::classBeyond(uint32_t vertex, const Link &link,
                                  const Reach &path, size_t hops) const {
  VertexKind here = graph.vertices()[vertex].kind;
  VertexKind there = graph.vertices()[link.target].kind;
  if (here == VertexKind::PCIeSwitch && there == VertexKind::PCIeSwitch) {
    return std::max(path.pathClass, PathClass::PXB);
  }
  PathClass result = PathClass::LOC;
  switch (graph.edges()[link.arc / 2].kind) {
  case EdgeKind::Local:
    break;
  case EdgeKind::NVLink:
    result =
        here == VertexKind::GPU && path.pathClass == PathClass::NVL && hops > 1
            ? PathClass::NVB
            : PathClass::NVL;
    break;
  case EdgeKind::C2C:
    result = PathClass::C2C;
    break;
  case EdgeKind::PCIe:
    result = here == VertexKind::CPU || there == VertexKind::CPU
                 ? PathClass::PHB
                 : PathClass::PIX;
    break;
  case EdgeKind::Socket:
    result = PathClass::SYS;
    break;
  }
  return std::max(path.pathClass, result);
}

std::vector<LinkGraph::Reach> PathSearch::pathsTo(uint32_t base) const {
  std::vector<Reach> paths(links.size());
  paths[base].pathClass = PathClass::LOC;
  paths[base].bandwidth = localBandwidth;
  Frontier frontier = {base};
  while (!frontier.empty()) {
    Frontier next;
    std::vector<bool> isNext(links.size());
    for (uint32_t vertex : frontier) {
      for (const Link &link : links[vertex]) {
        const Reach &path = paths[vertex];
        Reach &beyond = paths[link.target];
        // Bytes travel towards the base, against the arc that leads away.
        GigabytesPerSecond bandwidth =
            std::min(path.bandwidth, graph.arcBandwidth(link.arc ^ 1));
        size_t hops = path.arcs.size() + 1;
        bool isFirst = beyond.pathClass == PathClass::DIS;
        if (!mayPass(base, vertex, link, path) ||
            !(isFirst ||
              (beyond.arcs.size() >= hops && beyond.bandwidth < bandwidth))) {
          continue;
        }
        Reach better;
        better.pathClass = classBeyond(vertex, link, path, hops);
        better.bandwidth = bandwidth;
        better.arcs.push_back(link.arc ^ 1);
        better.arcs.append(path.arcs.begin(), path.arcs.end());
        beyond = std::move(better);
        if (!isNext[link.target]) {
          isNext[link.target] = true;
          next.push_back(link.target);
        }
      }
    }
    frontier = std::move(next);
  }
  return paths;
}

LinkGraph::Reach moe::planning::joinPaths(const LinkGraph::Reach &first,
                                          const LinkGraph::Reach &second) {
  LinkGraph::Reach joined;
  PathClass worst = std::max(first.pathClass, second.pathClass);
  PathClass best = std::min(first.pathClass, second.pathClass);
  joined.pathClass = worst == PathClass::PHB && best == PathClass::C2C
                         ? PathClass::P2C
                         : worst;
  joined.bandwidth = std::min(first.bandwidth, second.bandwidth);
  joined.arcs = first.arcs;
  for (ArcId arc : second.arcs) {
    if (!llvm::is_contained(joined.arcs, arc)) {
      joined.arcs.push_back(arc);
    }
  }
  return joined;
}
