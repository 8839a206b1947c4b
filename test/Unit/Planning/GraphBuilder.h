//===- GraphBuilder.h - Small link graphs for tests -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_PLANNING_GRAPHBUILDER_H
#define MOE_TEST_UNIT_PLANNING_GRAPHBUILDER_H

#include "moe/Planning/Topology.h"

namespace moe::planning::test {

/// Collects vertices and links by name.
class GraphBuilder {
public:
  uint32_t add(VertexKind kind, llvm::StringRef name) {
    vertices.push_back({kind, name.str()});
    return vertices.size() - 1;
  }
  uint32_t gpu(llvm::StringRef name) { return add(VertexKind::GPU, name); }
  uint32_t cpu(llvm::StringRef name) { return add(VertexKind::CPU, name); }
  uint32_t pcieSwitch(llvm::StringRef name) {
    return add(VertexKind::PCIeSwitch, name);
  }
  uint32_t nic(llvm::StringRef name, double speed) {
    uint32_t vertex = add(VertexKind::NIC, name);
    vertices[vertex].speed = GigabytesPerSecond(speed);
    return vertex;
  }
  void link(uint32_t a, uint32_t b, EdgeKind kind, double bandwidth) {
    edges.push_back({a, b, kind, GigabytesPerSecond(bandwidth),
                     GigabytesPerSecond(bandwidth)});
  }
  llvm::Expected<LinkGraph> tryBuild() const {
    return LinkGraph::create(vertices, edges);
  }
  std::shared_ptr<const LinkGraph> build() const {
    return std::make_shared<const LinkGraph>(llvm::cantFail(tryBuild()));
  }

  std::vector<Vertex> vertices;
  std::vector<Edge> edges;
};

/// Four GPUs on two CPUs, each with a NIC beside it on a PCIe switch; NVLink
/// within pairs `pairs[i]`, of 80 GB/s.
inline GraphBuilder
fourGpus(const std::vector<std::pair<uint32_t, uint32_t>> &pairs) {
  GraphBuilder builder;
  std::vector<uint32_t> gpus, cpus;
  for (int index = 0; index < 4; ++index) {
    gpus.push_back(builder.gpu("gpu" + std::to_string(index)));
  }
  for (int index = 0; index < 2; ++index) {
    cpus.push_back(builder.cpu("cpu" + std::to_string(index)));
    builder.vertices.back().numaNode = index;
  }
  for (int index = 0; index < 4; ++index) {
    std::string number = std::to_string(index);
    uint32_t pci = builder.pcieSwitch("pci" + number);
    uint32_t nic = builder.nic("nic" + number, 25);
    builder.link(pci, cpus[index / 2], EdgeKind::PCIe, 24);
    builder.link(gpus[index], pci, EdgeKind::PCIe, 24);
    builder.link(nic, pci, EdgeKind::PCIe, 24);
  }
  builder.link(cpus[0], cpus[1], EdgeKind::Socket, 10);
  for (auto [a, b] : pairs) {
    builder.link(gpus[a], gpus[b], EdgeKind::NVLink, 80);
  }
  return builder;
}

} // namespace moe::planning::test

#endif // MOE_TEST_UNIT_PLANNING_GRAPHBUILDER_H
