//===- PathFinder.h - All paths and ports of a link graph -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The steps of NCCL's ncclTopoComputePaths, one function each, and then the
// ports. GPUs and NICs are counted by their places in the graph's lists.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PATHFINDER_H
#define MOE_LIB_PLANNING_PATHFINDER_H

#include "PathSearch.h"
#include <map>

namespace moe::planning {

/// Fills in the paths and ports of a graph.
class PathFinder {
public:
  explicit PathFinder(LinkGraph &graph)
      : graph(graph), gpus(graph.gpuList.size()), nics(graph.nicList.size()) {}

  /// Fails when two GPUs have no path.
  llvm::Error run();

private:
  using Reach = LinkGraph::Reach;
  using Places = std::vector<uint32_t>;

  void searchTowardsGpus(const PathSearch &search);
  void searchTowardsCpus(const PathSearch &search);
  void searchTowardsNics(const PathSearch &search);
  void limitToSpeeds();
  void meetInCpus();
  void preferCoherentLinks();
  void relayOverGpus();
  void avoidDirectAccess(uint32_t gpu, uint32_t nic);
  void assignPorts();
  void reachPorts();
  Reach reachPort(uint32_t gpu, const LinkGraph::Port &port);
  Reach relayToPort(uint32_t gpu, const LinkGraph::Port &port);
  llvm::Error crossNetwork();

  Reach &gpuReach(uint32_t from, uint32_t to) {
    return graph.gpuReaches[from * gpus + to];
  }
  Reach &toNic(uint32_t gpu, uint32_t nic) {
    return graph.toNics[gpu * nics + nic];
  }
  Reach &fromNic(uint32_t nic, uint32_t gpu) {
    return graph.fromNics[nic * gpus + gpu];
  }
  std::optional<uint32_t> cpuOf(uint32_t gpu) const {
    return graph.nearestCpus[graph.gpuList[gpu]];
  }
  const Vertex &gpuVertex(uint32_t gpu) const {
    return graph.vertexList[graph.gpuList[gpu]];
  }
  const Vertex &nicVertex(uint32_t nic) const {
    return graph.vertexList[graph.nicList[nic]];
  }

  Places localNics(uint32_t gpu);
  Places localGpus(uint32_t nic);
  Places usedNics(uint32_t gpu);
  std::optional<uint32_t> ownGpu(uint32_t nic);
  bool isDirect(uint32_t gpu, uint32_t nic) const;

  LinkGraph &graph;
  uint32_t gpus;
  uint32_t nics;
  /// From the nearest CPU of each GPU to it.
  std::vector<Reach> fromCpus;
  /// From every vertex to a CPU that is some GPU's nearest.
  std::map<uint32_t, std::vector<Reach>> toCpus;
  /// From such a CPU to each NIC.
  std::map<uint32_t, std::vector<Reach>> cpuToNics;
  /// The GPU of each NIC, with the final paths.
  std::vector<std::optional<uint32_t>> owners;
};

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PATHFINDER_H
