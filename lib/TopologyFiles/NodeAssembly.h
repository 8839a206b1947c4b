//===- NodeAssembly.h - A topology from the parts of a node -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the readers of link graphs share: naming vertices, summing up links that
// are listed in pieces, and making nodes of a graph as the options say.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_NODEASSEMBLY_H
#define MOE_LIB_TOPOLOGYFILES_NODEASSEMBLY_H

#include "moe/TopologyFiles/TopologyFile.h"
#include <map>

namespace moe::topology {

/// `240`, `25.75`
std::string decimal(double value);

class NodeAssembly {
public:
  NodeAssembly(llvm::StringRef file, const TopologyOptions &options)
      : file(file.str()), options(options) {}

  /// Adds a vertex; it is named after its kind and count: `gpu0`.
  uint32_t add(planning::Vertex vertex);
  planning::Vertex &operator[](uint32_t vertex) { return vertices[vertex]; }
  const planning::Vertex &operator[](uint32_t vertex) const {
    return vertices[vertex];
  }
  /// All vertices of a kind.
  std::vector<uint32_t> find(planning::VertexKind kind) const;

  /// Adds to one direction of a link; `line` is where the file has it.
  void addArc(uint32_t from, uint32_t to, planning::EdgeKind kind,
              planning::GigabytesPerSecond bandwidth, unsigned line = 0);
  /// Adds to both directions.
  void connect(uint32_t a, uint32_t b, planning::EdgeKind kind,
               planning::GigabytesPerSecond bandwidth, unsigned line = 0);

  /// Records what the topology rests on; equal sentences count once.
  void assume(const llvm::Twine &sentence);

  /// Makes the nodes. Fails when a link has one direction only, or what several
  /// nodes need is unknown.
  llvm::Expected<planning::Topology> finish();

private:
  struct ListedEdge {
    planning::Edge edge;
    unsigned line = 0;
  };

  llvm::Error setSpeeds();
  llvm::Expected<std::vector<planning::Edge>> completeEdges() const;
  llvm::Expected<std::vector<planning::Tier>>
  outerTiers(const planning::LinkGraph &graph);
  llvm::Error fail(const llvm::Twine &message, unsigned line = 0) const {
    return fileError({file, line, 0}, message);
  }

  std::string file;
  const TopologyOptions &options;
  std::vector<planning::Vertex> vertices;
  std::map<planning::VertexKind, unsigned> counts;
  std::vector<ListedEdge> edges;
  std::map<std::tuple<uint32_t, uint32_t, planning::EdgeKind>, size_t> edgeIds;
  std::vector<std::string> assumptions;
};

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_NODEASSEMBLY_H
