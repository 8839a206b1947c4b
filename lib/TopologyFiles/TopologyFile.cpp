//===- TopologyFile.cpp - Clusters from files of any format ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/TopologyFiles/TopologyFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::topology;

llvm::Error moe::topology::expectNoOptions(std::string file) {
  return fileError({std::move(file)},
                   "expected no options of machines (--gpu, --nodes, "
                   "--nic-gbps, --inter-node-gbps): the file describes all of "
                   "the cluster");
}

/// Whether a line names the GPUs of a matrix.
static bool isMatrixHeader(llvm::StringRef line) {
  size_t at = line.find("GPU0");
  return at != llvm::StringRef::npos &&
         llvm::none_of(line.take_front(at), llvm::isAlnum);
}

/// Whether a line is one of ASTRA-sim's keys.
static bool isAstraKey(llvm::StringRef line) {
  auto [key, rest] = line.split(':');
  static constexpr llvm::StringRef keys[] = {"topology", "npus_count",
                                             "bandwidth", "latency"};
  return key.size() < line.size() && llvm::is_contained(keys, key.trim());
}

llvm::Expected<TopologyFormat>
moe::topology::detectFormat(llvm::MemoryBufferRef file) {
  llvm::StringRef text = file.getBuffer();
  text.consume_front("\xef\xbb\xbf");
  if (text.ltrim().starts_with("<") || text.starts_with("\xff\xfe") ||
      text.starts_with("\xfe\xff")) {
    return TopologyFormat::NcclXml;
  }
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    llvm::StringRef trimmed = line.ltrim();
    if (trimmed.starts_with("comm.topology") || trimmed.starts_with("module")) {
      return TopologyFormat::CommTopology;
    }
    if (isMatrixHeader(line)) {
      return TopologyFormat::NvidiaSmiTopo;
    }
    if (isAstraKey(line)) {
      return TopologyFormat::AstraSim;
    }
    text = rest;
  }
  return fileError({file.getBufferIdentifier().str()},
                   "expected a topology: NCCL's XML, the table of `nvidia-smi "
                   "topo -m`, ASTRA-sim's yml, or a module with a "
                   "comm.topology");
}

llvm::Expected<moe::planning::Topology>
moe::topology::readTopology(llvm::MemoryBufferRef file,
                            const TopologyOptions &options) {
  llvm::Expected<TopologyFormat> format = detectFormat(file);
  if (!format) {
    return format.takeError();
  }
  switch (*format) {
  case TopologyFormat::NcclXml:
    return readNcclXml(file, options);
  case TopologyFormat::NvidiaSmiTopo:
    return readNvidiaSmiTopo(file, options);
  case TopologyFormat::AstraSim:
    return readAstraSim(file, options);
  case TopologyFormat::CommTopology:
    return readCommTopology(file, options);
  }
  llvm_unreachable("unknown format");
}

llvm::Expected<moe::planning::Topology>
moe::topology::readTopologyFile(llvm::StringRef path,
                                const TopologyOptions &options) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file) {
    return fileError({path.str()}, file.getError().message());
  }
  return readTopology((*file)->getMemBufferRef(), options);
}
