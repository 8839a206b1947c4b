//===- Accelerator.h - What is known of GPU products ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One table: rates and memory from data sheets, link bandwidths from NCCL's
// constants, and, for the products whose all-to-alls have been measured, the
// ramps fitted to those measurements. `benchmarks/cost` makes the ramps and
// checks them on rows that it held out.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_ACCELERATOR_H
#define MOE_PLANNING_ACCELERATOR_H

#include "moe/Planning/MessageRamp.h"
#include <array>

namespace moe::planning {

/// Sizes of the groups whose all-to-alls were measured.
inline constexpr std::array<int64_t, 3> rampGroupSizes = {2, 4, 8};

/// One ramp for each of rampGroupSizes.
using GroupRamps = std::array<MessageRamp, rampGroupSizes.size()>;

struct Accelerator {
  std::string name;
  /// Dense products in bf16, peak.
  TeraflopsPerSecond compute;
  GigabytesPerSecond memoryBandwidth;
  Bytes memory;
  /// All links to other devices of the node together, one direction; 0 where
  /// they are those of the PCI bus.
  GigabytesPerSecond linkBandwidth;
  /// What the measured table calls the product; empty where it was not
  /// measured, and `ramps` means nothing then.
  std::string platform;
  GroupRamps ramps;

  bool isMeasured() const { return !platform.empty(); }
};

/// All products that are known.
llvm::ArrayRef<Accelerator> accelerators();

/// The product that a name means: `H100`, `h100_sxm`, `NVIDIA H100 80GB HBM3`.
/// Null if none of its words is known.
const Accelerator *findAccelerator(llvm::StringRef name);

/// `A100, A800, …`, for errors.
std::string knownAccelerators();

} // namespace moe::planning

#endif // MOE_PLANNING_ACCELERATOR_H
