//===- TestSupport.h - Reading files in tests -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_TOPOLOGYFILES_TESTSUPPORT_H
#define MOE_TEST_UNIT_TOPOLOGYFILES_TESTSUPPORT_H

#include "moe/TopologyFiles/TopologyFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <gtest/gtest.h>

namespace moe::topology::test {

/// The message of a failure; empty for success.
template <typename T> std::string message(llvm::Expected<T> result) {
  return result ? "" : llvm::toString(result.takeError());
}

/// Reads text as the file `name`, of whatever format it has.
inline llvm::Expected<planning::Topology>
readText(llvm::StringRef text, const TopologyOptions &options = {},
         llvm::StringRef name = "topo") {
  return readTopology(llvm::MemoryBufferRef(text, name), options);
}

/// Reads a file of test/Inputs/topo.
inline llvm::Expected<planning::Topology>
readInput(llvm::StringRef name, const TopologyOptions &options = {}) {
  return readTopologyFile((llvm::StringRef(MOE_TEST_INPUTS) + "/" + name).str(),
                          options);
}

/// The message without the folder that the inputs are in.
inline std::string inputMessage(llvm::StringRef name,
                                const TopologyOptions &options = {}) {
  std::string text = message(readInput(name, options));
  std::string folder = std::string(MOE_TEST_INPUTS) + "/";
  size_t at = text.find(folder);
  return at == std::string::npos ? text : text.erase(at, folder.size());
}

inline TopologyOptions ofGpu(llvm::StringRef gpu) {
  TopologyOptions options;
  options.gpu = gpu.str();
  return options;
}

/// `NVL 240 NVL 240 SYS 16` from one GPU to the others.
inline std::string gpuRow(const planning::Topology &topology, uint32_t gpu) {
  std::string text;
  const planning::LinkGraph &graph = *topology.node();
  for (uint32_t other = 0; other < graph.gpus().size(); ++other) {
    if (other != gpu) {
      const planning::LinkGraph::Reach &reach = graph.betweenGpus(gpu, other);
      text += llvm::formatv("{0}{1} {2}", text.empty() ? "" : " ",
                            planning::toString(reach.pathClass),
                            llvm::format("%g", reach.bandwidth.value()));
    }
  }
  return text;
}

/// The same to the NICs.
inline std::string nicRow(const planning::Topology &topology, uint32_t gpu) {
  std::string text;
  const planning::LinkGraph &graph = *topology.node();
  for (uint32_t nic = 0; nic < graph.nics().size(); ++nic) {
    const planning::LinkGraph::Reach &reach = graph.gpuToNic(gpu, nic);
    text += llvm::formatv("{0}{1} {2}", text.empty() ? "" : " ",
                          planning::toString(reach.pathClass),
                          llvm::format("%g", reach.bandwidth.value()));
  }
  return text;
}

/// Which of the NICs each GPU's port has: `0 0 1 1`, `0+1 2+3`.
inline std::string portList(const planning::Topology &topology) {
  std::string text;
  const planning::LinkGraph &graph = *topology.node();
  for (uint32_t gpu = 0; gpu < graph.gpus().size(); ++gpu) {
    text += text.empty() ? "" : " ";
    std::string nics;
    if (std::optional<uint32_t> port = graph.portOf(gpu)) {
      for (uint32_t nic : graph.ports()[*port].nics) {
        nics += (nics.empty() ? "" : "+") + std::to_string(nic);
      }
    }
    text += nics.empty() ? "-" : nics;
  }
  return text;
}

/// Whether an assumption says so.
inline bool assumes(const planning::Topology &topology, llvm::StringRef what) {
  for (const std::string &assumption : topology.assumptions()) {
    if (llvm::StringRef(assumption).contains(what)) {
      return true;
    }
  }
  return false;
}

} // namespace moe::topology::test

#endif // MOE_TEST_UNIT_TOPOLOGYFILES_TESTSUPPORT_H
