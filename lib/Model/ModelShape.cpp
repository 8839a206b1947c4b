//===- ModelShape.cpp - How large a model is ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/ModelShape.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>

using namespace moe::model;

llvm::StringRef moe::model::toString(WeightKind kind) {
  switch (kind) {
  case WeightKind::Embedding:
    return "embedding";
  case WeightKind::OutputHead:
    return "output head";
  case WeightKind::Norm:
    return "norms";
  case WeightKind::Attention:
    return "attention";
  case WeightKind::Router:
    return "routers";
  case WeightKind::DenseFeedForward:
    return "dense feed-forward";
  case WeightKind::SharedExpert:
    return "shared experts";
  case WeightKind::Expert:
    return "experts";
  }
  llvm_unreachable("unknown kind of weight");
}

double NumberFormat::scaleBytesOf(int64_t rows, int64_t columns) const {
  if (!hasScales()) {
    return 0;
  }
  int64_t high = (rows + blockRows - 1) / blockRows;
  int64_t wide = (columns + blockColumns - 1) / blockColumns;
  return double(high) * double(wide) * scaleBits / 8;
}

double CacheGroup::numbers(int64_t context) const {
  int64_t kept = window > 0 ? std::min(window, context) : context;
  return layers * (numbersPerToken * kept + numbersPerSequence);
}

/// What a token uses of a group.
static double activePart(const ModelShape &shape, const WeightGroup &group) {
  return group.kind == WeightKind::Expert
             ? double(shape.choices) / double(shape.experts)
             : 1;
}

double ModelShape::parameters() const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.parameters();
  }
  return sum;
}

double ModelShape::parametersOf(WeightKind kind) const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.kind == kind ? group.parameters() : 0;
  }
  return sum;
}

double ModelShape::activeParameters() const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.parameters() * activePart(*this, group);
  }
  return sum;
}

double ModelShape::bytes() const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.bytes();
  }
  return sum;
}

double ModelShape::bytesOf(WeightKind kind) const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.kind == kind ? group.bytes() : 0;
  }
  return sum;
}

double ModelShape::activeBytes() const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.bytes() * activePart(*this, group);
  }
  return sum;
}

double ModelShape::expertBytes() const {
  return bytesOf(WeightKind::Expert) / (double(experts) * expertLayers);
}

double ModelShape::expertScaleBytes() const {
  double sum = 0;
  for (const WeightGroup &group : weights) {
    sum += group.kind == WeightKind::Expert ? group.scaleBytes() : 0;
  }
  return sum / (double(experts) * expertLayers);
}

double ModelShape::expertParameters() const {
  return parametersOf(WeightKind::Expert) / (double(experts) * expertLayers);
}

double ModelShape::cacheBytes(int64_t context) const {
  double numbers = 0;
  for (const CacheGroup &group : caches) {
    numbers += group.numbers(context);
  }
  return numbers * dtype.bits / 8;
}
