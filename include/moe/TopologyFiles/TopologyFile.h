//===- TopologyFile.h - Clusters from and to files --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads what describes a machine or a cluster:
//
//   - NCCL's topology XML (NCCL_TOPO_DUMP_FILE, NCCL_TOPO_FILE) and RCCL's
//     dialect of it: a link graph;
//   - the text of `nvidia-smi topo -m`: classes of paths, from which a link
//     graph is made that has them;
//   - ASTRA-sim's network yml (analytical backend): tiers;
//   - `comm.topology`, as moe-translate writes it, from the text of any module.
//
// What a file does not hold is asked for by an error, or assumed and said:
// Topology::assumptions has a sentence for each. Errors are FileErrors.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TOPOLOGYFILES_TOPOLOGYFILE_H
#define MOE_TOPOLOGYFILES_TOPOLOGYFILE_H

#include "moe/Formats/FileError.h"
#include "moe/Planning/Topology.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace moe::topology {

using formats::FileError;
using formats::fileError;
using formats::FilePlace;

/// What a user adds to a file. Errors name these as flags: `--nic-gbps`.
struct TopologyOptions {
  /// A product, such as H100, or `sm_90`; empty where the file should say.
  std::string gpu;
  /// Copies of what the file describes.
  int64_t nodes = 1;
  /// The speed of each NIC, in Gb/s.
  std::optional<double> nicGbps;
  /// The same, and where the file has no NICs, what one GPU can send to other
  /// nodes.
  std::optional<double> interNodeGbps;

  bool isDefault() const {
    return gpu.empty() && nodes == 1 && !nicGbps && !interNodeGbps;
  }
};

/// What the readers of files say that describe all of a cluster, where there
/// are options nevertheless.
llvm::Error expectNoOptions(std::string file);

enum class TopologyFormat { NcclXml, NvidiaSmiTopo, AstraSim, CommTopology };

/// Tells the format by the content alone. Fails when it is none.
llvm::Expected<TopologyFormat> detectFormat(llvm::MemoryBufferRef file);

/// Reads a file of any format.
llvm::Expected<planning::Topology> readTopology(llvm::MemoryBufferRef file,
                                                const TopologyOptions &options);
/// The same, by the file's name; `-` is the standard input.
llvm::Expected<planning::Topology>
readTopologyFile(llvm::StringRef path, const TopologyOptions &options);

llvm::Expected<planning::Topology> readNcclXml(llvm::MemoryBufferRef file,
                                               const TopologyOptions &options);
llvm::Expected<planning::Topology>
readNvidiaSmiTopo(llvm::MemoryBufferRef file, const TopologyOptions &options);
/// Both fail when there are options.
llvm::Expected<planning::Topology> readAstraSim(llvm::MemoryBufferRef file,
                                                const TopologyOptions &options);
llvm::Expected<planning::Topology>
readCommTopology(llvm::MemoryBufferRef file, const TopologyOptions &options);

/// ASTRA-sim's yml. A link graph becomes the tiers that sum it up, which
/// comments in the file say.
std::string writeAstraSim(const planning::Topology &topology);

} // namespace moe::topology

#endif // MOE_TOPOLOGYFILES_TOPOLOGYFILE_H
