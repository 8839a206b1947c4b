// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows. Semantics are those of huggingface/transformers; where that differs
// from a model's own code (DeepSeek's mask value and epsilon), transformers
// counts, because its configuration is what we read.

#include "Family.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::moe;

static Family mixtral() {
  Family f;
  f.modelType = "mixtral";
  f.expertsKey = "num_local_experts";
  f.expertsAlias = "num_experts";
  f.expertWidthKey = "intermediate_size";
  f.denseWidthKey = "";
  f.normEpsilon.otherwise = 1e-5;
  f.router.name = "gate.weight";
  f.router.normalize = NormalizeRule::Always;
  f.router.weightsInModelDtype = true;
  f.expertNames = {"experts.{e}.w1.weight", "experts.{e}.w3.weight",
                   "experts.{e}.w2.weight"};
  f.stacks[0].blockPrefix = "block_sparse_moe.";
  return f;
}

static Family qwen3() {
  Family f;
  f.modelType = "qwen3_moe";
  f.router.name = "gate.weight";
  f.router.normalize = NormalizeRule::ByFlag;
  f.layers = LayerRule::EachStep;
  f.attention.bias = f.attention.outputBias = {"attention_bias"};
  f.attention.norm = {"", true};
  return f;
}

static Family qwen2() {
  Family f = qwen3();
  f.modelType = "qwen2_moe";
  f.shared.widthKey = "shared_expert_intermediate_size";
  f.shared.names = {"shared_expert.gate_proj.weight",
                    "shared_expert.up_proj.weight",
                    "shared_expert.down_proj.weight"};
  f.shared.gateName = "shared_expert_gate.weight";
  f.attention.bias = {"qkv_bias", true};
  f.attention.outputBias = {};
  f.attention.norm = {};
  return f;
}

static Family olmoe() {
  Family f;
  f.modelType = "olmoe";
  f.expertWidthKey = "intermediate_size";
  f.denseWidthKey = "";
  f.normEpsilon.otherwise = 1e-5;
  f.router.name = "gate.weight";
  f.router.normalize = NormalizeRule::ByFlag;
  f.router.weightsInModelDtype = true;
  f.attention.bias = f.attention.outputBias = {"attention_bias"};
  f.attention.norm = {"", true};
  f.attention.normOfFullWidth = true;
  return f;
}

static Family deepSeekV2() {
  Family f;
  f.modelType = "deepseek_v2";
  f.expertsKey = "n_routed_experts";
  f.router.name = "gate.weight";
  f.router.inModelDtype = false;
  f.router.methodKey = "topk_method";
  f.router.methodRequired = true;
  f.router.methods = {{"greedy", std::nullopt, 1},
                      {"group_limited_greedy", GroupScore::Max, 1}};
  f.router.scaleKey = "routed_scaling_factor";
  f.shared.countKey = "n_shared_experts";
  f.shared.names = {"shared_experts.gate_proj.weight",
                    "shared_experts.up_proj.weight",
                    "shared_experts.down_proj.weight"};
  f.layers = LayerRule::AfterDense;
  f.attention.kind = AttentionKind::Latent;
  f.attention.bias = f.attention.outputBias = {"attention_bias"};
  f.fixedChoices = {{"scoring_func", "softmax"}};
  // transformers ignores the flag, DeepSeek's code normalises and then does not
  // scale: refused rather than guessed.
  f.fixedFlags = {{"norm_topk_prob", false}};
  return f;
}

static Family deepSeekV3() {
  Family f = deepSeekV2();
  f.modelType = "deepseek_v3";
  f.router.score = ScoreFunction::Sigmoid;
  f.router.biasName = "gate.e_score_correction_bias";
  f.router.methodRequired = false;
  f.router.methods = {{"noaux_tc", GroupScore::SumOfTop, 2}};
  f.router.normalize = NormalizeRule::ByFlag;
  f.router.epsilon = 1e-20;
  f.fixedChoices = {{"scoring_func", "sigmoid"}};
  f.fixedFlags = {};
  return f;
}

static Family kimiK2() {
  Family f = deepSeekV3();
  f.modelType = "kimi_k2";
  return f;
}

static Family glm4() {
  Family f = deepSeekV3();
  f.modelType = "glm4_moe";
  f.normEpsilon.otherwise = 1e-5;
  f.attention = {};
  f.attention.bias = {"attention_bias"};
  f.attention.norm = {"use_qk_norm"};
  return f;
}

static StackRow switchStack(StringRef name, StringRef layersKey, int sublayer) {
  StackRow s;
  s.name = name.str();
  s.layersKey = layersKey.str();
  s.sparseKey = "num_sparse_" + s.name + "_layers";
  s.layerPrefix = s.name + ".block.{l}.layer.";
  std::string last = std::to_string(sublayer);
  s.blockPrefix = last + ".mlp.";
  s.attentionNorm = "0.layer_norm.weight";
  s.blockNorm = last + ".layer_norm.weight";
  s.finalNorm = s.name + ".final_layer_norm.weight";
  s.crossAttends = sublayer == 2;
  return s;
}

static Family switchTransformers() {
  Family f;
  f.modelType = "switch_transformers";
  f.hiddenKey = "d_model";
  f.expertWidthKey = "d_ff";
  f.denseWidthKey = "d_ff";
  f.activationKey = "dense_act_fn";
  f.activation = Activation::Relu;
  f.normEpsilon = {"layer_norm_epsilon", 1e-6};
  f.router.name = "router.classifier.weight";
  f.router.dtypeKey = "router_dtype";
  f.router.inModelDtype = false;
  f.router.scoresInModelDtype = true;
  f.router.topKKey = "";
  f.router.capacityKey = "expert_capacity";
  f.expertNames = {"", "experts.expert_{e}.wi.weight",
                   "experts.expert_{e}.wo.weight"};
  f.denseNames = {"", "wi.weight", "wo.weight"};
  f.layers = LayerRule::EvenlySpread;
  f.attention.kind = AttentionKind::RelativeBias;
  f.stacks = {switchStack("encoder", "num_layers", 1),
              switchStack("decoder", "num_decoder_layers", 2)};
  f.fixedChoices = {{"feed_forward_proj", "relu"}};
  f.fixedFlags = {{"router_bias", false}};
  f.fixedIntegers = {{"num_selected_experts", 1}};
  return f;
}

ArrayRef<Family> mlir::moe::getFamilies() {
  static const std::vector<Family> families = {
      deepSeekV2(), deepSeekV3(), glm4(),
      kimiK2(),     mixtral(),    olmoe(),
      qwen2(),      qwen3(),      switchTransformers()};
  return families;
}

const Family *mlir::moe::findFamily(StringRef name) {
  ArrayRef<Family> families = getFamilies();
  const auto *family = llvm::find_if(
      families, [&](const Family &one) { return one.modelType == name; });
  return family == families.end() ? nullptr : &*family;
}
