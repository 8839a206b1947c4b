//===- ExpertLayers.h - Which layers have experts ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_MODEL_EXPERTLAYERS_H
#define MOE_MODEL_EXPERTLAYERS_H

#include "moe/Model/ConfigObject.h"

namespace moe::model {

enum class LayerRule {
  /// All.
  Every,
  /// From `first_k_dense_replace` on, those divisible by `moe_layer_freq`.
  AfterDense,
  /// Each n-th, the n-th first, except `mlp_only_layers`; n is the value of the
  /// rule's key.
  EachStep,
  /// So many as the rule's key says, evenly spread.
  EvenlySpread,
  /// Those at `expert_layer_offset` in each `expert_layer_period`.
  Periodic,
  /// From `moe_layer_start_index` to `moe_layer_end_index` (-1: the last), each
  /// `moe_layer_interval`-th.
  Range,
};

/// The rule with the keys that a family gives it.
struct LayerKeys {
  LayerRule rule = LayerRule::Every;
  std::string layers = "num_hidden_layers";
  /// EachStep: the step. EvenlySpread: how many layers have experts.
  std::string key = "decoder_sparse_step";
};

/// Whether each layer has experts. Fails on impossible values, naming the key.
llvm::Expected<std::vector<bool>> readExpertLayers(const ConfigObject &config,
                                                   const LayerKeys &keys);

} // namespace moe::model

#endif // MOE_MODEL_EXPERTLAYERS_H
