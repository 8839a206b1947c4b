//===- PathFinder.cpp - All paths and ports of a link graph ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PathFinder.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace moe::planning;

llvm::Error PathFinder::run() {
  PathSearch search(graph);
  graph.nearestCpus.resize(graph.vertexList.size());
  searchTowardsGpus(search);
  searchTowardsCpus(search);
  searchTowardsNics(search);
  limitToSpeeds();
  meetInCpus();
  preferCoherentLinks();
  relayOverGpus();
  assignPorts();
  reachPorts();
  return crossNetwork();
}

/// The CPU with the fewest hops to where the paths lead.
static std::optional<uint32_t>
findNearestCpu(const LinkGraph &graph, llvm::ArrayRef<LinkGraph::Reach> paths) {
  std::optional<uint32_t> nearest;
  for (uint32_t vertex = 0; vertex < paths.size(); ++vertex) {
    if (graph.vertices()[vertex].kind == VertexKind::CPU &&
        paths[vertex].pathClass != PathClass::DIS &&
        (!nearest || paths[vertex].arcs.size() < paths[*nearest].arcs.size())) {
      nearest = vertex;
    }
  }
  return nearest;
}

void PathFinder::searchTowardsGpus(const PathSearch &search) {
  graph.gpuReaches.resize(size_t{gpus} * gpus);
  graph.fromNics.resize(size_t{nics} * gpus);
  fromCpus.resize(gpus);
  for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
    uint32_t vertex = graph.gpuList[gpu];
    std::vector<Reach> paths = search.pathsTo(vertex);
    graph.nearestCpus[vertex] = findNearestCpu(graph, paths);
    if (cpuOf(gpu)) {
      fromCpus[gpu] = paths[*cpuOf(gpu)];
      toCpus[*cpuOf(gpu)];
    }
    for (uint32_t other = 0; other < gpus; ++other) {
      gpuReach(other, gpu) = std::move(paths[graph.gpuList[other]]);
    }
    for (uint32_t nic = 0; nic < nics; ++nic) {
      fromNic(nic, gpu) = std::move(paths[graph.nicList[nic]]);
    }
  }
}

void PathFinder::searchTowardsCpus(const PathSearch &search) {
  for (auto &[cpu, paths] : toCpus) {
    paths = search.pathsTo(cpu);
  }
}

void PathFinder::searchTowardsNics(const PathSearch &search) {
  graph.toNics.resize(size_t{gpus} * nics);
  for (uint32_t nic = 0; nic < nics; ++nic) {
    uint32_t vertex = graph.nicList[nic];
    std::vector<Reach> paths = search.pathsTo(vertex);
    graph.nearestCpus[vertex] = findNearestCpu(graph, paths);
    for (auto &[cpu, unused] : toCpus) {
      cpuToNics[cpu].push_back(paths[cpu]);
    }
    for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
      toNic(gpu, nic) = std::move(paths[graph.gpuList[gpu]]);
    }
  }
}

void PathFinder::meetInCpus() {
  for (uint32_t to = 0; to < gpus; ++to) {
    for (uint32_t from = 0; from < gpus; ++from) {
      Reach &reach = gpuReach(from, to);
      bool isFar =
          reach.pathClass > PathClass::PXB && reach.pathClass < PathClass::NET;
      if (isFar && cpuOf(to)) {
        const Reach &first = toCpus[*cpuOf(to)][graph.gpuList[from]];
        reach = joinPaths(first, fromCpus[to]);
      }
    }
  }
}

/// A path to or from a NIC carries no more than the NIC.
static void limitToSpeed(LinkGraph::Reach &reach, const Vertex &nic) {
  if (nic.speed.value() > 0) {
    reach.bandwidth = std::min(reach.bandwidth, nic.speed);
  }
}

void PathFinder::limitToSpeeds() {
  for (uint32_t nic = 0; nic < nics; ++nic) {
    for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
      limitToSpeed(toNic(gpu, nic), nicVertex(nic));
      limitToSpeed(fromNic(nic, gpu), nicVertex(nic));
    }
  }
}

namespace {
/// Collects the places with the widest path, of these the nearest.
struct BestPlaces {
  std::vector<uint32_t> places;
  GigabytesPerSecond bandwidth;
  PathClass pathClass = PathClass::DIS;

  void consider(uint32_t place, PathClass candidate, GigabytesPerSecond width) {
    if (candidate == PathClass::DIS) {
      return;
    }
    if (width > bandwidth || (width == bandwidth && candidate < pathClass)) {
      places.clear();
      bandwidth = width;
      pathClass = candidate;
    }
    if (width == bandwidth && candidate == pathClass) {
      places.push_back(place);
    }
  }
};
} // namespace

PathFinder::Places PathFinder::localNics(uint32_t gpu) {
  BestPlaces best;
  for (uint32_t nic = 0; nic < nics; ++nic) {
    const Reach &reach = toNic(gpu, nic);
    best.consider(nic, reach.pathClass, reach.bandwidth);
  }
  return best.places;
}

PathFinder::Places PathFinder::localGpus(uint32_t nic) {
  BestPlaces best;
  for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
    const Reach &reach = fromNic(nic, gpu);
    best.consider(gpu, reach.pathClass, reach.bandwidth);
  }
  return best.places;
}

/// The bits of a number below `limit`, a power of two, in reverse: neighbours
/// start far apart.
static uint32_t mirrorBits(uint32_t value, uint32_t limit) {
  uint32_t mirrored = 0;
  for (uint32_t low = 1, high = limit / 2; low < limit; low *= 2, high /= 2) {
    mirrored |= (value & low) != 0 ? high : 0;
  }
  return mirrored;
}

PathFinder::Places PathFinder::usedNics(uint32_t gpu) {
  Places candidates = localNics(gpu);
  if (candidates.empty()) {
    return {};
  }
  Places sharers = localGpus(candidates.front());
  uint32_t count = candidates.size();
  // NCCL goes by the driver's number of the GPU; its place among those that
  // share the NICs is the same where these are numbered one after the other.
  uint32_t first = llvm::find(sharers, gpu) - sharers.begin();
  first = first == sharers.size() ? gpu : first;
  if (llvm::isPowerOf2_32(count)) {
    first = mirrorBits(first, count);
  }
  Places used;
  uint32_t most = llvm::divideCeil(count, std::max<size_t>(sharers.size(), 1));
  for (uint32_t channel = 0; channel < most; ++channel) {
    used.push_back(candidates[(first + channel) % count]);
  }
  llvm::sort(used);
  return used;
}

std::optional<uint32_t> PathFinder::ownGpu(uint32_t nic) {
  for (uint32_t gpu : localGpus(nic)) {
    if (llvm::is_contained(usedNics(gpu), nic)) {
      return gpu;
    }
  }
  return std::nullopt;
}

bool PathFinder::isDirect(uint32_t gpu, uint32_t nic) const {
  return gpuVertex(gpu).hasDirectAccess && nicVertex(nic).hasDirectAccess;
}

void PathFinder::preferCoherentLinks() {
  for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
    if (!cpuOf(gpu)) {
      continue;
    }
    const std::vector<Reach> &toCpu = toCpus[*cpuOf(gpu)];
    for (uint32_t nic : localNics(gpu)) {
      Reach joined =
          joinPaths(toCpu[graph.gpuList[gpu]], toCpu[graph.nicList[nic]]);
      if (joined.pathClass == PathClass::P2C) {
        for (Reach *reach : {&toNic(gpu, nic), &fromNic(nic, gpu)}) {
          reach->pathClass = std::min(reach->pathClass, PathClass::P2C);
        }
      }
    }
  }
}

void PathFinder::relayOverGpus() {
  for (uint32_t nic = 0; nic < nics; ++nic) {
    std::optional<uint32_t> owner = ownGpu(nic);
    for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
      Reach &direct = toNic(gpu, nic);
      if (owner && *owner != gpu) {
        const Reach &relayed = toNic(*owner, nic);
        bool isShort = relayed.pathClass <= PathClass::P2C &&
                       isDirect(*owner, nic) &&
                       gpuReach(gpu, *owner).pathClass <= PathClass::NVL &&
                       gpuVertex(*owner).host == gpuVertex(gpu).host;
        bool isBetter = relayed.bandwidth > direct.bandwidth ||
                        direct.pathClass > PathClass::PXN;
        if (isShort && isBetter) {
          direct = joinPaths(gpuReach(gpu, *owner), relayed);
          direct.pathClass = PathClass::PXN;
        }
      }
      avoidDirectAccess(gpu, nic);
    }
  }
}

void PathFinder::avoidDirectAccess(uint32_t gpu, uint32_t nic) {
  PathClass now = toNic(gpu, nic).pathClass;
  if (now >= PathClass::PHB || now == PathClass::PXN || isDirect(gpu, nic) ||
      !cpuOf(gpu)) {
    return;
  }
  uint32_t cpu = *cpuOf(gpu);
  fromNic(nic, gpu) = joinPaths(toCpus[cpu][graph.nicList[nic]], fromCpus[gpu]);
  toNic(gpu, nic) =
      joinPaths(toCpus[cpu][graph.gpuList[gpu]], cpuToNics[cpu][nic]);
  limitToSpeed(fromNic(nic, gpu), nicVertex(nic));
  limitToSpeed(toNic(gpu, nic), nicVertex(nic));
}

void PathFinder::assignPorts() {
  graph.gpuPorts.resize(gpus);
  for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
    Places used = usedNics(gpu);
    if (used.empty()) {
      continue;
    }
    auto isSame = [&](const LinkGraph::Port &port) {
      return port.nics == used;
    };
    auto found = llvm::find_if(graph.portList, isSame);
    graph.gpuPorts[gpu] = found - graph.portList.begin();
    if (found == graph.portList.end()) {
      graph.portList.push_back({std::move(used), GigabytesPerSecond(0)});
    }
  }
  std::vector<unsigned> sharers(nics);
  for (const LinkGraph::Port &port : graph.portList) {
    for (uint32_t nic : port.nics) {
      ++sharers[nic];
    }
  }
  for (LinkGraph::Port &port : graph.portList) {
    bool isKnown = llvm::all_of(port.nics, [&](uint32_t nic) {
      return nicVertex(nic).speed.value() > 0;
    });
    for (uint32_t nic : isKnown ? port.nics : Places()) {
      port.speed += nicVertex(nic).speed / sharers[nic];
    }
  }
}

/// What the paths over a port's NICs have in common, as one path.
static LinkGraph::Reach
combinePaths(llvm::ArrayRef<const LinkGraph::Reach *> paths) {
  LinkGraph::Reach combined = *paths.front();
  for (const LinkGraph::Reach *path : paths.drop_front()) {
    combined.pathClass = std::max(combined.pathClass, path->pathClass);
    combined.bandwidth += path->bandwidth;
    llvm::erase_if(combined.arcs, [&](ArcId arc) {
      return !llvm::is_contained(path->arcs, arc);
    });
  }
  return combined;
}

LinkGraph::Reach PathFinder::reachPort(uint32_t gpu,
                                       const LinkGraph::Port &port) {
  std::vector<const Reach *> paths;
  for (uint32_t nic : port.nics) {
    paths.push_back(&toNic(gpu, nic));
  }
  return combinePaths(paths);
}

/// DIS where NVLink does not lead to the port's GPU.
LinkGraph::Reach PathFinder::relayToPort(uint32_t gpu,
                                         const LinkGraph::Port &port) {
  std::vector<Reach> relayed;
  for (uint32_t nic : port.nics) {
    std::optional<uint32_t> owner = owners[nic];
    if (!owner || *owner == gpu ||
        gpuReach(gpu, *owner).pathClass > PathClass::NVL ||
        toNic(*owner, nic).pathClass > PathClass::P2C ||
        !isDirect(*owner, nic) ||
        gpuVertex(*owner).host != gpuVertex(gpu).host) {
      return Reach();
    }
    Reach path = joinPaths(gpuReach(gpu, *owner), toNic(*owner, nic));
    path.pathClass = PathClass::PXN;
    relayed.push_back(std::move(path));
  }
  std::vector<const Reach *> paths;
  for (const Reach &path : relayed) {
    paths.push_back(&path);
  }
  return combinePaths(paths);
}

void PathFinder::reachPorts() {
  for (uint32_t nic = 0; nic < nics; ++nic) {
    owners.push_back(ownGpu(nic));
  }
  graph.toPorts.resize(gpus * graph.portList.size());
  graph.fromPorts.resize(gpus);
  for (uint32_t gpu = 0; gpu < gpus; ++gpu) {
    for (auto [index, port] : llvm::enumerate(graph.portList)) {
      bool isOwn = graph.gpuPorts[gpu] == index;
      graph.toPorts[gpu * graph.portList.size() + index] =
          isOwn ? reachPort(gpu, port) : relayToPort(gpu, port);
    }
    if (graph.gpuPorts[gpu]) {
      std::vector<const Reach *> paths;
      for (uint32_t nic : graph.portList[*graph.gpuPorts[gpu]].nics) {
        paths.push_back(&fromNic(nic, gpu));
      }
      graph.fromPorts[gpu] = combinePaths(paths);
    }
  }
}

llvm::Error PathFinder::crossNetwork() {
  for (uint32_t from = 0; from < gpus; ++from) {
    for (uint32_t to = 0; to < gpus; ++to) {
      Reach &reach = gpuReach(from, to);
      if (reach.pathClass != PathClass::DIS) {
        continue;
      }
      if (!graph.gpuPorts[from] || !graph.gpuPorts[to]) {
        return llvm::createStringError(
            llvm::formatv("no path from '{0}' to '{1}'", gpuVertex(from).name,
                          gpuVertex(to).name)
                .str());
      }
      // A rail leads to another machine, so it is the own port's peer there.
      uint32_t port = *graph.gpuPorts[from];
      reach = joinPaths(graph.gpuToPort(from, port), graph.portToGpu(to));
      reach.pathClass = PathClass::NET;
      for (uint32_t end : {port, *graph.gpuPorts[to]}) {
        GigabytesPerSecond speed = graph.portList[end].speed;
        if (speed.value() > 0) {
          reach.bandwidth = std::min(reach.bandwidth, speed);
        }
      }
    }
  }
  return llvm::Error::success();
}
