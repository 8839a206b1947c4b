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

llvm::StringRef moe::planning::toString(ConstantBasis basis) {
  switch (basis) {
  case ConstantBasis::Default:
    return "default";
  case ConstantBasis::Assumed:
    return "assumed";
  case ConstantBasis::Published:
    return "published";
  case ConstantBasis::Calibrated:
    return "calibrated";
  case ConstantBasis::User:
    return "user";
  }
  llvm_unreachable("unknown basis of a constant");
}

static constexpr const char *noSource = "no measurement";

CostConstants::CostConstants()
    : table({
          {ConstantId::DefaultTierBandwidth, "default_tier_bandwidth", 370.8,
           "GB/s",
           "18 NVLinks of 20.6 GB/s (NVIDIA/nccl src/graph/topo.h, "
           "SM90_NVLINK_BW)"},
          {ConstantId::DefaultTierLatency, "default_tier_latency", 3.4, "us",
           "NVIDIA/nccl src/graph/tuning.cc, ring, NVLink, Simple protocol"},
          {ConstantId::MessageOverhead, "message_overhead", 0.2, "us", noSource,
           ConstantBasis::Assumed},
          {ConstantId::HostSynchronization, "host_synchronization", 10, "us",
           noSource, ConstantBasis::Assumed},
          {ConstantId::DeviceCompute, "device_compute", 989.4, "TFLOP/s",
           "NVIDIA H100 SXM data sheet, dense bf16"},
          {ConstantId::ComputeEfficiency, "compute_efficiency", 0.6, "1",
           noSource, ConstantBasis::Assumed},
          {ConstantId::MemoryBandwidth, "memory_bandwidth", 3350, "GB/s",
           "NVIDIA H100 SXM data sheet"},
          {ConstantId::DeviceMemory, "device_memory", 80, "GiB",
           "NVIDIA H100 SXM data sheet, its GB read as GiB"},
          {ConstantId::UsableMemory, "usable_memory", 0.9, "1",
           "vLLM's default gpu_memory_utilization", ConstantBasis::Assumed},
      }) {}

llvm::Expected<CostConstants>
CostConstants::forAccelerator(llvm::StringRef name) {
  const Accelerator *product = findAccelerator(name);
  if (!product) {
    return llvm::createStringError(
        llvm::formatv("unknown accelerator '{0}'; known: {1}", name,
                      knownAccelerators())
            .str());
  }
  CostConstants constants;
  constants.product = product;
  auto publish = [&](ConstantId id, double value, llvm::StringRef source) {
    CostConstant &constant = constants.find(id);
    constant.value = value;
    constant.source = llvm::formatv("{0}: {1}", product->name, source);
    constant.basis = ConstantBasis::Published;
  };
  publish(ConstantId::DeviceCompute, product->compute.value(),
          "data sheet, dense 16-bit products");
  publish(ConstantId::MemoryBandwidth, product->memoryBandwidth.value(),
          "data sheet");
  publish(ConstantId::DeviceMemory, product->memory.value() / bytesPerGiB,
          "data sheet, its GB read as GiB");
  if (product->linkBandwidth.value() > 0) {
    publish(ConstantId::DefaultTierBandwidth, product->linkBandwidth.value(),
            "count of its links times NVIDIA/nccl src/graph/topo.h");
  }
  return constants;
}

std::string CostConstants::exchangeBasis() const {
  if (!product) {
    return "exchanges inside a node: latency and link bandwidth as the "
           "topology says; no accelerator is named, so no measurement is used";
  }
  if (!product->isMeasured()) {
    return llvm::formatv("exchanges inside a node: no measured all-to-alls of "
                         "{0}; NCCL's link constants without a ramp",
                         product->name);
  }
  return llvm::formatv("exchanges inside a node: calibrated on NCCL's "
                       "all-to-alls of {0} (benchmarks/cost), where the links "
                       "are those of that product",
                       product->name);
}

/// The fitted ramps as constants.
static void appendRamps(const Accelerator &product,
                        std::vector<CostConstant> &constants) {
  std::string source =
      llvm::formatv("fitted to rows '{0}' of "
                    "benchmarks/cost/nccl_alltoall_single_node.csv",
                    product.platform);
  for (size_t index = 0; index < rampGroupSizes.size(); ++index) {
    const MessageRamp &ramp = product.ramps[index];
    auto add = [&](llvm::StringRef name, double value, llvm::StringRef unit) {
      constants.push_back(
          {ConstantId::AllToAllRamp,
           llvm::formatv("{0}_{1}", name, rampGroupSizes[index]), value,
           unit.str(), source, ConstantBasis::Calibrated});
    };
    add("all_to_all_latency", ramp.latency.value(), "us");
    add("all_to_all_ramp", ramp.ramp, "us/sqrt(B)");
    add("all_to_all_bandwidth", ramp.bandwidth.value(), "GB/s");
  }
}

std::vector<CostConstant> CostConstants::all() const {
  std::vector<CostConstant> constants = table;
  if (product && product->isMeasured()) {
    appendRamps(*product, constants);
  }
  return constants;
}

CostConstant &CostConstants::find(ConstantId id) {
  return *llvm::find_if(
      table, [&](const CostConstant &entry) { return entry.id == id; });
}

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
  constant->basis = ConstantBasis::User;
  return llvm::Error::success();
}
