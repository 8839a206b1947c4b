//===- CostConstants.h - Every constant of the cost model -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One table. Reports print the constants that a figure rests on, with unit and
// source, and label those that nobody has set for the machine at hand.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_COSTCONSTANTS_H
#define MOE_PLANNING_COSTCONSTANTS_H

#include "moe/Planning/Accelerator.h"

namespace moe::planning {

/// Of the constant `device_memory`, which people state in GiB.
inline constexpr double bytesPerGiB = 1073741824.0;

enum class ConstantId {
  /// Bandwidth and latency of the only tier where no topology is given.
  DefaultTierBandwidth,
  DefaultTierLatency,
  /// Time that each message of a device adds beyond its bytes.
  MessageOverhead,
  /// Time of a host waiting for a number that a device computes.
  HostSynchronization,
  /// Peak rate of a device in the model's dtype.
  DeviceCompute,
  /// The part of the peak that grouped matmuls reach, from 0 to 1.
  ComputeEfficiency,
  /// Rate at which a device reads or writes its own memory.
  MemoryBandwidth,
  /// Memory of a device, and the part of it that a program can use.
  DeviceMemory,
  UsableMemory,
  /// Part of a fitted ramp; see Accelerator.
  AllToAllRamp,
};

/// Where a value comes from, as reports label it.
enum class ConstantBasis {
  /// Of the default machine, since nobody has named another.
  Default,
  /// Nobody has measured it for us.
  Assumed,
  /// From the data sheet of the accelerator that was named.
  Published,
  /// Fitted to measurements on the accelerator that was named.
  Calibrated,
  /// Set by the user.
  User
};

/// `default`, `assumed`, `published`, `calibrated`, `user`
llvm::StringRef toString(ConstantBasis basis);

struct CostConstant {
  ConstantId id;
  /// As reports print it, and as a user sets it.
  std::string name;
  double value = 0;
  std::string unit;
  std::string source;
  ConstantBasis basis = ConstantBasis::Default;
};

class CostConstants {
public:
  /// The defaults: an H100 SXM, see the table's sources.
  CostConstants();

  /// Those of a product. Fails, listing the known ones, on another.
  static llvm::Expected<CostConstants> forAccelerator(llvm::StringRef name);

  double operator[](ConstantId id) const;

  /// The product that the constants are for; null by default.
  const Accelerator *accelerator() const { return product; }

  /// What exchanges inside a node are costed with, in one sentence: the fitted
  /// table, or NCCL's link constants.
  std::string exchangeBasis() const;

  /// Sets a constant by its name. Fails on an unknown name, which lists those
  /// that are known, and on a value that is not finite and above 0.
  llvm::Error set(llvm::StringRef name, double value, llvm::StringRef source);

  /// All of them; for a product whose all-to-alls were measured also latency,
  /// ramp and bandwidth for each size of group.
  std::vector<CostConstant> all() const;

private:
  CostConstant &find(ConstantId id);

  std::vector<CostConstant> table;
  const Accelerator *product = nullptr;
};

} // namespace moe::planning

#endif // MOE_PLANNING_COSTCONSTANTS_H
