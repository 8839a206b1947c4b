// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/Occupancy.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir::moe;

static constexpr int64_t warpThreads = 32;
/// Parts of a multiprocessor with registers of their own.
static constexpr int64_t partitions = 4;
static constexpr int64_t sharedUnitBytes = 128;

Occupancy mlir::moe::computeOccupancy(const MultiprocessorLimits &limits,
                                      const BlockShape &block) {
  int64_t warps =
      llvm::divideCeil(std::max<int64_t>(block.threads, 1), warpThreads);
  int64_t warpRegisters = llvm::alignTo(
      std::max<int64_t>(block.registersPerThread, 1) * warpThreads,
      limits.registersPerWarpUnit);
  int64_t warpsByRegisters =
      limits.registers / partitions / warpRegisters * partitions;
  int64_t shared = llvm::alignTo(
      block.sharedBytes + limits.sharedReservedPerBlock, sharedUnitBytes);
  int64_t mostWarps = limits.threads / warpThreads;
  struct Limit {
    int64_t blocks;
    llvm::StringLiteral name;
  };
  const Limit all[] = {{warpsByRegisters / warps, "registers"},
                       {limits.sharedBytes / shared, "shared memory"},
                       {mostWarps / warps, "threads"},
                       {limits.blocks, "blocks"}};
  const Limit *least =
      std::min_element(std::begin(all), std::end(all),
                       [](const Limit &left, const Limit &right) {
                         return left.blocks < right.blocks;
                       });
  return {least->blocks, least->blocks * warps, mostWarps, least->name};
}
