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

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace moe::planning {

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
};

struct CostConstant {
  ConstantId id;
  /// As reports print it, and as a user sets it.
  std::string name;
  double value = 0;
  std::string unit;
  std::string source;
  /// Nobody has set the value for the machine at hand.
  bool isDefault = true;
};

class CostConstants {
public:
  /// The defaults: an H100 SXM, see the table's sources.
  CostConstants();

  double operator[](ConstantId id) const;

  /// Sets a constant by its name. Fails on an unknown name, which lists those
  /// that are known, and on a value that is not finite and above 0.
  llvm::Error set(llvm::StringRef name, double value, llvm::StringRef source);

  llvm::ArrayRef<CostConstant> all() const { return table; }

private:
  std::vector<CostConstant> table;
};

} // namespace moe::planning

#endif // MOE_PLANNING_COSTCONSTANTS_H
