// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Topologies as attributes, and back; a part of Analysis/PlanAttributes.h.

#include "moe/Analysis/PlanAttributes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

// The enumerations name the same things in the same order.
template <typename To, typename From> static To convertEnum(From kind) {
  return static_cast<To>(static_cast<uint32_t>(kind));
}

static planning::GigabytesPerSecond toRate(FloatAttr attr) {
  return planning::GigabytesPerSecond(attr ? attr.getValueAsDouble() : 0);
}

static planning::Tier toPlanning(comm::TierAttr tier) {
  return {
      tier.getName().str(),
      tier.getSize(),
      toRate(tier.getGigabytesPerSecond()),
      planning::Microseconds(tier.getLatencyMicroseconds().getValueAsDouble()),
      tier.getSharedBy(),
      convertEnum<planning::TierShape>(tier.getShape())};
}

static planning::Vertex toPlanning(comm::VertexAttr attr) {
  planning::Vertex vertex;
  vertex.kind = convertEnum<planning::VertexKind>(attr.getKind());
  vertex.name = attr.getName().str();
  vertex.busId = attr.getBus() ? attr.getBus().str() : "";
  vertex.model = attr.getModel() ? attr.getModel().str() : "";
  if (attr.getNuma()) {
    vertex.numaNode = attr.getNuma().getInt();
  }
  vertex.host = attr.getHost();
  vertex.hasDirectAccess = !attr.getIndirect();
  vertex.speed = toRate(attr.getGigabytesPerSecond());
  return vertex;
}

/// The graph of a topology that has a node. The operation's verifier has seen
/// that its links join its vertices.
static llvm::Expected<planning::LinkGraph> toGraph(comm::TopologyOp topology) {
  std::vector<planning::Vertex> vertices;
  llvm::StringMap<uint32_t> numbers;
  for (auto vertex : topology.getNodeAttr().getAsRange<comm::VertexAttr>()) {
    numbers[vertex.getName().getValue()] = vertices.size();
    vertices.push_back(toPlanning(vertex));
  }
  std::vector<planning::Edge> edges;
  for (auto link : topology.getLinksAttr().getAsRange<comm::LinkAttr>()) {
    edges.push_back({numbers.lookup(link.getFrom().getValue()),
                     numbers.lookup(link.getTo().getValue()),
                     convertEnum<planning::EdgeKind>(link.getKind()),
                     toRate(link.getGigabytesPerSecond()),
                     toRate(link.getBackGigabytesPerSecond())});
  }
  return planning::LinkGraph::create(std::move(vertices), std::move(edges));
}

llvm::Expected<planning::Topology>
mlir::moe::toPlanning(comm::TopologyOp topology) {
  std::vector<planning::Tier> tiers;
  for (auto tier : topology.getTiers().getAsRange<comm::TierAttr>()) {
    tiers.push_back(::toPlanning(tier));
  }
  std::shared_ptr<const planning::LinkGraph> graph;
  if (topology.getNodeAttr()) {
    llvm::Expected<planning::LinkGraph> made = toGraph(topology);
    if (!made) {
      return made.takeError();
    }
    graph = std::make_shared<const planning::LinkGraph>(std::move(*made));
  }
  llvm::Expected<planning::Topology> result =
      planning::Topology::create(std::move(tiers), std::move(graph));
  if (result && topology.getAssumedAttr()) {
    for (auto sentence : topology.getAssumedAttr().getAsRange<StringAttr>()) {
      result->assume(sentence.str());
    }
  }
  return result;
}

static comm::TierAttr toAttribute(Builder &builder,
                                  const planning::Tier &tier) {
  return comm::TierAttr::get(
      builder.getContext(), builder.getStringAttr(tier.name), tier.size,
      builder.getF64FloatAttr(tier.bandwidth.value()),
      builder.getF64FloatAttr(tier.latency.value()), tier.devicesPerPort,
      convertEnum<comm::TierShape>(tier.shape));
}

static comm::VertexAttr toAttribute(Builder &builder,
                                    const planning::Vertex &vertex) {
  auto text = [&](const std::string &value) {
    return value.empty() ? StringAttr() : builder.getStringAttr(value);
  };
  return comm::VertexAttr::get(
      builder.getContext(), builder.getStringAttr(vertex.name),
      convertEnum<comm::VertexKind>(vertex.kind), text(vertex.busId),
      text(vertex.model),
      vertex.numaNode ? builder.getI64IntegerAttr(*vertex.numaNode)
                      : IntegerAttr(),
      vertex.host,
      vertex.speed.value() > 0 ? builder.getF64FloatAttr(vertex.speed.value())
                               : FloatAttr(),
      !vertex.hasDirectAccess);
}

comm::TopologyOp mlir::moe::createTopology(OpBuilder &builder,
                                           Location location, StringRef name,
                                           const planning::Topology &topology) {
  SmallVector<Attribute> tiers;
  for (const planning::Tier &tier : topology.tiers()) {
    tiers.push_back(::toAttribute(builder, tier));
  }
  ArrayAttr node, links, assumed;
  if (const planning::LinkGraph *graph = topology.node()) {
    SmallVector<Attribute> vertexAttrs, linkAttrs;
    for (const planning::Vertex &vertex : graph->vertices()) {
      vertexAttrs.push_back(::toAttribute(builder, vertex));
    }
    for (const planning::Edge &edge : graph->edges()) {
      linkAttrs.push_back(comm::LinkAttr::get(
          builder.getContext(),
          builder.getStringAttr(graph->vertices()[edge.a].name),
          builder.getStringAttr(graph->vertices()[edge.b].name),
          convertEnum<comm::LinkKind>(edge.kind),
          builder.getF64FloatAttr(edge.forward.value()),
          builder.getF64FloatAttr(edge.backward.value())));
    }
    node = builder.getArrayAttr(vertexAttrs);
    links = builder.getArrayAttr(linkAttrs);
  }
  if (!topology.assumptions().empty()) {
    SmallVector<StringRef> sentences(topology.assumptions().begin(),
                                     topology.assumptions().end());
    assumed = builder.getStrArrayAttr(sentences);
  }
  return comm::TopologyOp::create(builder, location, name,
                                  builder.getArrayAttr(tiers), node, links,
                                  assumed);
}
