// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a family of models is, as data: one row a family (Families.cpp). Whoever
// reads a row knows no family by name, so a new family is a new row.

#ifndef MOE_LIB_IMPORT_FAMILY_H
#define MOE_LIB_IMPORT_FAMILY_H

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Model/ExpertLayers.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir::moe {

enum class Activation { Silu, Relu };

/// When the weights of a token are divided by their sum.
enum class NormalizeRule { Never, Always, ByFlag };

using ::moe::model::LayerRule;

enum class AttentionKind { GroupedQuery, Latent, RelativeBias };

/// How the experts of a token are chosen, by the value of a key.
struct SelectionMethod {
  std::string name;
  /// Null: all experts compete. Otherwise `n_group` groups compete first, of
  /// which `topk_group` stay; a group scores its best expert or the sum of its
  /// `groupTop` best.
  std::optional<GroupScore> groupScore;
  int64_t groupTop = 1;
};

/// A key of which only one value is understood; absent means that value.
struct FixedChoice {
  std::string key;
  std::string value;
};
struct FixedFlag {
  std::string key;
  bool value;
};
struct FixedInteger {
  std::string key;
  int64_t value;
};

/// An optional size or number with the default of the family's class.
struct KeyWithDefault {
  std::string key;
  double otherwise;
};

/// A flag, or a constant where the key is empty.
struct FlagRule {
  std::string key;
  bool otherwise = false;
};

/// Checkpoint names of a gated or plain two-matrix feed-forward network; `gate`
/// is empty where there is none.
struct FeedForwardNames {
  std::string gate;
  std::string up;
  std::string down;
};

struct RouterRow {
  ScoreFunction score = ScoreFunction::Softmax;
  /// The key that names the router's dtype, f32 where it is absent. In families
  /// without such a key `inModelDtype` says whether logits are rounded to the
  /// model's, or stay f32.
  std::string dtypeKey;
  bool inModelDtype = true;
  /// Scores are rounded to the model's dtype before the selection.
  bool scoresInModelDtype = false;
  /// Weights are rounded to the model's dtype at the end.
  bool weightsInModelDtype = false;
  std::string name;
  /// Name of a bias for selection only, kept in f32; empty without.
  std::string biasName;
  /// Empty: one expert a token.
  std::string topKKey = "num_experts_per_tok";
  /// By the value of `methodKey` (default: the first); one or more.
  std::string methodKey;
  bool methodRequired = false;
  std::vector<SelectionMethod> methods = {SelectionMethod{}};
  NormalizeRule normalize = NormalizeRule::Never;
  double epsilon = 0.0;
  /// Factor of all weights; empty without.
  std::string scaleKey;
  /// Tokens of a sequence that an expert takes; what it does not take returns
  /// the weighted input. Empty: no limit.
  std::string capacityKey;
};

struct SharedExpertRow {
  /// The width; or, with `countKey`, so many times the experts' width.
  std::string widthKey;
  std::string countKey;
  FeedForwardNames names;
  /// Weight [1, H] of a gate over the shared expert; empty without.
  std::string gateName;
  bool exists() const { return !widthKey.empty() || !countKey.empty(); }
};

struct AttentionRow {
  AttentionKind kind = AttentionKind::GroupedQuery;
  /// Biases of q, k and v (Latent: of the projections down), and of o.
  FlagRule bias;
  FlagRule outputBias;
  /// Norms of q and k: of each head, or of the full width.
  FlagRule norm;
  bool normOfFullWidth = false;
};

/// A stack of layers: the decoder, or encoder and decoder.
struct StackRow {
  /// Empty for the only one.
  std::string name;
  std::string layersKey = "num_hidden_layers";
  /// EvenlySpread: how many layers have experts.
  std::string sparseKey;
  /// Prefix of layer {l}; of its feed-forward block behind that.
  std::string layerPrefix = "model.layers.{l}.";
  std::string blockPrefix = "mlp.";
  std::string attentionNorm = "input_layernorm.weight";
  std::string blockNorm = "post_attention_layernorm.weight";
  std::string finalNorm = "model.norm.weight";
  /// Has a cross attention over the stack before it.
  bool crossAttends = false;
};

struct Family {
  std::string modelType;
  std::string hiddenKey = "hidden_size";
  std::string expertsKey = "num_experts";
  /// The same under another name; transformers 5 writes Qwen3-MoE's this way.
  std::string expertsAlias = "num_local_experts";
  std::string expertWidthKey = "moe_intermediate_size";
  /// Width of layers without experts; empty where all have them.
  std::string denseWidthKey = "intermediate_size";
  std::string activationKey = "hidden_act";
  Activation activation = Activation::Silu;
  KeyWithDefault normEpsilon = {"rms_norm_eps", 1e-6};
  RouterRow router;
  /// Names behind the block's prefix; `{e}` is the expert.
  FeedForwardNames expertNames = {"experts.{e}.gate_proj.weight",
                                  "experts.{e}.up_proj.weight",
                                  "experts.{e}.down_proj.weight"};
  FeedForwardNames denseNames = {"gate_proj.weight", "up_proj.weight",
                                 "down_proj.weight"};
  SharedExpertRow shared;
  LayerRule layers = LayerRule::Every;
  AttentionRow attention;
  std::vector<StackRow> stacks = {StackRow{}};
  std::vector<FixedChoice> fixedChoices;
  std::vector<FixedFlag> fixedFlags;
  std::vector<FixedInteger> fixedIntegers;
};

/// All families, by model type.
ArrayRef<Family> getFamilies();

/// The row whose `modelType` is `name`; null if there is none.
const Family *findFamily(StringRef name);

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_FAMILY_H
