//===- ShapeFamilies.cpp - The rows of families ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace moe::model;

static ShapeFamily mixtral() {
  ShapeFamily f;
  f.modelType = "mixtral";
  f.experts = "num_local_experts";
  f.expertWidth = "intermediate_size";
  f.denseWidth = "";
  return f;
}

static ShapeFamily named(ShapeFamily f, llvm::StringRef modelType) {
  f.modelType = modelType.str();
  return f;
}

static ShapeFamily granite() {
  ShapeFamily f = named(mixtral(), "granitemoe");
  f.tied.otherwise = true;
  f.mixer.bias = f.mixer.outputBias = {"attention_bias"};
  return f;
}

static ShapeFamily gptOss() {
  ShapeFamily f = named(mixtral(), "gpt_oss");
  f.hasExpertBias = f.hasRouterBias = true;
  f.mixer.bias = f.mixer.outputBias = {"attention_bias", true};
  f.mixer.hasSinks = true;
  return f;
}

static ShapeFamily qwen3() {
  ShapeFamily f;
  f.modelType = "qwen3_moe";
  f.stacks[0].layers.rule = LayerRule::EachStep;
  f.mixer.bias = f.mixer.outputBias = {"attention_bias"};
  f.mixer.norm = {"", true};
  return f;
}

static ShapeFamily qwen2() {
  ShapeFamily f = named(qwen3(), "qwen2_moe");
  f.sharedWidth = "shared_expert_intermediate_size";
  f.hasSharedGate = true;
  f.mixer.bias = {"qkv_bias", true};
  f.mixer.outputBias = f.mixer.norm = {};
  return f;
}

static ShapeFamily qwen35() {
  ShapeFamily f = named(qwen3(), "qwen3_5_moe");
  f.within = "text_config";
  f.sharedWidth = "shared_expert_intermediate_size";
  f.hasSharedGate = true;
  f.denseWidth = "";
  f.mixer.kind = MixerKind::DeltaNet;
  f.mixer.outputGate = {"attn_output_gate", true};
  return f;
}

static ShapeFamily olmoe() {
  ShapeFamily f;
  f.modelType = "olmoe";
  f.expertWidth = "intermediate_size";
  f.denseWidth = "";
  f.mixer.bias = f.mixer.outputBias = {"attention_bias"};
  f.mixer.norm = {"", true};
  f.mixer.normOfFullWidth = true;
  return f;
}

static ShapeFamily deepSeekV2() {
  ShapeFamily f;
  f.modelType = "deepseek_v2";
  f.experts = "n_routed_experts";
  f.sharedCount = "n_shared_experts";
  f.stacks[0].layers.rule = LayerRule::AfterDense;
  f.mixer.kind = MixerKind::Latent;
  f.mixer.bias = f.mixer.outputBias = {"attention_bias"};
  return f;
}

static ShapeFamily deepSeekV3() {
  ShapeFamily f = named(deepSeekV2(), "deepseek_v3");
  f.hasRouterBias = true;
  return f;
}

static ShapeFamily glm4() {
  ShapeFamily f = named(deepSeekV3(), "glm4_moe");
  f.mixer = {};
  f.mixer.bias = {"attention_bias"};
  f.mixer.norm = {"use_qk_norm"};
  return f;
}

static ShapeFamily ernie() {
  ShapeFamily f;
  f.modelType = "ernie4_5_moe";
  f.experts = "moe_num_experts";
  f.choices = "moe_k";
  f.sharedCount = "moe_num_shared_experts";
  f.hasRouterBias = true;
  f.tied.otherwise = true;
  f.stacks[0].layers.rule = LayerRule::Range;
  f.mixer.bias = f.mixer.outputBias = {"use_bias"};
  return f;
}

static ShapeFamily llama4() {
  ShapeFamily f;
  f.modelType = "llama4";
  f.within = "text_config";
  f.experts = "num_local_experts";
  f.expertWidth = "intermediate_size";
  f.denseWidth = "intermediate_size_mlp";
  f.sharedWidth = "intermediate_size";
  f.stacks[0].layers = {LayerRule::EachStep, "num_hidden_layers",
                        "interleave_moe_layer_step"};
  f.mixer.bias = f.mixer.outputBias = {"attention_bias"};
  return f;
}

static ShapeFamily dbrx() {
  ShapeFamily f;
  f.modelType = "dbrx";
  f.hidden = "d_model";
  f.experts = "ffn_config.moe_num_experts";
  f.choices = "ffn_config.moe_top_k";
  f.expertWidth = "ffn_config.ffn_hidden_size";
  f.denseWidth = "";
  f.stacks[0].layers.layers = "n_layers";
  f.mixer.heads = "n_heads";
  f.mixer.keyValueHeads = "attn_config.kv_n_heads";
  return f;
}

static ShapeFamily grok() {
  ShapeFamily f;
  f.modelType = "grok-1";
  f.hidden = "emb_size";
  f.choices = "num_selected_experts";
  f.expertWidth = "widening_factor";
  f.denseWidth = "";
  f.isWidthWidened = true;
  f.tied = {"", true};
  f.stacks[0].layers.layers = "num_layers";
  f.mixer.heads = "num_q_heads";
  f.mixer.keyValueHeads = "num_kv_heads";
  f.mixer.headSize = "key_size";
  return f;
}

static ShapeFamily hunyuan() {
  ShapeFamily f;
  f.modelType = "hunyuan";
  f.choices = "moe_topk";
  f.expertWidth = "intermediate_size";
  f.denseWidth = "";
  f.sharedCount = "num_shared_expert";
  f.tied.otherwise = true;
  return f;
}

static ShapeFamily jamba() {
  ShapeFamily f;
  f.modelType = "jamba";
  f.expertWidth = "intermediate_size";
  f.stacks[0].layers.rule = LayerRule::Periodic;
  f.mixer.kind = MixerKind::Mamba;
  return f;
}

static ShapeFamily miniMax() {
  ShapeFamily f = named(mixtral(), "minimax_m1");
  f.mixer.kind = MixerKind::Lightning;
  return f;
}

static ShapeFamily switchTransformers() {
  ShapeFamily f;
  f.modelType = "switch_transformers";
  f.hidden = "d_model";
  f.tied.otherwise = true;
  f.choices = "";
  f.expertWidth = f.denseWidth = "d_ff";
  f.isGated = false;
  f.stacks = {
      {{LayerRule::EvenlySpread, "num_layers", "num_sparse_encoder_layers"},
       false},
      {{LayerRule::EvenlySpread, "num_decoder_layers",
        "num_sparse_decoder_layers"},
       true}};
  f.mixer.kind = MixerKind::RelativeBias;
  f.mixer.heads = "num_heads";
  f.mixer.headSize = "d_kv";
  return f;
}

static ShapeFamily nllb() {
  ShapeFamily f = switchTransformers();
  f.modelType = "nllb-moe";
  f.otherwiseChoices = 2;
  f.expertWidth = f.denseWidth = "encoder_ffn_dim";
  f.stacks = {
      {{LayerRule::EachStep, "encoder_layers", "encoder_sparse_step"}, false},
      {{LayerRule::EachStep, "decoder_layers", "decoder_sparse_step"}, true}};
  f.mixer.kind = MixerKind::GroupedQuery;
  f.mixer.heads = "encoder_attention_heads";
  f.mixer.keyValueHeads = "";
  f.mixer.bias = f.mixer.outputBias = {"", true};
  return f;
}

/// The native keys of flaxformer's gin files.
static ShapeFamily flaxformer() {
  ShapeFamily f = switchTransformers();
  f.modelType = "flaxformer";
  f.hidden = "EMBED_DIM";
  f.vocabulary = "VOCAB_SIZE";
  f.experts = "NUM_EXPERTS";
  f.choices = "NUM_SELECTED_EXPERTS";
  f.expertWidth = f.denseWidth = "MLP_DIM";
  f.stacks[0].layers.layers = "NUM_ENCODER_LAYERS";
  f.stacks[0].layers.key = "NUM_ENCODER_SPARSE_LAYERS";
  f.stacks[1].layers.layers = "NUM_DECODER_LAYERS";
  f.stacks[1].layers.key = "NUM_DECODER_SPARSE_LAYERS";
  f.mixer.heads = "NUM_HEADS";
  f.mixer.headSize = "HEAD_DIM";
  return f;
}

static llvm::ArrayRef<ShapeFamily> shapeFamilies() {
  static const std::vector<ShapeFamily> families = {
      dbrx(),       deepSeekV2(),
      deepSeekV3(), ernie(),
      flaxformer(), glm4(),
      gptOss(),     granite(),
      grok(),       hunyuan(),
      jamba(),      named(deepSeekV3(), "kimi_k2"),
      llama4(),     miniMax(),
      mixtral(),    nllb(),
      olmoe(),      named(mixtral(), "phimoe"),
      qwen2(),      qwen35(),
      qwen3(),      switchTransformers()};
  return families;
}

std::vector<std::string> moe::model::knownModelTypes() {
  std::vector<std::string> types;
  for (const ShapeFamily &family : shapeFamilies()) {
    types.push_back(family.modelType);
  }
  llvm::sort(types);
  return types;
}

llvm::Expected<const ShapeFamily *>
moe::model::findShapeFamily(const ConfigObject &config) {
  std::string type = "flaxformer";
  if (config.has("model_type") || !config.has("EMBED_DIM")) {
    llvm::Expected<llvm::StringRef> name = config.getString("model_type");
    if (!name) {
      return name.takeError();
    }
    type = name->str();
  }
  for (const ShapeFamily &family : shapeFamilies()) {
    if (family.modelType == type) {
      return &family;
    }
  }
  return config.makeError("model_type",
                          "unknown family \"" + type + "\"; known families: " +
                              llvm::join(knownModelTypes(), ", "));
}
