//===- ExpertLayers.cpp - Which layers have experts -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/ExpertLayers.h"
#include "ConfigReader.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::model;
using llvm::Twine;

using Layers = std::vector<bool>;

static void markAfterDense(ConfigReader &reader, Layers &layers) {
  int64_t dense = reader.integer("first_k_dense_replace", 0);
  int64_t step = reader.integerOr("moe_layer_freq", 1);
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    int64_t number = static_cast<int64_t>(layer);
    layers[layer] = number >= dense && number % step == 0;
  }
}

static void markEachStep(ConfigReader &reader, llvm::StringRef key,
                         Layers &layers) {
  int64_t step = reader.integerOr(key, 1);
  std::vector<int64_t> dense = reader.integers("mlp_only_layers", 0);
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    int64_t number = static_cast<int64_t>(layer);
    layers[layer] =
        !llvm::is_contained(dense, number) && (number + 1) % step == 0;
  }
}

static void markEvenlySpread(ConfigReader &reader, const LayerKeys &keys,
                             Layers &layers) {
  int64_t count = layers.size();
  int64_t sparse = reader.integer(keys.key);
  if (sparse > count) {
    reader.fail(keys.key, "expected at most " + keys.layers + " " +
                              Twine(count) + ", but got " + Twine(sparse));
    return;
  }
  int64_t step = count / sparse;
  for (int64_t layer = 0; layer < count; ++layer) {
    layers[layer] = step == 1 || layer % step == 1;
  }
}

static void markPeriodic(ConfigReader &reader, Layers &layers) {
  int64_t period = reader.integer("expert_layer_period");
  int64_t offset = reader.integer("expert_layer_offset", 0);
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    layers[layer] = static_cast<int64_t>(layer) % period == offset;
  }
}

static void markRange(ConfigReader &reader, Layers &layers) {
  int64_t count = layers.size();
  int64_t first = reader.integerOr("moe_layer_start_index", 0, 0);
  int64_t last = reader.integerOr("moe_layer_end_index", -1, -1);
  int64_t step = reader.integerOr("moe_layer_interval", 1);
  for (int64_t layer = 0; layer < count; ++layer) {
    layers[layer] = layer >= first && (last < 0 || layer <= last) &&
                    (layer + 1) % step == 0;
  }
}

llvm::Expected<std::vector<bool>>
moe::model::readExpertLayers(const ConfigObject &config,
                             const LayerKeys &keys) {
  ConfigReader reader(config);
  // Above this a typing error is likelier than a model.
  constexpr int64_t most = 10000;
  int64_t count = reader.integer(keys.layers);
  if (count > most) {
    reader.fail(keys.layers, "expected at most " + Twine(most) +
                                 " layers, but got " + Twine(count));
    return reader.takeError();
  }
  Layers layers(count, true);
  switch (keys.rule) {
  case LayerRule::Every:
    break;
  case LayerRule::AfterDense:
    markAfterDense(reader, layers);
    break;
  case LayerRule::EachStep:
    markEachStep(reader, keys.key, layers);
    break;
  case LayerRule::EvenlySpread:
    markEvenlySpread(reader, keys, layers);
    break;
  case LayerRule::Periodic:
    markPeriodic(reader, layers);
    break;
  case LayerRule::Range:
    markRange(reader, layers);
    break;
  }
  if (llvm::Error error = reader.takeError()) {
    return std::move(error);
  }
  return layers;
}
