//===- Estimates.h - Closed forms that planners compare ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bytes, messages and sizes that follow from a few numbers, without a routing
// and without a placement. Each reproduces figures that others have published
// (test/Unit/Planning/EstimatesTest.cpp has the tables).
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_ESTIMATES_H
#define MOE_PLANNING_ESTIMATES_H

#include "moe/Planning/CountMatrix.h"
#include "moe/Planning/Quantity.h"

namespace moe::planning {

//===----------------------------------------------------------------------===//
// Bytes of an exchange
//===----------------------------------------------------------------------===//

/// A row of FP8 numbers with an f32 scale for each 128 of them.
int64_t fp8RowBytes(int64_t hidden);

/// What a rank's exchange carries, its own part included.
struct ExchangeBytes {
  Bytes dispatch;
  Bytes combine;
};

/// DeepEP's low-latency kernels: one copy for each chosen expert, FP8 rows with
/// 16 bytes of header out, bf16 rows back.
ExchangeBytes lowLatencyBytes(int64_t tokens, int64_t choices, int64_t hidden);

/// Experts over equal groups (nodes, or ranks), of which a token may be limited
/// to its `groupsAllowed` best; 0 stands for no limit.
struct GroupedRouting {
  int64_t experts = 0;
  int64_t choices = 0;
  int64_t groups = 1;
  int64_t groupsAllowed = 0;
};

/// Distinct groups that a token reaches, all routings equally likely (see
/// expectedGroupsReached). At most as many as are allowed.
double groupsReached(const GroupedRouting &routing);

/// Kernels that send one copy of a token to each group that it reaches, however
/// many of its experts are there. `logical` counts the copy that stays in the
/// token's own group, as published bandwidths do; `leaving` does not.
struct DeduplicatedBytes {
  Bytes logical;
  Bytes leaving;
};
DeduplicatedBytes deduplicatedBytes(int64_t tokens, int64_t rowBytes,
                                    const GroupedRouting &routing);

/// Messages between nodes that a device sends in an all-to-all of `devices`.
struct NodeMessages {
  /// To every device of another node.
  int64_t flat = 0;
  /// To the device of the same place in every other node, after an exchange
  /// inside the node; each message is `devicesPerNode` times larger.
  int64_t twoLevel = 0;
};
NodeMessages messagesBetweenNodes(int64_t devices, int64_t devicesPerNode);

//===----------------------------------------------------------------------===//
// Capacity
//===----------------------------------------------------------------------===//

/// Frameworks round tokens · choices · factor / experts differently.
enum class CapacityRule {
  /// ⌈tokens / experts · factor · choices⌉, at least the minimum.
  DeepSpeed,
  /// ⌈tokens · choices / experts · factor⌉.
  Megatron,
  /// choices · ⌊factor · ⌈tokens / experts⌉⌋.
  Tutel,
  /// ⌊tokens · choices / experts · factor⌋.
  MegaBlocks
};

struct CapacityRequest {
  int64_t tokens = 0;
  int64_t experts = 1;
  int64_t choices = 1;
  double factor = 1;
  /// DeepSpeed's min_capacity, by default 8 there.
  int64_t minimum = 0;
};

/// Tokens that an expert takes.
int64_t expertCapacity(CapacityRule rule, const CapacityRequest &request);

//===----------------------------------------------------------------------===//
// A layer
//===----------------------------------------------------------------------===//

/// A feed-forward layer with experts.
struct LayerSize {
  int64_t hidden = 0;
  /// Of one expert.
  int64_t width = 0;
  /// 2, or 3 with a gate.
  int64_t matrices = 3;
  int64_t experts = 1;
  int64_t choices = 1;
  double weightBits = 16;
  /// Of an activation on the wire.
  int64_t elementBytes = 2;

  double expertParameters() const { return double(matrices) * hidden * width; }
  double expertBytes() const { return expertParameters() * weightBits / 8; }
  int64_t rowBytes() const { return hidden * elementBytes; }
};

/// What a layer costs, whatever it runs on.
struct LayerFigures {
  double parameters = 0;
  Flops flopsPerToken;
  /// Dispatch and combine of a step, wherever the rows go.
  Bytes exchanged;
  Bytes weights;
};

/// With experts, for `tokens` tokens a step.
LayerFigures expertLayerFigures(const LayerSize &layer, int64_t tokens);
/// Dense layers of the same arithmetic a token: as many, each as wide as one
/// expert, as a token has choices.
LayerFigures denseLayerFigures(const LayerSize &layer);

} // namespace moe::planning

#endif // MOE_PLANNING_ESTIMATES_H
