//===- KnownKeys.cpp - What keys of a config.json hold --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/KnownKeys.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace moe::model;
using llvm::json::Value;

namespace {
enum class ValueKind {
  Flag,
  /// A whole number of at least 1; of at least 0.
  Count,
  CountOrZero,
  /// A finite number of at least 0; above 0.
  Number,
  PositiveNumber,
  Object,
  Text,
  Texts,
  /// A token, or several.
  Tokens,
};

struct KnownKey {
  llvm::StringLiteral name;
  ValueKind kind;
  /// Null is "not given" to transformers' classes.
  bool isNullable = false;
};
} // namespace

// As transformers' configuration classes document them.
static constexpr KnownKey knownKeys[] = {
    {"architectures", ValueKind::Texts, true},
    {"attention_bias", ValueKind::Flag},
    {"attention_dropout", ValueKind::Number},
    {"aux_loss_alpha", ValueKind::Number},
    {"bos_token_id", ValueKind::Tokens, true},
    {"clip_qkv", ValueKind::PositiveNumber, true},
    {"decoder_start_token_id", ValueKind::Tokens, true},
    {"dropout_rate", ValueKind::Number},
    {"eos_token_id", ValueKind::Tokens, true},
    {"ep_size", ValueKind::Count},
    {"first_k_dense_replace", ValueKind::CountOrZero},
    {"head_dim", ValueKind::Count, true},
    {"initializer_factor", ValueKind::Number},
    {"initializer_range", ValueKind::Number},
    {"is_encoder_decoder", ValueKind::Flag},
    {"layer_types", ValueKind::Texts, true},
    {"max_position_embeddings", ValueKind::Count},
    {"max_window_layers", ValueKind::CountOrZero},
    {"moe_layer_freq", ValueKind::Count},
    {"n_group", ValueKind::Count, true},
    {"norm_topk_prob", ValueKind::Flag},
    {"num_key_value_heads", ValueKind::Count, true},
    {"output_router_logits", ValueKind::Flag},
    {"pad_token_id", ValueKind::Tokens, true},
    {"partial_rotary_factor", ValueKind::PositiveNumber},
    {"pretraining_tp", ValueKind::Count},
    {"relative_attention_max_distance", ValueKind::Count},
    {"rope_interleave", ValueKind::Flag},
    {"rope_parameters", ValueKind::Object, true},
    {"rope_scaling", ValueKind::Object, true},
    {"rope_theta", ValueKind::PositiveNumber},
    {"router_aux_loss_coef", ValueKind::Number},
    {"router_ignore_padding_tokens", ValueKind::Flag},
    {"router_jitter_noise", ValueKind::Number},
    {"router_z_loss_coef", ValueKind::Number},
    {"scoring_func", ValueKind::Text},
    {"seq_aux", ValueKind::Flag},
    {"sliding_window", ValueKind::CountOrZero, true},
    {"tie_word_embeddings", ValueKind::Flag},
    {"topk_group", ValueKind::Count, true},
    {"transformers_version", ValueKind::Text, true},
    {"use_cache", ValueKind::Flag},
    {"use_qk_norm", ValueKind::Flag},
    {"use_sliding_window", ValueKind::Flag},
    {"vocab_size", ValueKind::Count},
};

static bool isCount(const Value &value, int64_t least) {
  std::optional<int64_t> integer = value.getAsInteger();
  return integer && *integer >= least && *integer <= INT32_MAX;
}

static bool isNumber(const Value &value) {
  std::optional<double> number = value.getAsNumber();
  return number && std::isfinite(*number) && *number >= 0;
}

static bool isList(const Value &value,
                   llvm::function_ref<bool(const Value &)> isElement) {
  const llvm::json::Array *array = value.getAsArray();
  return array && llvm::all_of(*array, isElement);
}

static bool isText(const Value &value) {
  return value.getAsString().has_value();
}

static bool isToken(const Value &value) {
  // Some models mark "none" by -1.
  return isCount(value, -1);
}

static bool holds(const Value &value, ValueKind kind) {
  switch (kind) {
  case ValueKind::Flag:
    return value.getAsBoolean().has_value();
  case ValueKind::Count:
    return isCount(value, 1);
  case ValueKind::CountOrZero:
    return isCount(value, 0);
  case ValueKind::Number:
    return isNumber(value);
  case ValueKind::PositiveNumber:
    return isNumber(value) && *value.getAsNumber() > 0;
  case ValueKind::Object:
    return value.getAsObject();
  case ValueKind::Text:
    return isText(value);
  case ValueKind::Texts:
    return isList(value, isText);
  case ValueKind::Tokens:
    return isToken(value) || isList(value, isToken);
  }
  llvm_unreachable("unknown kind");
}

static llvm::StringRef nameOf(ValueKind kind) {
  switch (kind) {
  case ValueKind::Flag:
    return "true or false";
  case ValueKind::Count:
    return "an integer from 1 to 2147483647";
  case ValueKind::CountOrZero:
    return "an integer from 0 to 2147483647";
  case ValueKind::Number:
    return "a finite number of at least 0";
  case ValueKind::PositiveNumber:
    return "a finite number above 0";
  case ValueKind::Object:
    return "an object";
  case ValueKind::Text:
    return "a string";
  case ValueKind::Texts:
    return "a list of strings";
  case ValueKind::Tokens:
    return "a token, or a list of tokens";
  }
  llvm_unreachable("unknown kind");
}

llvm::Error moe::model::checkKnownKeys(const ConfigObject &config) {
  for (const KnownKey &key : knownKeys) {
    const Value *value = config.get(key.name);
    if (!value || (key.isNullable && value->getAsNull())) {
      continue;
    }
    if (!holds(*value, key.kind)) {
      return config.makeMismatch(
          key.name,
          nameOf(key.kind) + llvm::Twine(key.isNullable ? " or null" : ""),
          *value);
    }
  }
  return llvm::Error::success();
}
