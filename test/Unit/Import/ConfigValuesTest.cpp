//===- ConfigValuesTest.cpp - Wrong values of every key -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every key of a real configuration of each family, with every kind of value
// that it must not have: one error, which names the key, at its line.
//
//===----------------------------------------------------------------------===//

#include "moe/Import/HuggingFace.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

#include <map>

using namespace mlir;

namespace {
enum class Kind {
  Flag,
  Count,
  CountOrZero,
  Number,
  Text,
  Object,
  List,
  Tokens
};

struct KeyKind {
  Kind kind;
  /// Where null means the class' default.
  bool isNullable = false;
};

/// What an import said.
struct Outcome {
  bool hasModule = false;
  std::vector<std::string> errors;
};
} // namespace

/// The kinds of all keys in the files below, as transformers documents them;
/// written down apart from what the import knows.
static const std::map<std::string, KeyKind> &kinds() {
  static const std::map<std::string, KeyKind> table = [] {
    std::map<std::string, KeyKind> kinds;
    auto add = [&](Kind kind, llvm::ArrayRef<const char *> keys,
                   bool isNullable = false) {
      for (const char *key : keys) {
        kinds[key] = {kind, isNullable};
      }
    };
    add(Kind::Flag, {"attention_bias", "norm_topk_prob", "output_router_logits",
                     "router_bias", "router_ignore_padding_tokens", "seq_aux",
                     "tie_word_embeddings", "use_cache", "use_qk_norm",
                     "use_sliding_window"});
    add(Kind::Count, {"d_ff",
                      "d_kv",
                      "d_model",
                      "decoder_sparse_step",
                      "ep_size",
                      "expert_capacity",
                      "hidden_size",
                      "intermediate_size",
                      "kv_lora_rank",
                      "max_position_embeddings",
                      "moe_intermediate_size",
                      "moe_layer_freq",
                      "n_routed_experts",
                      "num_attention_heads",
                      "num_decoder_layers",
                      "num_experts",
                      "num_experts_per_tok",
                      "num_heads",
                      "num_hidden_layers",
                      "num_layers",
                      "num_local_experts",
                      "num_sparse_decoder_layers",
                      "num_sparse_encoder_layers",
                      "pretraining_tp",
                      "qk_nope_head_dim",
                      "qk_rope_head_dim",
                      "relative_attention_max_distance",
                      "relative_attention_num_buckets",
                      "shared_expert_intermediate_size",
                      "v_head_dim",
                      "vocab_size"});
    // MLA ignores key and value heads, other methods than groups the groups.
    add(Kind::Count, {"head_dim", "n_group", "topk_group"}, true);
    add(Kind::Count, {"num_key_value_heads"}, true);
    add(Kind::CountOrZero, {"first_k_dense_replace", "max_window_layers",
                            "num_nextn_predict_layers"});
    add(Kind::CountOrZero,
        {"n_shared_experts", "q_lora_rank", "sliding_window"}, true);
    add(Kind::Number,
        {"attention_dropout", "aux_loss_alpha", "layer_norm_epsilon",
         "partial_rotary_factor", "rms_norm_eps", "rope_theta",
         "routed_scaling_factor", "router_aux_loss_coef", "router_jitter_noise",
         "router_z_loss_coef"});
    add(Kind::Number, {"clip_qkv"}, true);
    add(Kind::Text, {"dense_act_fn", "hidden_act", "model_type", "router_dtype",
                     "scoring_func", "topk_method"});
    add(Kind::Text, {"dtype", "torch_dtype"}, true);
    add(Kind::Object, {"quantization_config", "rope_scaling"}, true);
    add(Kind::List, {"architectures", "mlp_only_layers"}, true);
    add(Kind::Tokens, {"bos_token_id", "eos_token_id", "pad_token_id"}, true);
    return kinds;
  }();
  return table;
}

static std::vector<const char *> wrongValues(const KeyKind &key) {
  std::vector<const char *> values = {"[[]]"};
  auto add = [&](std::initializer_list<const char *> more) {
    values.insert(values.end(), more);
  };
  if (!key.isNullable) {
    add({"null"});
  }
  if (key.kind != Kind::Object) {
    add({"{}"});
  }
  if (key.kind != Kind::Flag) {
    add({"true"});
  }
  if (key.kind != Kind::Text) {
    add({"\"abc\"", "\"8\""});
  } else {
    add({"\"\"", "\"nonsense\"", "8"});
  }
  if (key.kind == Kind::Flag || key.kind == Kind::Object) {
    add({"0", "1", "\"yes\""});
  }
  if (key.kind == Kind::Number) {
    add({"-1", "1e999"});
  } else {
    add({"1.5", "-7", "9223372036854775808", "99999999999999999999"});
  }
  if (key.kind == Kind::Count) {
    add({"0"});
  }
  return values;
}

static std::string pathOf(llvm::StringRef name) {
  return (MOE_SOURCE_DIR "/test/Inputs/models/" + name).str();
}

static std::string read(llvm::StringRef name) {
  auto file = llvm::MemoryBuffer::getFile(pathOf(name));
  EXPECT_TRUE(file) << name.str();
  return file ? (*file)->getBuffer().str() : "{}";
}

static Outcome import(MLIRContext &context, llvm::StringRef text) {
  Outcome outcome;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error) {
      return success();
    }
    auto place = dyn_cast<FileLineColLoc>(diagnostic.getLocation());
    outcome.errors.push_back((place
                                  ? place.getFilename().str() + ":" +
                                        std::to_string(place.getLine()) + ":" +
                                        std::to_string(place.getColumn())
                                  : std::string("nowhere")) +
                             ": " + diagnostic.str());
    return success();
  });
  outcome.hasModule = static_cast<bool>(
      moe::importHuggingFaceConfig(text, "c.json", {}, &context));
  return outcome;
}

/// The object with one key on each line, the one in question on line 2.
static std::string print(const llvm::json::Object &object, llvm::StringRef key,
                         llvm::StringRef value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\n  \"" << key << "\": " << value;
  for (const auto &[other, held] : object) {
    if (other.str() != key) {
      os << ",\n  \"" << other.str() << "\": " << held;
    }
  }
  os << "\n}\n";
  return text;
}

namespace {
class ConfigValues : public testing::TestWithParam<const char *> {};
} // namespace

TEST_P(ConfigValues, OfWrongTypesAreRefused) {
  llvm::json::Value root = llvm::cantFail(llvm::json::parse(read(GetParam())));
  const llvm::json::Object &object = *root.getAsObject();
  MLIRContext context(MLIRContext::Threading::DISABLED);
  std::vector<std::string> keys = {"tie_word_embeddings", "sliding_window",
                                   "vocab_size", "eos_token_id", "torch_dtype"};
  for (const auto &entry : object) {
    if (!entry.first.str().empty() && entry.first.str()[0] != '_') {
      keys.push_back(entry.first.str());
    }
  }
  for (const std::string &key : keys) {
    auto kind = kinds().find(key);
    if (kind == kinds().end()) {
      ADD_FAILURE() << "no kind is written down for " << key;
      continue;
    }
    for (const char *value : wrongValues(kind->second)) {
      Outcome outcome = import(context, print(object, key, value));
      EXPECT_FALSE(outcome.hasModule) << key << ": " << value;
      ASSERT_EQ(outcome.errors.size(), 1u) << key << ": " << value;
      EXPECT_NE(outcome.errors[0].find("\"" + key + "\""), std::string::npos)
          << outcome.errors[0];
      EXPECT_EQ(outcome.errors[0].substr(0, 12), "c.json:2:3: ")
          << outcome.errors[0];
    }
  }
}

TEST_P(ConfigValues, ThatAreRightAreTaken) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  Outcome outcome = import(context, read(GetParam()));
  EXPECT_TRUE(outcome.hasModule);
  EXPECT_EQ(llvm::join(outcome.errors, "\n"), "");
}

INSTANTIATE_TEST_SUITE_P(
    Families, ConfigValues,
    testing::Values("full/DeepSeek-V2-Lite.json", "full/DeepSeek-V2.json",
                    "full/DeepSeek-V3.json", "full/GLM-4.5-family-355B.json",
                    "full/Kimi-K2.json", "full/Mixtral-8x7B.json",
                    "full/OLMoE-1B-7B.json", "full/Qwen1.5-MoE-A2.7B.json",
                    "full/Qwen3-30B-A3B.json",
                    "full/Switch-base-8_hf-class-defaults.json"),
    [](const testing::TestParamInfo<const char *> &info) {
      std::string name = llvm::StringRef(info.param).drop_front(5).str();
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !llvm::isAlnum(c); },
          '_');
      return name;
    });
