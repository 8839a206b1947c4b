//===- TopologyDrawing.cpp - The inside of a node as a drawing ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PCIe is a tree, so GPUs and NICs stand side by side in its order, switches
// above what hangs on them and CPUs on top. NVLinks join GPUs from below.
//
//===----------------------------------------------------------------------===//

#include "moe/Report/TopologyReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::report;
using namespace moe::planning;
namespace planning = moe::planning;
using llvm::formatv;

static llvm::StringRef fillOf(VertexKind kind) {
  switch (kind) {
  case VertexKind::GPU:
    return "#b7e1a1";
  case VertexKind::CPU:
    return "#c9d8f0";
  case VertexKind::PCIeSwitch:
    return "#eeeeee";
  case VertexKind::NVSwitch:
    return "#8fce6b";
  case VertexKind::Adapter:
  case VertexKind::NIC:
    return "#fbe0a6";
  }
  return "#ffffff";
}

static llvm::StringRef colorOf(EdgeKind kind) {
  switch (kind) {
  case EdgeKind::Local:
    return "#aaaaaa";
  case EdgeKind::NVLink:
    return "#3f8f1f";
  case EdgeKind::C2C:
    return "#8a3ab9";
  case EdgeKind::PCIe:
    return "#666666";
  case EdgeKind::Socket:
    return "#2f5fb3";
  }
  return "#000000";
}

static std::string rateText(GigabytesPerSecond rate) {
  return formatv("{0}", llvm::format("%.4g", rate.value()));
}

namespace {
class NodeDrawing {
public:
  explicit NodeDrawing(const LinkGraph &graph)
      : graph(graph), children(graph.vertices().size()),
        depths(graph.vertices().size()), isPlaced(graph.vertices().size()),
        neighbours(graph.vertices().size()) {}

  void draw(Drawing &result);

private:
  void growTrees();
  double place(uint32_t vertex);
  void placeNvSwitches();
  void addBoxes(Drawing &result) const;
  void addLines(Drawing &result) const;
  double rowOf(uint32_t vertex) const;

  const LinkGraph &graph;
  std::vector<std::vector<uint32_t>> children;
  /// Rows from the top; leaves share the last one.
  std::vector<unsigned> depths;
  std::vector<bool> isPlaced;
  /// What PCIe and the like join each vertex with.
  std::vector<std::vector<uint32_t>> neighbours;
  std::vector<uint32_t> roots;
  std::vector<double> columns;
  std::vector<double> widths;
  double nextColumn = 0;
  unsigned leafRow = 1;
};
} // namespace

static bool isTreeLink(EdgeKind kind) {
  return kind == EdgeKind::PCIe || kind == EdgeKind::Local ||
         kind == EdgeKind::C2C;
}

/// Everything hangs below the first CPU that reaches it; what none reaches is a
/// root itself.
void NodeDrawing::growTrees() {
  for (const Edge &edge : graph.edges()) {
    if (isTreeLink(edge.kind)) {
      neighbours[edge.a].push_back(edge.b);
      neighbours[edge.b].push_back(edge.a);
    }
  }
  auto kindOf = [&](uint32_t vertex) { return graph.vertices()[vertex].kind; };
  for (bool cpusOnly : {true, false}) {
    for (uint32_t root = 0; root < graph.vertices().size(); ++root) {
      bool isRoot = kindOf(root) == VertexKind::CPU ||
                    (!cpusOnly && kindOf(root) != VertexKind::NVSwitch);
      if (!isRoot || isPlaced[root]) {
        continue;
      }
      roots.push_back(root);
      isPlaced[root] = true;
      std::vector<uint32_t> queue = {root};
      for (size_t next = 0; next < queue.size(); ++next) {
        uint32_t vertex = queue[next];
        for (uint32_t child : neighbours[vertex]) {
          if (!isPlaced[child] && kindOf(child) != VertexKind::CPU) {
            isPlaced[child] = true;
            depths[child] = depths[vertex] + 1;
            leafRow = std::max(leafRow, depths[child]);
            children[vertex].push_back(child);
            queue.push_back(child);
          }
        }
      }
    }
  }
}

/// Gives a vertex and what hangs on it their columns, and returns its own.
double NodeDrawing::place(uint32_t vertex) {
  if (children[vertex].empty()) {
    columns[vertex] = nextColumn++;
    return columns[vertex];
  }
  double first = nextColumn;
  for (uint32_t child : children[vertex]) {
    place(child);
  }
  columns[vertex] = (first + nextColumn - 1) / 2;
  return columns[vertex];
}

void NodeDrawing::placeNvSwitches() {
  for (uint32_t vertex = 0; vertex < graph.vertices().size(); ++vertex) {
    if (graph.vertices()[vertex].kind == VertexKind::NVSwitch) {
      columns[vertex] = std::max(0.0, (nextColumn - 1) / 2);
      widths[vertex] = std::max(1.0, nextColumn);
    }
  }
}

double NodeDrawing::rowOf(uint32_t vertex) const {
  switch (graph.vertices()[vertex].kind) {
  case VertexKind::GPU:
  case VertexKind::NIC:
    return leafRow;
  case VertexKind::NVSwitch:
    return leafRow + 1.2;
  default:
    return depths[vertex];
  }
}

void NodeDrawing::addBoxes(Drawing &result) const {
  for (uint32_t index = 0; index < graph.vertices().size(); ++index) {
    const Vertex &vertex = graph.vertices()[index];
    Box box{vertex.name,    {vertex.name}, fillOf(vertex.kind).str(),
            columns[index], rowOf(index),  widths[index]};
    if (!vertex.model.empty()) {
      box.lines.push_back(vertex.model);
    }
    if (!vertex.busId.empty()) {
      box.lines.push_back(vertex.busId);
    }
    if (vertex.kind == VertexKind::CPU && vertex.numaNode) {
      box.lines.push_back(formatv("NUMA {0}", *vertex.numaNode));
    }
    if (vertex.speed.value() > 0) {
      box.lines.push_back(rateText(vertex.speed) + " GB/s");
    }
    result.boxes.push_back(std::move(box));
  }
}

void NodeDrawing::addLines(Drawing &result) const {
  for (const Edge &edge : graph.edges()) {
    std::string label =
        edge.kind == EdgeKind::Local ? "" : rateText(edge.forward);
    if (edge.backward != edge.forward) {
      label += " / " + rateText(edge.backward);
    }
    result.lines.push_back({edge.a, edge.b, label, colorOf(edge.kind).str(),
                            edge.kind == EdgeKind::NVLink});
  }
}

void NodeDrawing::draw(Drawing &result) {
  columns.resize(graph.vertices().size());
  widths.resize(graph.vertices().size(), 1);
  growTrees();
  for (uint32_t root : roots) {
    place(root);
  }
  placeNvSwitches();
  addBoxes(result);
  addLines(result);
  for (EdgeKind kind :
       {EdgeKind::NVLink, EdgeKind::PCIe, EdgeKind::C2C, EdgeKind::Socket}) {
    if (llvm::any_of(graph.edges(),
                     [&](const Edge &edge) { return edge.kind == kind; })) {
      result.legend.emplace_back(colorOf(kind).str(),
                                 (planning::toString(kind) + ", GB/s").str());
    }
  }
}

/// The tiers as boxes in one another's row, where no graph is known.
static void drawTiers(const Topology &topology, Drawing &result) {
  for (unsigned index = 0; index < topology.tierCount(); ++index) {
    const Tier &tier = topology.tier(index);
    result.boxes.push_back(
        {tier.name,
         {formatv("{0}: {1} parts", tier.name, tier.size).str(),
          formatv("{0} GB/s, {1} us", rateText(tier.bandwidth),
                  llvm::format("%.4g", tier.latency.value()))
              .str()},
         "#c9d8f0",
         0.5,
         static_cast<double>(index),
         2});
    if (index > 0) {
      result.lines.push_back({index - 1, index, "", "#666666"});
    }
  }
}

Drawing moe::report::topologyDrawing(llvm::StringRef name,
                                     const Topology &topology) {
  Drawing result;
  result.title = formatv("{0}: {1} devices", name, topology.deviceCount());
  if (const LinkGraph *graph = topology.node()) {
    if (topology.nodeCount() > 1) {
      result.title += formatv(", one of {0} nodes", topology.nodeCount());
    }
    result.title += " (" + topology.toString() + ")";
    NodeDrawing(*graph).draw(result);
  } else {
    drawTiers(topology, result);
  }
  return result;
}
