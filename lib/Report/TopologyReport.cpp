//===- TopologyReport.cpp - What a topology looks like --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/TopologyReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <array>
#include <map>

using namespace moe::report;
using namespace moe::planning;
namespace planning = moe::planning;
using llvm::formatv;

/// More GPUs than this make no matrix that fits a terminal.
static constexpr size_t widestMatrix = 16;

static Cell textOrNothing(llvm::StringRef text) {
  return text.empty() ? Cell() : Cell(text.str());
}

static Cell numaCell(const LinkGraph &graph, uint32_t vertex) {
  std::optional<int64_t> numa = graph.numaNodeOf(vertex);
  return numa ? Cell(static_cast<double>(*numa)) : Cell();
}

static Table tierTable(const Topology &topology) {
  bool hasShapes = llvm::any_of(topology.tiers(), [](const Tier &tier) {
    return tier.shape != TierShape::Switch;
  });
  bool hasShares = llvm::any_of(topology.tiers(), [](const Tier &tier) {
    return tier.devicesPerPort > 1;
  });
  Table table;
  table.name = "tiers";
  table.title = "tiers, outermost first";
  table.columns = {{"tier"},
                   {"joins", ColumnKind::Count},
                   {"bandwidth", ColumnKind::Number, "GB/s", 1},
                   {"latency", ColumnKind::Number, "us", 1}};
  if (hasShares) {
    table.columns.push_back({"shared by", ColumnKind::Count});
  }
  if (hasShapes) {
    table.columns.push_back({"shape"});
  }
  for (const Tier &tier : topology.tiers()) {
    Row row = {tier.name, static_cast<double>(tier.size),
               tier.bandwidth.value(), tier.latency.value()};
    if (hasShares) {
      row.push_back(static_cast<double>(tier.devicesPerPort));
    }
    if (hasShapes) {
      row.push_back(planning::toString(tier.shape).str());
    }
    table.add(std::move(row));
  }
  if (topology.node()) {
    table.notes.push_back(
        "tiers sum up the links: the bandwidth is that of the slowest pair or "
        "the slowest way out of a node");
  }
  return table;
}

/// The NICs of a port: `nic0`, `nic0+nic1`.
static std::string portName(const LinkGraph &graph,
                            std::optional<uint32_t> port) {
  std::string name;
  if (port) {
    for (uint32_t nic : graph.ports()[*port].nics) {
      name +=
          (name.empty() ? "" : "+") + graph.vertices()[graph.nics()[nic]].name;
    }
  }
  return name;
}

static Table gpuTable(const Topology &topology) {
  const LinkGraph &graph = *topology.node();
  Table table;
  table.name = "gpus";
  table.title = "GPUs of a node";
  table.columns = {{"device", ColumnKind::Count},
                   {"GPU"},
                   {"bus id"},
                   {"model"},
                   {"NUMA", ColumnKind::Count},
                   {"NIC"},
                   {"to NIC"},
                   {"out", ColumnKind::Number, "GB/s", 1}};
  bool hasHosts = llvm::any_of(
      graph.vertices(), [](const Vertex &vertex) { return vertex.host != 0; });
  if (hasHosts) {
    table.columns.push_back({"host", ColumnKind::Count});
  }
  for (uint32_t gpu = 0; gpu < graph.gpus().size(); ++gpu) {
    uint32_t id = graph.gpus()[gpu];
    const Vertex &vertex = graph.vertices()[id];
    std::optional<uint32_t> port = graph.portOf(gpu);
    Cell pathClass, out;
    if (port) {
      const LinkGraph::Reach &reach = graph.gpuToPort(gpu, *port);
      double speed = graph.ports()[*port].speed.value();
      double width = reach.bandwidth.value();
      pathClass = planning::toString(reach.pathClass).str();
      out = speed > 0 ? Cell(std::min(speed, width)) : Cell();
    }
    Row row = {static_cast<double>(gpu),
               vertex.name,
               textOrNothing(vertex.busId),
               textOrNothing(vertex.model),
               numaCell(graph, id),
               textOrNothing(portName(graph, port)),
               pathClass,
               out};
    if (hasHosts) {
      row.push_back(static_cast<double>(vertex.host));
    }
    table.add(std::move(row));
  }
  return table;
}

static Table nicTable(const Topology &topology) {
  const LinkGraph &graph = *topology.node();
  Table table;
  table.name = "nics";
  table.title = "NICs of a node";
  table.columns = {{"NIC"},
                   {"bus id"},
                   {"interface"},
                   {"NUMA", ColumnKind::Count},
                   {"speed", ColumnKind::Number, "GB/s", 1},
                   {"GPUs"}};
  for (uint32_t nic = 0; nic < graph.nics().size(); ++nic) {
    uint32_t id = graph.nics()[nic];
    const Vertex &vertex = graph.vertices()[id];
    std::string users;
    for (uint32_t gpu = 0; gpu < graph.gpus().size(); ++gpu) {
      std::optional<uint32_t> port = graph.portOf(gpu);
      if (port && llvm::is_contained(graph.ports()[*port].nics, nic)) {
        users += (users.empty() ? "" : ", ") +
                 graph.vertices()[graph.gpus()[gpu]].name;
      }
    }
    table.add({vertex.name, textOrNothing(vertex.busId),
               textOrNothing(vertex.model), numaCell(graph, id),
               vertex.speed.value() > 0 ? Cell(vertex.speed.value()) : Cell(),
               textOrNothing(users)});
  }
  return table;
}

//===----------------------------------------------------------------------===//
// Paths for people
//===----------------------------------------------------------------------===//

static std::string pathText(const LinkGraph::Reach &reach) {
  return formatv("{0} {1}", planning::toString(reach.pathClass),
                 llvm::format("%.1f", reach.bandwidth.value()));
}

using Classes = std::array<bool, pathClassCount>;

/// A matrix from GPUs to what `columns` names.
static Table matrixTable(
    std::string title, const LinkGraph &graph, llvm::ArrayRef<uint32_t> columns,
    Classes &seen,
    llvm::function_ref<const LinkGraph::Reach *(uint32_t, uint32_t)> reachOf) {
  Table table;
  table.name = "path_matrix";
  table.title = std::move(title);
  table.columns.push_back({"from"});
  for (uint32_t column : columns) {
    const std::string &name = graph.vertices()[column].name;
    table.columns.push_back({name, ColumnKind::Text, "", 0, "to " + name});
  }
  for (uint32_t gpu = 0; gpu < graph.gpus().size(); ++gpu) {
    Row row = {graph.vertices()[graph.gpus()[gpu]].name};
    for (uint32_t column = 0; column < columns.size(); ++column) {
      const LinkGraph::Reach *reach = reachOf(gpu, column);
      row.push_back(reach ? Cell(pathText(*reach)) : Cell());
      if (reach) {
        seen[static_cast<unsigned>(reach->pathClass)] = true;
      }
    }
    table.add(std::move(row));
  }
  return table;
}

/// Which paths there are between GPUs, and how often.
static Table pairTable(const LinkGraph &graph, Classes &seen) {
  struct Kind {
    int64_t count = 0;
    std::string example;
  };
  std::map<std::pair<PathClass, double>, Kind> kinds;
  for (uint32_t a = 0; a < graph.gpus().size(); ++a) {
    for (uint32_t b = 0; b < graph.gpus().size(); ++b) {
      if (a == b) {
        continue;
      }
      const LinkGraph::Reach &reach = graph.betweenGpus(a, b);
      Kind &kind = kinds[{reach.pathClass, reach.bandwidth.value()}];
      if (kind.count++ == 0) {
        kind.example =
            formatv("{0} to {1}", graph.vertices()[graph.gpus()[a]].name,
                    graph.vertices()[graph.gpus()[b]].name);
      }
      seen[static_cast<unsigned>(reach.pathClass)] = true;
    }
  }
  Table table;
  table.name = "path_classes";
  table.title = "paths between GPUs";
  table.columns = {{"class"},
                   {"bandwidth", ColumnKind::Number, "GB/s", 1},
                   {"pairs", ColumnKind::Count},
                   {"such as"}};
  for (const auto &[key, kind] : kinds) {
    table.add({planning::toString(key.first).str(), key.second,
               static_cast<double>(kind.count), kind.example});
  }
  return table;
}

static void addPathsForPeople(const LinkGraph &graph, Report &report) {
  Classes seen = {};
  if (graph.gpus().size() > widestMatrix) {
    report.tables.push_back(pairTable(graph, seen));
  } else if (graph.gpus().size() > 1) {
    report.tables.push_back(matrixTable(
        "between GPUs: path class and GB/s", graph, graph.gpus(), seen,
        [&](uint32_t from, uint32_t to) {
          return from == to ? nullptr : &graph.betweenGpus(from, to);
        }));
  }
  if (graph.gpus().size() <= widestMatrix && !graph.nics().empty() &&
      graph.nics().size() <= widestMatrix) {
    report.tables.push_back(matrixTable(
        "from GPUs to NICs: path class and GB/s", graph, graph.nics(), seen,
        [&](uint32_t from, uint32_t to) { return &graph.gpuToNic(from, to); }));
  }
  for (unsigned index = 0; index < pathClassCount; ++index) {
    PathClass pathClass = static_cast<PathClass>(index);
    if (seen[index]) {
      report.notes.push_back(formatv("{0}: {1}", planning::toString(pathClass),
                                     planning::describe(pathClass)));
    }
  }
}

//===----------------------------------------------------------------------===//
// Paths for scripts
//===----------------------------------------------------------------------===//

static Table pathTable(const LinkGraph &graph) {
  Table table;
  table.name = "paths";
  table.title = "paths";
  table.columns = {{"from"},
                   {"to"},
                   {"class"},
                   {"bandwidth", ColumnKind::Number, "GB/s"},
                   {"over"}};
  auto add = [&](uint32_t from, uint32_t to, const LinkGraph::Reach &reach) {
    std::string way;
    for (ArcId arc : reach.arcs) {
      way += (way.empty() ? "" : " ") +
             graph.vertices()[graph.arcTarget(arc)].name;
    }
    table.add({graph.vertices()[from].name, graph.vertices()[to].name,
               planning::toString(reach.pathClass).str(),
               reach.bandwidth.value(), way});
  };
  for (uint32_t a = 0; a < graph.gpus().size(); ++a) {
    for (uint32_t b = 0; b < graph.gpus().size(); ++b) {
      if (a != b) {
        add(graph.gpus()[a], graph.gpus()[b], graph.betweenGpus(a, b));
      }
    }
    for (uint32_t nic = 0; nic < graph.nics().size(); ++nic) {
      add(graph.gpus()[a], graph.nics()[nic], graph.gpuToNic(a, nic));
      add(graph.nics()[nic], graph.gpus()[a], graph.nicToGpu(nic, a));
    }
  }
  return table;
}

static Table linkTable(const LinkGraph &graph) {
  Table table;
  table.name = "links";
  table.title = "links";
  table.columns = {{"from"},
                   {"to"},
                   {"kind"},
                   {"bandwidth", ColumnKind::Number, "GB/s"},
                   {"back", ColumnKind::Number, "GB/s"}};
  for (const Edge &edge : graph.edges()) {
    table.add({graph.vertices()[edge.a].name, graph.vertices()[edge.b].name,
               planning::toString(edge.kind).str(), edge.forward.value(),
               edge.backward.value()});
  }
  return table;
}

Report moe::report::topologyReport(llvm::StringRef name,
                                   const Topology &topology,
                                   TopologyDetail detail) {
  Report report;
  report.title =
      formatv("topology {0}: {1} devices", name, topology.deviceCount());
  report.tables.push_back(tierTable(topology));
  if (const LinkGraph *graph = topology.node()) {
    report.title += formatv(" on {0} node{1} of {2}", topology.nodeCount(),
                            topology.nodeCount() == 1 ? "" : "s",
                            topology.devicesPerNode());
    report.tables.push_back(gpuTable(topology));
    if (!graph->nics().empty()) {
      report.tables.push_back(nicTable(topology));
    }
    if (detail == TopologyDetail::ForPeople) {
      addPathsForPeople(*graph, report);
    } else {
      report.tables.push_back(pathTable(*graph));
      report.tables.push_back(linkTable(*graph));
    }
  }
  for (llvm::StringRef assumption : topology.assumptions()) {
    report.notes.push_back(("assumed: " + assumption).str());
  }
  return report;
}
