//===- LinkConstants.h - Bandwidths and latencies of link types -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What files about machines leave to the reader: how fast a link of a kind is.
// The figures are those that NCCL and RCCL search with; each has its source.
// They are per direction.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_LINKCONSTANTS_H
#define MOE_PLANNING_LINKCONSTANTS_H

#include "moe/Planning/PathClass.h"
#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"

namespace moe::planning {

/// A row of the table, as reports print it.
struct LinkConstant {
  llvm::StringRef name;
  double value;
  llvm::StringRef unit;
  llvm::StringRef source;
};

llvm::ArrayRef<LinkConstant> linkConstants();

/// What NCCL gives links that never bound a path, such as a device to itself.
inline constexpr GigabytesPerSecond localBandwidth(5000);

/// One NVLink of a GPU of compute capability `sm` (80, 90, …).
GigabytesPerSecond nvlinkBandwidth(int64_t sm);

/// One xGMI link of an AMD GPU, by its architecture as RCCL writes it: `910`,
/// `gfx90a`, `gfx942`.
GigabytesPerSecond xgmiBandwidth(llvm::StringRef gcn);

/// A PCIe link, by the text that Linux gives its speed: `16.0 GT/s PCIe`. A
/// speed that NCCL does not know counts as 8 GT/s, a width of 0 as 16.
GigabytesPerSecond pcieBandwidth(llvm::StringRef speed, int64_t width);
/// Whether NCCL knows the text of a speed.
bool isKnownPcieSpeed(llvm::StringRef speed);

/// What a CPU is, as far as the link to its neighbours goes.
struct CpuModel {
  /// `x86_64`, `arm64`, `ppc64`
  llvm::StringRef architecture;
  /// `GenuineIntel`, `AuthenticAMD`, …; of x86 only.
  llvm::StringRef vendor;
  int64_t family = 0;
  int64_t model = 0;
};

/// Between the CPUs (NUMA domains) of one machine.
GigabytesPerSecond socketBandwidth(const CpuModel &cpu);

/// The time that a message of NCCL's Simple protocol takes on a path of a
/// class, its bytes apart.
Microseconds classLatency(PathClass pathClass);

} // namespace moe::planning

#endif // MOE_PLANNING_LINKCONSTANTS_H
