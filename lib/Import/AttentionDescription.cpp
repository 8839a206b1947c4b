// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention is declared, not computed: its weights, its size and its cost.

#include "ModelDescription.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Collects the weights of one sublayer under their checkpoint prefix.
class WeightList {
public:
  WeightList(Attention &attention, std::string prefix, FloatType dtype)
      : attention(attention), prefix(std::move(prefix)), dtype(dtype) {}

  /// A linear layer from `in` to `out`.
  void addLinear(StringRef name, StringRef module, int64_t out, int64_t in,
                 bool biased) {
    add(name, module + ".weight", {out, in}, /*isLinear=*/true);
    attention.cost.flopsPerToken += 2 * out * in;
    if (biased) {
      add((name + "_bias").str(), module + ".bias", {out}, /*isLinear=*/false);
    }
  }
  void addVector(StringRef name, StringRef module, int64_t size) {
    add(name, module + ".weight", {size}, /*isLinear=*/false);
  }
  /// A table that all layers of the stack share.
  void addTable(StringRef name, StringRef pattern, ArrayRef<int64_t> shape) {
    std::string outer = std::exchange(prefix, "");
    add(name, pattern, shape, /*isLinear=*/false);
    prefix = outer;
  }

private:
  void add(StringRef name, const Twine &suffix, ArrayRef<int64_t> shape,
           bool isLinear) {
    auto type = RankedTensorType::get(shape, dtype);
    attention.weights.push_back(
        {"attention." + name.str(), prefix + suffix.str(), type, isLinear});
    attention.cost.weightBytes += type.getNumElements() * dtype.getWidth() / 8;
  }

  Attention &attention;
  std::string prefix;
  FloatType dtype;
};
} // namespace

static FailureOr<bool> readFlag(const Config &config, const FlagRule &rule) {
  return rule.key.empty() ? FailureOr<bool>(rule.otherwise)
                          : config.getFlagOr(rule.key, rule.otherwise);
}

static FailureOr<int64_t> readHeadSize(const Config &config, StringRef key,
                                       int64_t hidden, int64_t heads) {
  if (config.has(key)) {
    return config.getInteger(key);
  }
  if (hidden % heads != 0) {
    return config.emitError("num_attention_heads")
           << "expected a divisor of hidden_size " << hidden << ", but got "
           << heads;
  }
  return hidden / heads;
}

static LogicalResult describeGroupedQuery(const Config &config,
                                          const AttentionRow &row,
                                          const std::string &prefix,
                                          const ModelDescription &model,
                                          Attention &attention) {
  FailureOr<int64_t> heads = config.getInteger("num_attention_heads");
  FailureOr<int64_t> groups = config.getInteger("num_key_value_heads");
  FailureOr<bool> bias = readFlag(config, row.bias);
  FailureOr<bool> outputBias = readFlag(config, row.outputBias);
  FailureOr<bool> norm = readFlag(config, row.norm);
  if (failed(heads) || failed(groups) || failed(bias) || failed(outputBias) ||
      failed(norm)) {
    return failure();
  }
  if (*heads % *groups != 0) {
    return config.emitError("num_key_value_heads")
           << "expected a divisor of num_attention_heads " << *heads
           << ", but got " << *groups;
  }
  FailureOr<int64_t> size =
      readHeadSize(config, "head_dim", model.hidden, *heads);
  if (failed(size)) {
    return failure();
  }
  attention.kind = "grouped_query";
  attention.heads = *heads;
  attention.keyValueHeads = *groups;
  attention.headSize = *size;
  int64_t width = *heads * *size;
  int64_t groupWidth = *groups * *size;
  WeightList weights(attention, prefix + "self_attn.", model.dtype);
  weights.addLinear("q", "q_proj", width, model.hidden, *bias);
  weights.addLinear("k", "k_proj", groupWidth, model.hidden, *bias);
  weights.addLinear("v", "v_proj", groupWidth, model.hidden, *bias);
  weights.addLinear("o", "o_proj", model.hidden, width, *outputBias);
  if (*norm) {
    bool full = row.normOfFullWidth;
    weights.addVector("q_norm", "q_norm", full ? width : *size);
    weights.addVector("k_norm", "k_norm", full ? groupWidth : *size);
  }
  attention.cost.flopsPerTokenAndPosition = 4 * width;
  attention.cost.cacheBytesPerToken = 2 * groupWidth * model.getElementBytes();
  return success();
}

static LogicalResult describeLatent(const Config &config,
                                    const AttentionRow &row,
                                    const std::string &prefix,
                                    const ModelDescription &model,
                                    Attention &attention) {
  FailureOr<int64_t> heads = config.getInteger("num_attention_heads");
  FailureOr<int64_t> queryRank = config.getIntegerOrNull("q_lora_rank");
  FailureOr<int64_t> rank = config.getInteger("kv_lora_rank");
  FailureOr<int64_t> plain = config.getInteger("qk_nope_head_dim");
  FailureOr<int64_t> rotary = config.getInteger("qk_rope_head_dim");
  FailureOr<int64_t> value = config.getInteger("v_head_dim");
  FailureOr<bool> bias = readFlag(config, row.bias);
  FailureOr<bool> outputBias = readFlag(config, row.outputBias);
  if (failed(heads) || failed(queryRank) || failed(rank) || failed(plain) ||
      failed(rotary) || failed(value) || failed(bias) || failed(outputBias)) {
    return failure();
  }
  attention.kind = "latent";
  attention.heads = attention.keyValueHeads = *heads;
  attention.headSize = *plain + *rotary;
  WeightList weights(attention, prefix + "self_attn.", model.dtype);
  int64_t queryWidth = *heads * attention.headSize;
  if (*queryRank > 0) {
    weights.addLinear("q_a", "q_a_proj", *queryRank, model.hidden, *bias);
    weights.addVector("q_a_norm", "q_a_layernorm", *queryRank);
    weights.addLinear("q_b", "q_b_proj", queryWidth, *queryRank, false);
  } else {
    weights.addLinear("q", "q_proj", queryWidth, model.hidden, false);
  }
  weights.addLinear("kv_a", "kv_a_proj_with_mqa", *rank + *rotary, model.hidden,
                    *bias);
  weights.addVector("kv_a_norm", "kv_a_layernorm", *rank);
  weights.addLinear("kv_b", "kv_b_proj", *heads * (*plain + *value), *rank,
                    false);
  weights.addLinear("o", "o_proj", model.hidden, *heads * *value, *outputBias);
  attention.cost.flopsPerTokenAndPosition =
      2 * *heads * (attention.headSize + *value);
  attention.cost.cacheBytesPerToken =
      (*rank + *rotary) * model.getElementBytes();
  return success();
}

static LogicalResult describeRelativeBias(const Config &config,
                                          const StackRow &stack,
                                          const ModelDescription &model,
                                          Attention &attention) {
  FailureOr<int64_t> heads = config.getInteger("num_heads");
  FailureOr<int64_t> size = config.getInteger("d_kv");
  FailureOr<int64_t> buckets =
      config.getIntegerOr("relative_attention_num_buckets", 32);
  if (failed(heads) || failed(size) || failed(buckets)) {
    return failure();
  }
  attention.kind = "relative_bias";
  attention.heads = attention.keyValueHeads = *heads;
  attention.headSize = *size;
  int64_t width = *heads * *size;
  std::string module =
      attention.crossAttends ? "1.EncDecAttention." : "0.SelfAttention.";
  WeightList weights(attention, stack.layerPrefix + module, model.dtype);
  for (StringRef name : {"q", "k", "v"}) {
    weights.addLinear(name, name, width, model.hidden, false);
  }
  weights.addLinear("o", "o", model.hidden, width, false);
  if (!attention.crossAttends) {
    // The first layer's table serves all layers.
    weights.addTable(
        "relative_bias",
        stack.name +
            ".block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        {*buckets, *heads});
  }
  attention.cost.flopsPerTokenAndPosition = 4 * width;
  attention.cost.cacheBytesPerToken = 2 * width * model.getElementBytes();
  return success();
}

FailureOr<SmallVector<Attention, 2>>
mlir::moe::describeAttentions(const Config &config, const Family &family,
                              const StackRow &stack,
                              const ModelDescription &model) {
  auto describe = [&](Attention &attention) {
    switch (family.attention.kind) {
    case AttentionKind::GroupedQuery:
      return describeGroupedQuery(config, family.attention, stack.layerPrefix,
                                  model, attention);
    case AttentionKind::Latent:
      return describeLatent(config, family.attention, stack.layerPrefix, model,
                            attention);
    case AttentionKind::RelativeBias:
      return describeRelativeBias(config, stack, model, attention);
    }
    llvm_unreachable("every kind is described");
  };
  auto normType = RankedTensorType::get({model.hidden}, model.dtype);
  SmallVector<Attention, 2> attentions(stack.crossAttends ? 2 : 1);
  std::string stackName = stack.name.empty() ? "" : stack.name + "_";
  attentions[0].function = stackName + "attention";
  attentions[0].norm = {"attention_norm",
                        stack.layerPrefix + stack.attentionNorm, normType,
                        /*isLinear=*/false};
  if (stack.crossAttends) {
    attentions[1].function = "cross_attention";
    attentions[1].crossAttends = true;
    attentions[1].norm = {"cross_attention_norm",
                          stack.layerPrefix + "1.layer_norm.weight", normType,
                          /*isLinear=*/false};
  }
  for (Attention &attention : attentions) {
    if (failed(describe(attention))) {
      return failure();
    }
    if (attention.crossAttends) {
      for (WeightSlot &weight : attention.weights) {
        weight.name = "cross_" + weight.name;
      }
    }
  }
  return attentions;
}
