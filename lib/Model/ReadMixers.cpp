//===- ReadMixers.cpp - Attention and what stands in its place ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace moe::model;
using llvm::Twine;

static constexpr WeightKind attention = WeightKind::Attention;

namespace {
/// Heads as the configuration has them.
struct Heads {
  int64_t count = 1;
  int64_t keyValues = 1;
  int64_t size = 1;

  int64_t width() const { return count * size; }
  int64_t keyValueWidth() const { return keyValues * size; }
};
} // namespace

static Heads readHeads(ConfigReader &reader, const MixerKeys &keys,
                       int64_t hidden) {
  Heads heads;
  heads.count = reader.integer(keys.heads);
  heads.keyValues =
      !keys.keyValueHeads.empty() && reader.has(keys.keyValueHeads)
          ? reader.integer(keys.keyValueHeads)
          : heads.count;
  if (heads.count % heads.keyValues != 0) {
    reader.fail(keys.keyValueHeads, "expected a divisor of " + keys.heads +
                                        " " + Twine(heads.count) +
                                        ", but got " + Twine(heads.keyValues));
  }
  if (reader.has(keys.headSize)) {
    heads.size = reader.integer(keys.headSize);
  } else if (hidden % heads.count != 0) {
    reader.fail(keys.heads, "expected a divisor of the hidden size " +
                                Twine(hidden) + ", but got " +
                                Twine(heads.count));
  } else {
    heads.size = hidden / heads.count;
  }
  return heads;
}

/// The layers that keep only the last tokens; `layer_types` lists them, or a
/// window is set for all.
static int64_t countWindowed(ConfigReader &reader, int64_t layers) {
  std::vector<std::string> types = reader.strings("layer_types");
  if (!types.empty()) {
    return llvm::count(types, "sliding_attention");
  }
  bool isUsed = reader.flag({"use_sliding_window", true});
  return isUsed && reader.has("sliding_window") ? layers : 0;
}

static void addKeyValueCache(ConfigReader &reader, const Heads &heads,
                             int64_t layers, ShapeBuilder &builder) {
  double numbers = 2.0 * heads.keyValueWidth();
  int64_t windowed = std::min(countWindowed(reader, layers), layers);
  // Neighbouring layers may share keys and values.
  int64_t sharing =
      reader.flag({"use_cla"}) ? reader.integer("cla_share_factor") : 1;
  if (windowed > 0) {
    builder.shape.caches.push_back({"keys and values in a window", windowed,
                                    numbers, reader.integer("sliding_window"),
                                    0, heads.keyValues});
  }
  int64_t full = (layers - windowed + sharing - 1) / sharing;
  if (full > 0) {
    builder.shape.caches.push_back(
        {"keys and values", full, numbers, 0, 0, heads.keyValues});
  }
}

static void addGroupedQuery(ConfigReader &reader, const MixerKeys &keys,
                            int64_t layers, ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  Heads heads = readHeads(reader, keys, hidden);
  bool hasBias = reader.flag(keys.bias);
  int64_t sharing =
      reader.flag({"use_cla"}) ? reader.integer("cla_share_factor") : 1;
  int64_t keyValueLayers = (layers + sharing - 1) / sharing;
  int64_t gates = reader.flag(keys.outputGate) ? 2 : 1;
  builder.addLinear(attention, "q", gates * heads.width(), hidden, layers,
                    hasBias);
  builder.addLinear(attention, "k", heads.keyValueWidth(), hidden,
                    keyValueLayers, hasBias);
  builder.addLinear(attention, "v", heads.keyValueWidth(), hidden,
                    keyValueLayers, hasBias);
  builder.addLinear(attention, "o", hidden, heads.width(), layers,
                    reader.flag(keys.outputBias));
  if (reader.flag(keys.norm)) {
    bool full = keys.normOfFullWidth;
    builder.add(attention, "q norm", 1, full ? heads.width() : heads.size,
                layers);
    builder.add(attention, "k norm", 1,
                full ? heads.keyValueWidth() : heads.size, layers);
  }
  if (keys.hasSinks) {
    builder.add(attention, "sinks", 1, heads.count, layers);
  }
  addKeyValueCache(reader, heads, layers, builder);
}

static void addLatent(ConfigReader &reader, const MixerKeys &keys,
                      int64_t layers, ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  int64_t heads = reader.integer(keys.heads);
  int64_t queryRank = reader.integerOrNull("q_lora_rank");
  int64_t rank = reader.integer("kv_lora_rank");
  int64_t plain = reader.integer("qk_nope_head_dim");
  int64_t rotary = reader.integer("qk_rope_head_dim");
  int64_t value = reader.integer("v_head_dim");
  bool hasBias = reader.flag(keys.bias);
  int64_t queryWidth = heads * (plain + rotary);
  if (queryRank > 0) {
    builder.addLinear(attention, "q_a", queryRank, hidden, layers, hasBias);
    builder.add(attention, "q_a norm", 1, queryRank, layers);
    builder.addLinear(attention, "q_b", queryWidth, queryRank, layers);
  } else {
    builder.addLinear(attention, "q", queryWidth, hidden, layers);
  }
  builder.addLinear(attention, "kv_a", rank + rotary, hidden, layers, hasBias);
  builder.add(attention, "kv_a norm", 1, rank, layers);
  builder.addLinear(attention, "kv_b", heads * (plain + value), rank, layers);
  builder.addLinear(attention, "o", hidden, heads * value, layers,
                    reader.flag(keys.outputBias));
  builder.shape.caches.push_back(
      {"compressed keys and values", layers, double(rank + rotary), 0, 0});
}

static void addRelativeBias(ConfigReader &reader, const MixerKeys &keys,
                            int64_t layers, bool crossAttends,
                            ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  int64_t heads = reader.integer(keys.heads);
  int64_t width = heads * reader.integer(keys.headSize);
  int64_t sublayers = crossAttends ? 2 * layers : layers;
  for (llvm::StringRef name : {"q", "k", "v"}) {
    builder.addLinear(attention, name, width, hidden, sublayers);
  }
  builder.addLinear(attention, "o", hidden, width, sublayers);
  // The first layer's table serves all.
  builder.add(attention, "relative bias",
              reader.integerOr("relative_attention_num_buckets", 32), heads, 1);
  // What the encoder keeps it keeps for the decoder's cross attention.
  if (crossAttends) {
    builder.shape.caches.push_back(
        {"keys and values of self and cross attention", sublayers, 2.0 * width,
         0, 0, heads});
  }
}

static void addDeltaNet(ConfigReader &reader, int64_t layers,
                        ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  int64_t keyHeads = reader.integer("linear_num_key_heads");
  int64_t valueHeads = reader.integer("linear_num_value_heads");
  int64_t keySize = reader.integer("linear_key_head_dim");
  int64_t valueSize = reader.integer("linear_value_head_dim");
  int64_t taps = reader.integer("linear_conv_kernel_dim");
  int64_t keys = keyHeads * keySize;
  int64_t values = valueHeads * valueSize;
  builder.addLinear(attention, "q, k, v, z", 2 * keys + 2 * values, hidden,
                    layers);
  builder.addLinear(attention, "b, a", 2 * valueHeads, hidden, layers);
  builder.add(attention, "convolution", 2 * keys + values, taps, layers);
  builder.add(attention, "decay", 2, valueHeads, layers);
  builder.add(attention, "norm", 1, valueSize, layers);
  builder.addLinear(attention, "o", hidden, values, layers);
  builder.shape.caches.push_back(
      {"state of the delta net", layers, 0, 0,
       double(valueHeads * keySize * valueSize) +
           double((2 * keys + values) * (taps - 1))});
}

static void addMamba(ConfigReader &reader, int64_t layers,
                     ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  int64_t inner = reader.integer("mamba_expand") * hidden;
  int64_t states = reader.integer("mamba_d_state");
  int64_t taps = reader.integer("mamba_d_conv");
  int64_t rank = reader.integerOr("mamba_dt_rank", (hidden + 15) / 16);
  builder.addLinear(attention, "mamba in", 2 * inner, hidden, layers);
  builder.add(attention, "mamba convolution", inner, taps + 1, layers);
  builder.addLinear(attention, "mamba x", rank + 2 * states, inner, layers);
  builder.addLinear(attention, "mamba dt", inner, rank, layers, true);
  builder.add(attention, "mamba A and D", inner, states + 1, layers);
  builder.add(attention, "mamba norms", 1, rank + 2 * states, layers);
  builder.addLinear(attention, "mamba out", hidden, inner, layers);
  builder.shape.caches.push_back(
      {"state of Mamba", layers, 0, 0, double(inner * (states + taps))});
}

static void addLightning(ConfigReader &reader, const MixerKeys &keys,
                         int64_t layers, ShapeBuilder &builder) {
  int64_t hidden = builder.shape.hidden;
  Heads heads = readHeads(reader, keys, hidden);
  builder.addLinear(attention, "linear q, k, v", 3 * heads.width(), hidden,
                    layers);
  builder.addLinear(attention, "linear gate", heads.width(), hidden, layers);
  builder.addLinear(attention, "linear o", hidden, heads.width(), layers);
  builder.add(attention, "linear norm", 1, heads.width(), layers);
  builder.shape.caches.push_back({"state of linear attention", layers, 0, 0,
                                  double(heads.width() * heads.size)});
}

/// The layers of `layers` that attend to all positions, in a family that mixes
/// them with others.
static int64_t countAttending(ConfigReader &reader, MixerKind kind,
                              int64_t layers) {
  if (kind == MixerKind::DeltaNet) {
    std::vector<std::string> types = reader.strings("layer_types");
    if (static_cast<int64_t>(types.size()) != layers) {
      reader.fail("layer_types", "expected one entry for each of the " +
                                     Twine(layers) + " layers, but got " +
                                     Twine(types.size()));
    }
    return llvm::count(types, "full_attention");
  }
  if (kind == MixerKind::Lightning) {
    return llvm::count(reader.integers("attn_type_list", 0), 1);
  }
  int64_t period = reader.integer("attn_layer_period");
  int64_t offset = reader.integer("attn_layer_offset", 0);
  int64_t count = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    count += layer % period == offset;
  }
  return count;
}

void moe::model::addMixers(ConfigReader &reader, const MixerKeys &keys,
                           int64_t layers, bool crossAttends,
                           ShapeBuilder &builder) {
  switch (keys.kind) {
  case MixerKind::GroupedQuery:
    return addGroupedQuery(reader, keys, crossAttends ? 2 * layers : layers,
                           builder);
  case MixerKind::Latent:
    return addLatent(reader, keys, layers, builder);
  case MixerKind::RelativeBias:
    return addRelativeBias(reader, keys, layers, crossAttends, builder);
  case MixerKind::DeltaNet:
  case MixerKind::Mamba:
  case MixerKind::Lightning:
    break;
  }
  int64_t attending =
      std::min(countAttending(reader, keys.kind, layers), layers);
  addGroupedQuery(reader, keys, attending, builder);
  switch (keys.kind) {
  case MixerKind::DeltaNet:
    return addDeltaNet(reader, layers - attending, builder);
  case MixerKind::Mamba:
    return addMamba(reader, layers - attending, builder);
  default:
    return addLightning(reader, keys, layers - attending, builder);
  }
}
