//===- GpuProduct.h - What is known of GPUs by name -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_GPUPRODUCT_H
#define MOE_LIB_TOPOLOGYFILES_GPUPRODUCT_H

#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace moe::topology {

/// How the NVLinks of a product are wired in the boards that it is sold in.
enum class NvlinkWiring {
  None,
  /// Bridges between pairs, or a mesh that only a full dump tells.
  Unknown,
  /// To the NVSwitches of a board of eight; directly among four.
  Board
};

struct GpuProduct {
  std::string name;
  /// Compute capability; 0 for AMD.
  int64_t sm = 0;
  /// AMD's architecture, such as gfx90a.
  std::string gcn = {};
  /// NVLinks (xGMI links) that a GPU has.
  int64_t links = 0;
  NvlinkWiring wiring = NvlinkWiring::None;
  /// Generation of its 16 PCIe lanes.
  int64_t pcieGeneration = 4;

  planning::GigabytesPerSecond linkBandwidth() const;
  planning::GigabytesPerSecond pcieBandwidth() const;
};

/// By a name such as `H100`, `NVIDIA H100 80GB HBM3` or `sm_90`. The error
/// lists the names that are known.
llvm::Expected<GpuProduct> findGpuProduct(llvm::StringRef name);

/// By the PCI ids of vendor and device, such as 0x10de and 0x2330.
std::optional<GpuProduct> findGpuProduct(llvm::StringRef vendor,
                                         llvm::StringRef device);

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_GPUPRODUCT_H
