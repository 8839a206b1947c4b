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

/// Both ends of dispatch and combine.
static Bytes bufferBytes(const ModelShape &shape, const MemoryRequest &request,
                         int64_t slotsPerLayer) {
  double rowBytes = shape.hidden * shape.dtype.bits / 8;
  double sent =
      double(ceilDivide(request.tokens, request.expertRanks)) * shape.choices;
  double received =
      request.form == ExchangeForm::FlatBounded
          ? double(request.tokens) * std::min(shape.choices, slotsPerLayer)
          : sent * request.maxOverMean;
  return Bytes(2 * (sent + received) * rowBytes);
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
  Bytes slot(shape.expertBytes() - shape.expertScaleBytes());
  MemoryEstimate estimate;
  estimate.experts = slot * double(std::min(evenSlots, slots));
  estimate.replicas = slot * double(std::max<int64_t>(slots - evenSlots, 0));
  estimate.scales = Bytes(shape.expertScaleBytes()) * double(slots);
  estimate.dense = denseBytes(shape, request.denseRanks);
  estimate.buffers = bufferBytes(shape, request, slotsPerLayer);
  estimate.cache = cacheBytes(shape, request);
  estimate.usable = Bytes(constants[ConstantId::DeviceMemory] * bytesPerGiB *
                          constants[ConstantId::UsableMemory]);
  return estimate;
}

std::optional<int64_t>
moe::planning::fewestExpertRanks(const ModelShape &shape, MemoryRequest request,
                                 const CostConstants &constants) {
  request.slotsOnFullest = 0;
  // Every part shrinks or stays as ranks are added, but for rounding: the
  // largest part is tried one by one.
  for (int64_t ranks = request.denseRanks; ranks <= shape.experts; ++ranks) {
    if (ranks % request.denseRanks != 0) {
      continue;
    }
    request.expertRanks = ranks;
    if (estimateMemory(shape, request, constants).fits()) {
      return ranks;
    }
  }
  return std::nullopt;
}
