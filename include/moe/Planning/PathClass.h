//===- PathClass.h - What kind of hardware a path crosses -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NCCL's path types (NVIDIA/nccl src/graph/topo.h), best first. A class says
// what the worst part of a path is made of, not how fast it is.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PATHCLASS_H
#define MOE_PLANNING_PATHCLASS_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace moe::planning {

enum class PathClass : uint8_t {
  /// One device.
  LOC,
  /// NVLink (xGMI in AMD's boxes), through NVSwitches or without.
  NVL,
  /// NVLink through another GPU.
  NVB,
  /// A coherent link between a GPU and its CPU.
  C2C,
  /// At most one PCIe switch.
  PIX,
  /// Several PCIe switches, no host bridge.
  PXB,
  /// From a GPU over C2C to its CPU, and over PCIe to a NIC.
  P2C,
  /// To a NIC through another GPU, over NVLink and PCIe switches.
  PXN,
  /// Through the host bridge of a CPU.
  PHB,
  /// Between CPUs or NUMA domains.
  SYS,
  /// Over the network.
  NET,
  /// No path.
  DIS,
};

inline constexpr unsigned pathClassCount = 12;

/// `NVL`, as NCCL prints it.
llvm::StringRef toString(PathClass pathClass);
/// What the class means, for legends.
llvm::StringRef describe(PathClass pathClass);
std::optional<PathClass> parsePathClass(llvm::StringRef name);

} // namespace moe::planning

#endif // MOE_PLANNING_PATHCLASS_H
