//===- LinkGraph.h - What connects the devices of a node --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The inside of a node: GPUs, NICs, switches and CPUs, and the links between
// them, with the paths that NCCL would take (NVIDIA/nccl src/graph/paths.cc,
// by its rules as of commit 5067397):
//
//   - from each GPU and NIC outward, breadth first; a longer path never wins,
//     one of equal length wins only when it is wider. Links are tried widest
//     first, those towards the CPU last;
//   - a GPU passes traffic on only between GPUs, over NVLink, once (NVB);
//   - GPUs further apart than PXB meet in the CPU of the receiver;
//   - a NIC without direct access to a GPU is reached through the GPU's CPU;
//   - a GPU reaches a NIC through the NIC's own GPU where NVLink leads there
//     and that is faster or avoids the CPU (PXN).
//
// A path's bandwidth is that of its narrowest link, its class the worst on the
// way. Which NICs a GPU uses is its *port*: the widest ones, nearest first,
// shared out among the GPUs that they are equally near to; a NIC of several
// ports gives each an equal part of its speed. A message to another
// node leaves through the port that its receiver's place has here (a *rail*)
// where NVLink leads to that port's GPU, else through the sender's own.
//
// "Node" means what one file describes: one machine, or several that NVLink
// joins (NVL72), told apart by `Vertex::host`.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_LINKGRAPH_H
#define MOE_PLANNING_LINKGRAPH_H

#include "moe/Planning/PathClass.h"
#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moe::planning {

enum class VertexKind : uint8_t {
  GPU,
  /// A NUMA domain.
  CPU,
  PCIeSwitch,
  /// All switches of a node are one vertex.
  NVSwitch,
  /// A card that holds several NICs.
  Adapter,
  /// A port of the network.
  NIC,
};
/// `gpu`, `cpu`, `pcie_switch`, `nvswitch`, `adapter`, `nic`
llvm::StringRef toString(VertexKind kind);
std::optional<VertexKind> parseVertexKind(llvm::StringRef name);

struct Vertex {
  VertexKind kind = VertexKind::GPU;
  /// Distinct within the graph: `gpu0`.
  std::string name;
  /// `0000:8d:00.0`; empty where unknown or meaningless.
  std::string busId = {};
  /// For people: `H100 SXM`, `mlx5_0`.
  std::string model = {};
  std::optional<int64_t> numaNode = std::nullopt;
  /// Which of several machines.
  int64_t host = 0;
  /// Whether a GPU's memory and a NIC reach each other past the CPU.
  bool hasDirectAccess = true;
  /// Of a NIC; 0 where unknown.
  GigabytesPerSecond speed = GigabytesPerSecond(0);

  bool operator==(const Vertex &other) const;
};

enum class EdgeKind : uint8_t { Local, NVLink, C2C, PCIe, Socket };
/// `local`, `nvlink`, `c2c`, `pcie`, `socket`
llvm::StringRef toString(EdgeKind kind);
std::optional<EdgeKind> parseEdgeKind(llvm::StringRef name);

/// A link with its two directions.
struct Edge {
  uint32_t a = 0;
  uint32_t b = 0;
  EdgeKind kind = EdgeKind::PCIe;
  /// From a to b, and from b to a.
  GigabytesPerSecond forward;
  GigabytesPerSecond backward;

  bool operator==(const Edge &other) const;
};

/// One direction of an edge: `2 * edge` from a to b, `2 * edge + 1` back.
using ArcId = uint32_t;

class LinkGraph {
public:
  /// The most of each that a graph may have; NCCL has bounds alike.
  static constexpr size_t maxGpus = 576;
  static constexpr size_t maxNics = 576;
  static constexpr size_t maxVertices = 8192;
  static constexpr size_t maxEdges = 65536;

  /// How one vertex reaches another.
  struct Reach {
    PathClass pathClass = PathClass::DIS;
    GigabytesPerSecond bandwidth;
    llvm::SmallVector<ArcId, 6> arcs;
  };

  /// The NICs that a GPU sends and receives through.
  struct Port {
    std::vector<uint32_t> nics;
    /// Of its parts of its NICs; 0 where one's speed is unknown.
    GigabytesPerSecond speed;
  };

  /// One way to cut the GPUs into equal groups that are nearer to each other
  /// than to the rest.
  struct Level {
    /// Groups of the next inner level that this one joins.
    int64_t size = 1;
    /// Of the worst pair that meets here.
    PathClass pathClass = PathClass::LOC;
    GigabytesPerSecond bandwidth;
  };

  /// Checks the graph (distinct names, ends that exist, bandwidths above 0,
  /// bounds), finds all paths, and fails when two GPUs have none.
  static llvm::Expected<LinkGraph> create(std::vector<Vertex> vertices,
                                          std::vector<Edge> edges);

  llvm::ArrayRef<Vertex> vertices() const { return vertexList; }
  llvm::ArrayRef<Edge> edges() const { return edgeList; }
  /// All else follows from these.
  bool operator==(const LinkGraph &other) const {
    return vertexList == other.vertexList && edgeList == other.edgeList;
  }
  /// Vertices of GPUs and of NICs, in the order given. The functions below
  /// count GPUs and NICs by their place in these.
  llvm::ArrayRef<uint32_t> gpus() const { return gpuList; }
  llvm::ArrayRef<uint32_t> nics() const { return nicList; }

  uint32_t arcSource(ArcId arc) const;
  uint32_t arcTarget(ArcId arc) const;
  GigabytesPerSecond arcBandwidth(ArcId arc) const;

  /// From one GPU to another. NET where only their ports connect them; the
  /// arcs are then those up to the sending port and those from the other's.
  const Reach &betweenGpus(uint32_t from, uint32_t to) const {
    return gpuReaches[from * gpuList.size() + to];
  }
  const Reach &gpuToNic(uint32_t gpu, uint32_t nic) const {
    return toNics[gpu * nicList.size() + nic];
  }
  const Reach &nicToGpu(uint32_t nic, uint32_t gpu) const {
    return fromNics[nic * gpuList.size() + gpu];
  }

  llvm::ArrayRef<Port> ports() const { return portList; }
  /// The port of a GPU; none where no NIC is in reach.
  std::optional<uint32_t> portOf(uint32_t gpu) const { return gpuPorts[gpu]; }
  /// The port that a GPU sends through to the GPU at place `to` of another
  /// node or host. Both must have ports.
  uint32_t sendingPort(uint32_t from, uint32_t to) const;
  /// How a GPU reaches a port that it sends through, and how its own port
  /// reaches it: over several NICs, what their paths have in common.
  const Reach &gpuToPort(uint32_t gpu, uint32_t port) const {
    return toPorts[gpu * portList.size() + port];
  }
  const Reach &portToGpu(uint32_t gpu) const { return fromPorts[gpu]; }

  /// Outermost first; their sizes multiply to the number of GPUs.
  llvm::ArrayRef<Level> levels() const { return levelList; }
  /// Where a GPU is when groups of groups of GPUs are numbered row-major.
  int64_t positionOf(uint32_t gpu) const { return positions[gpu]; }

  /// The NUMA domain of a CPU, or that a GPU or NIC is nearest to, where it is
  /// known.
  std::optional<int64_t> numaNodeOf(uint32_t vertex) const;

private:
  friend class PathFinder;

  LinkGraph() = default;
  void findLevels();

  std::vector<Vertex> vertexList;
  std::vector<Edge> edgeList;
  std::vector<uint32_t> gpuList;
  std::vector<uint32_t> nicList;
  /// The CPU with the fewest hops to each GPU and NIC.
  std::vector<std::optional<uint32_t>> nearestCpus;
  std::vector<Reach> gpuReaches;
  std::vector<Reach> toNics;
  std::vector<Reach> fromNics;
  std::vector<Port> portList;
  std::vector<std::optional<uint32_t>> gpuPorts;
  std::vector<Reach> toPorts;
  std::vector<Reach> fromPorts;
  std::vector<Level> levelList;
  std::vector<int64_t> positions;
};

} // namespace moe::planning

#endif // MOE_PLANNING_LINKGRAPH_H
