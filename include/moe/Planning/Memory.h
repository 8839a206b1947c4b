//===- Memory.h - Does a model fit on a device ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What lies in the memory of the fullest device of a deployment: experts
// shared out over `expertRanks` devices, everything else on each of them or
// shared out over the `denseRanks` of a tensor axis.
//
//   experts    its slots · an expert's weights, one expert a slot
//   replicas   the slots beyond an even share
//   scales     of the quantized experts in all of these slots
//   dense      attention, norms, embeddings, routers, shared experts, dense
//              feed-forward networks
//   buffers    both ends of dispatch and combine of one layer; layers take
//              turns in them: 2 · (rows sent + rows received) · row bytes
//   cache      keys and values of its sequences at the given context
//
// Rows received are the plan's bound where buffers are of the bound, else what
// the fullest rank is expected to get.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_MEMORY_H
#define MOE_PLANNING_MEMORY_H

#include "moe/Model/ModelShape.h"
#include "moe/Planning/CostConstants.h"
#include "moe/Planning/ExchangePlan.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace moe::planning {

struct MemoryRequest {
  /// Devices that share the experts out.
  int64_t expertRanks = 1;
  /// Devices that share every dense matrix out.
  int64_t denseRanks = 1;
  /// Slots beyond one for each expert, in each layer, over all ranks.
  int64_t replicas = 0;
  /// Slots of the fullest device, all layers together, for a placement at hand;
  /// 0: each layer's slots are spread evenly.
  int64_t slotsOnFullest = 0;
  /// Tokens of a step over all devices.
  int64_t tokens = 0;
  /// Rows of the fullest device over the mean.
  double maxOverMean = 1;
  ExchangeForm form = ExchangeForm::FlatExact;
  /// Sequences over all devices, and tokens of each in the cache.
  int64_t sequences = 0;
  int64_t context = 0;
};

/// Of the fullest device.
struct MemoryEstimate {
  Bytes experts;
  Bytes replicas;
  Bytes scales;
  Bytes dense;
  Bytes buffers;
  Bytes cache;
  /// What a program can use of the device's memory.
  Bytes usable;

  Bytes total() const {
    return experts + replicas + scales + dense + buffers + cache;
  }
  bool fits() const { return total() <= usable; }
  /// By how much it does not fit; 0 if it does.
  Bytes missing() const { return fits() ? Bytes() : total() - usable; }
};

/// What the experts of a layer, or of several that are equal, take of a device.
struct LayerDemand {
  /// One expert without its scales, and these.
  Bytes expert;
  Bytes scales;
  /// Slots of the device, and its even share of the experts.
  int64_t slots = 0;
  int64_t evenSlots = 0;
  /// Of the exchanges of one layer: rows of the device's tokens, and rows that
  /// its experts get.
  double rowsSent = 0;
  double rowsReceived = 0;
  /// Of a row on its way to its expert and back, together.
  Bytes rowBytes;
};

/// What everything takes of one device.
struct DeviceDemand {
  std::vector<LayerDemand> layers;
  Bytes dense;
  Bytes cache;
};

/// Adds the parts up; layers take turns in the buffers.
MemoryEstimate estimateMemory(const DeviceDemand &demand, Bytes usable);

/// What a program can use of the memory of a device.
Bytes usableMemory(const CostConstants &constants);

MemoryEstimate estimateMemory(const model::ModelShape &shape,
                              const MemoryRequest &request,
                              const CostConstants &constants);

/// The fewest ranks, a multiple of `step` and at most `most`, on which it fits.
std::optional<int64_t>
fewestRanks(int64_t step, int64_t most,
            llvm::function_ref<MemoryEstimate(int64_t ranks)> estimate);

/// The fewest expert ranks on which the request fits, its tokens and sequences
/// shared out over more devices; at most one expert a rank. None if even that
/// does not fit. A placement at hand (`slotsOnFullest`) is not looked at.
std::optional<int64_t> fewestExpertRanks(const model::ModelShape &shape,
                                         MemoryRequest request,
                                         const CostConstants &constants);

} // namespace moe::planning

#endif // MOE_PLANNING_MEMORY_H
