//===- Memory.cpp - Does a model fit on a device --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Memory.h"
#include <algorithm>
#include <cassert>

using namespace moe::planning;
using moe::model::CacheGroup;
using moe::model::ModelShape;
using moe::model::WeightGroup;
using moe::model::WeightKind;

static int64_t ceilDivide(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

/// Of one device; vectors are on every device.
static Bytes denseBytes(const ModelShape &shape, int64_t ranks) {
  double bytes = 0;
  for (const WeightGroup &group : shape.weights) {
    if (group.kind != WeightKind::Expert) {
      bytes += group.bytes() / (group.rows > 1 ? double(ranks) : 1.0);
    }
  }
  return Bytes(bytes);
}

/// Of one device's sequences, in the model's dtype. The ranks of a tensor axis
/// hold the same sequences and share their heads out.
static Bytes cacheBytes(const ModelShape &shape, const MemoryRequest &request) {
  int64_t replicas =
      std::max<int64_t>(request.expertRanks / request.denseRanks, 1);
  double numbers = 0;
  for (const CacheGroup &group : shape.caches) {
    numbers += group.numbers(request.context) /
               double(std::min(group.parts, request.denseRanks));
  }
  return Bytes(numbers * shape.dtype.bits / 8 *
               double(ceilDivide(request.sequences, replicas)));
}

/// Both ends of dispatch and combine of one layer.
static Bytes bufferBytes(const LayerDemand &layer) {
  return layer.rowBytes * (layer.rowsSent + layer.rowsReceived);
}

MemoryEstimate moe::planning::estimateMemory(const DeviceDemand &demand,
                                             Bytes usable) {
  MemoryEstimate estimate;
  for (const LayerDemand &layer : demand.layers) {
    int64_t even = std::min(layer.evenSlots, layer.slots);
    estimate.experts += layer.expert * double(even);
    estimate.replicas += layer.expert * double(layer.slots - even);
    estimate.scales += layer.scales * double(layer.slots);
    estimate.buffers = std::max(estimate.buffers, bufferBytes(layer));
  }
  estimate.dense = demand.dense;
  estimate.cache = demand.cache;
  estimate.usable = usable;
  return estimate;
}

Bytes moe::planning::usableMemory(const CostConstants &constants) {
  return Bytes(constants[ConstantId::DeviceMemory] * bytesPerGiB *
               constants[ConstantId::UsableMemory]);
}

MemoryEstimate moe::planning::estimateMemory(const ModelShape &shape,
                                             const MemoryRequest &request,
                                             const CostConstants &constants) {
  assert(request.expertRanks > 0 && request.denseRanks > 0 && "no device");
  int64_t evenSlots =
      ceilDivide(shape.experts, request.expertRanks) * shape.expertLayers;
  int64_t slotsPerLayer =
      ceilDivide(shape.experts + request.replicas, request.expertRanks);
  int64_t slots = request.slotsOnFullest > 0
                      ? request.slotsOnFullest
                      : slotsPerLayer * shape.expertLayers;
  if (request.slotsOnFullest > 0) {
    slotsPerLayer = ceilDivide(slots, shape.expertLayers);
  }
  // Layers are equal: one entry has the slots of all.
  LayerDemand layers;
  layers.expert = Bytes(shape.expertBytes() - shape.expertScaleBytes());
  layers.scales = Bytes(shape.expertScaleBytes());
  layers.slots = slots;
  layers.evenSlots = evenSlots;
  layers.rowBytes = Bytes(2.0 * shape.hidden * shape.dtype.bits / 8);
  layers.rowsSent =
      double(ceilDivide(request.tokens, request.expertRanks)) * shape.choices;
  layers.rowsReceived =
      request.form == ExchangeForm::FlatBounded
          ? double(request.tokens) * std::min(shape.choices, slotsPerLayer)
          : layers.rowsSent * request.maxOverMean;
  return estimateMemory({{layers},
                         denseBytes(shape, request.denseRanks),
                         cacheBytes(shape, request)},
                        usableMemory(constants));
}

std::optional<int64_t> moe::planning::fewestRanks(
    int64_t step, int64_t most,
    llvm::function_ref<MemoryEstimate(int64_t)> estimate) {
  // Every part shrinks or stays as ranks are added, but for rounding: they are
  // tried one by one.
  for (int64_t ranks = step; ranks <= most; ranks += step) {
    if (estimate(ranks).fits()) {
      return ranks;
    }
  }
  return std::nullopt;
}

std::optional<int64_t>
moe::planning::fewestExpertRanks(const ModelShape &shape, MemoryRequest request,
                                 const CostConstants &constants) {
  request.slotsOnFullest = 0;
  return fewestRanks(request.denseRanks, shape.experts, [&](int64_t ranks) {
    request.expertRanks = ranks;
    return estimateMemory(shape, request, constants);
  });
}
