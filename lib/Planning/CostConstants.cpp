//===- CostConstants.cpp - Every constant of the cost model ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CostConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace moe::planning;

CostConstants::CostConstants()
    : table({
          {ConstantId::DefaultTierBandwidth, "default_tier_bandwidth", 370.8,
           "GB/s",
           "18 NVLinks of 20.6 GB/s (NVIDIA/nccl src/graph/topo.h, "
           "SM90_NVLINK_BW)"},
          {ConstantId::DefaultTierLatency, "default_tier_latency", 3.4, "us",
           "NVIDIA/nccl src/graph/tuning.cc, ring, NVLink, Simple protocol"},
          {ConstantId::MessageOverhead, "message_overhead", 0.2, "us",
           "assumed"},
          {ConstantId::HostSynchronization, "host_synchronization", 10, "us",
           "assumed"},
          {ConstantId::DeviceCompute, "device_compute", 989.4, "TFLOP/s",
           "NVIDIA H100 SXM data sheet, dense bf16"},
          {ConstantId::ComputeEfficiency, "compute_efficiency", 0.6, "1",
           "assumed"},
          {ConstantId::MemoryBandwidth, "memory_bandwidth", 3350, "GB/s",
           "NVIDIA H100 SXM data sheet"},
      }) {}

double CostConstants::operator[](ConstantId id) const {
  for (const CostConstant &constant : table) {
    if (constant.id == id) {
      return constant.value;
    }
  }
  llvm_unreachable("every constant is in the table");
}

llvm::Error CostConstants::set(llvm::StringRef name, double value,
                               llvm::StringRef source) {
  auto constant = llvm::find_if(
      table, [&](const CostConstant &entry) { return entry.name == name; });
  if (constant == table.end()) {
    std::string known = llvm::join(
        llvm::map_range(table,
                        [](const CostConstant &entry) { return entry.name; }),
        ", ");
    return llvm::createStringError(
        llvm::formatv("no cost constant '{0}'; known: {1}", name, known).str());
  }
  if (!std::isfinite(value) || value <= 0) {
    return llvm::createStringError(
        llvm::formatv("cost constant '{0}': expected a value above 0, but got "
                      "{1}",
                      name, value)
            .str());
  }
  constant->value = value;
  constant->source = source.str();
  constant->isDefault = false;
  return llvm::Error::success();
}
