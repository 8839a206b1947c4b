//===- NodeAssembly.cpp - A topology from the parts of a node -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeAssembly.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

/// What vertices of a kind are called, before their number.
static llvm::StringRef prefixOf(VertexKind kind) {
  return kind == VertexKind::PCIeSwitch ? "pci" : toString(kind);
}

std::string moe::topology::decimal(double value) {
  return formatv("{0}", llvm::format("%.10g", value));
}

/// What the file calls a vertex.
static llvm::StringRef peopleName(const Vertex &vertex) {
  return !vertex.model.empty()   ? vertex.model
         : !vertex.busId.empty() ? vertex.busId
                                 : vertex.name;
}

uint32_t NodeAssembly::add(Vertex vertex) {
  vertex.name =
      prefixOf(vertex.kind).str() + std::to_string(counts[vertex.kind]++);
  vertices.push_back(std::move(vertex));
  return vertices.size() - 1;
}

std::vector<uint32_t> NodeAssembly::find(VertexKind kind) const {
  std::vector<uint32_t> found;
  for (uint32_t vertex = 0; vertex < vertices.size(); ++vertex) {
    if (vertices[vertex].kind == kind) {
      found.push_back(vertex);
    }
  }
  return found;
}

void NodeAssembly::addArc(uint32_t from, uint32_t to, EdgeKind kind,
                          GigabytesPerSecond bandwidth, unsigned line) {
  auto key = std::tuple(std::min(from, to), std::max(from, to), kind);
  auto [entry, isNew] = edgeIds.try_emplace(key, edges.size());
  if (isNew) {
    Edge edge;
    edge.a = from;
    edge.b = to;
    edge.kind = kind;
    edges.push_back({edge, line});
  }
  Edge &edge = edges[entry->second].edge;
  (edge.a == from ? edge.forward : edge.backward) += bandwidth;
}

void NodeAssembly::connect(uint32_t a, uint32_t b, EdgeKind kind,
                           GigabytesPerSecond bandwidth, unsigned line) {
  addArc(a, b, kind, bandwidth, line);
  addArc(b, a, kind, bandwidth, line);
}

void NodeAssembly::assume(const llvm::Twine &sentence) {
  std::string text = sentence.str();
  if (!llvm::is_contained(assumptions, text)) {
    assumptions.push_back(std::move(text));
  }
}

llvm::Error NodeAssembly::setSpeeds() {
  std::optional<double> gbps =
      options.nicGbps ? options.nicGbps : options.interNodeGbps;
  for (auto [flag, value] :
       {std::pair("--nic-gbps", options.nicGbps),
        std::pair("--inter-node-gbps", options.interNodeGbps)}) {
    if (value && (!std::isfinite(*value) || *value <= 0)) {
      return fail(
          formatv("expected {0} above 0, but got {1}", flag, decimal(*value))
              .str());
    }
  }
  std::vector<uint32_t> nics = find(VertexKind::NIC);
  if (gbps) {
    for (uint32_t nic : nics) {
      vertices[nic].speed = GigabytesPerSecond(*gbps / 8);
    }
    if (!nics.empty()) {
      assume(formatv("every NIC has {0} Gb/s ({1} GB/s), as given",
                     decimal(*gbps), decimal(*gbps / 8)));
    }
    return llvm::Error::success();
  }
  for (uint32_t nic : nics) {
    if (vertices[nic].speed.value() > 0) {
      continue;
    }
    if (options.nodes > 1) {
      return fail(formatv("the file does not say how fast NIC '{0}' is, which "
                          "{1} nodes need: give --nic-gbps=X, in Gb/s",
                          peopleName(vertices[nic]), options.nodes)
                      .str());
    }
    assume("the file does not say how fast NICs are; within one node nothing "
           "needs it");
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<Edge>> NodeAssembly::completeEdges() const {
  std::vector<Edge> complete;
  for (const ListedEdge &listed : edges) {
    const Edge &edge = listed.edge;
    if (edge.backward.value() <= 0) {
      return fail(formatv("expected a link back from '{0}' to '{1}', but the "
                          "file has none",
                          vertices[edge.b].name, vertices[edge.a].name)
                      .str(),
                  listed.line);
    }
    Edge rounded = edge;
    for (auto [sum, part] : {std::pair(&rounded.forward, edge.forward),
                             std::pair(&rounded.backward, edge.backward)}) {
      // 18 links of 40.1 GB/s are 721.8, not 721.8000000000001.
      *sum = GigabytesPerSecond(std::round(part.value() * 1e6) / 1e6);
    }
    complete.push_back(rounded);
  }
  return complete;
}

llvm::Expected<std::vector<Tier>>
NodeAssembly::outerTiers(const LinkGraph &graph) {
  if (options.nodes < 1) {
    return fail(
        formatv("expected --nodes of at least 1, but got {0}", options.nodes)
            .str());
  }
  if (options.nodes == 1) {
    return std::vector<Tier>();
  }
  Tier tier{"net", options.nodes, localBandwidth, classLatency(PathClass::NET)};
  if (graph.nics().empty()) {
    if (!options.interNodeGbps) {
      return fail(formatv("the file has no NICs, which {0} nodes need: give "
                          "--inter-node-gbps=X, what one GPU can send to other "
                          "nodes, in Gb/s",
                          options.nodes)
                      .str());
    }
    tier.bandwidth = GigabytesPerSecond(*options.interNodeGbps / 8);
    assume(formatv(
        "each GPU sends {0} Gb/s ({1} GB/s) to other nodes, as given",
        decimal(*options.interNodeGbps), decimal(tier.bandwidth.value())));
    return std::vector<Tier>{tier};
  }
  for (uint32_t gpu = 0; gpu < graph.gpus().size(); ++gpu) {
    std::optional<uint32_t> port = graph.portOf(gpu);
    if (!port) {
      return fail(formatv("expected a NIC in reach of '{0}', as there are {1} "
                          "nodes",
                          graph.vertices()[graph.gpus()[gpu]].name,
                          options.nodes)
                      .str());
    }
    tier.bandwidth = std::min({tier.bandwidth, graph.ports()[*port].speed,
                               graph.gpuToPort(gpu, *port).bandwidth});
  }
  return std::vector<Tier>{tier};
}

llvm::Expected<Topology> NodeAssembly::finish() {
  if (counts[VertexKind::GPU] == 0) {
    return fail("expected at least one GPU, but got none");
  }
  if (llvm::Error error = setSpeeds()) {
    return std::move(error);
  }
  llvm::Expected<std::vector<Edge>> complete = completeEdges();
  if (!complete) {
    return complete.takeError();
  }
  llvm::Expected<LinkGraph> graph =
      LinkGraph::create(vertices, std::move(*complete));
  if (!graph) {
    return fail(llvm::toString(graph.takeError()));
  }
  llvm::Expected<std::vector<Tier>> outer = outerTiers(*graph);
  if (!outer) {
    return outer.takeError();
  }
  llvm::Expected<Topology> topology = Topology::ofNodes(
      std::make_shared<const LinkGraph>(std::move(*graph)), std::move(*outer));
  if (!topology) {
    return fail(llvm::toString(topology.takeError()));
  }
  assume("latencies are NCCL's for its Simple protocol");
  for (std::string &assumption : assumptions) {
    topology->assume(std::move(assumption));
  }
  return topology;
}
