//===- ShapeFamily.h - Where families keep their sizes ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One row a family, as data: which key holds which size, and what kinds of
// weights there are. Whoever reads a row knows no family by name. The
// compiler's rows (lib/Import/Family.h) say what a model computes; these only
// how large it is, so they cover more families, and a test compares the two.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_MODEL_SHAPEFAMILY_H
#define MOE_LIB_MODEL_SHAPEFAMILY_H

#include "ConfigReader.h"
#include "moe/Model/ExpertLayers.h"
#include "moe/Model/ModelShape.h"

namespace moe::model {

/// What layers have between their norms, besides a feed-forward block.
enum class MixerKind {
  /// Keys and values of groups of heads.
  GroupedQuery,
  /// Keys and values compressed to one vector a token (MLA).
  Latent,
  /// T5's heads with a table of biases.
  RelativeBias,
  /// Attention in some layers, a gated delta net in the others; `layer_types`.
  DeltaNet,
  /// Attention in some layers, Mamba in the others; `attn_layer_period`.
  Mamba,
  /// Attention in some layers, linear attention in the others;
  /// `attn_type_list`.
  Lightning,
};

struct MixerKeys {
  MixerKind kind = MixerKind::GroupedQuery;
  std::string heads = "num_attention_heads";
  /// Empty: as many as heads.
  std::string keyValueHeads = "num_key_value_heads";
  /// Absent in a configuration: hidden size / heads.
  std::string headSize = "head_dim";
  /// Biases of q, k and v, and of o.
  FlagRule bias;
  FlagRule outputBias;
  /// Norms of q and k: of each head, or of the full width.
  FlagRule norm;
  bool normOfFullWidth = false;
  /// q also makes a gate over the heads' output.
  FlagRule outputGate;
  /// A learnt logit a head that takes part in the softmax.
  bool hasSinks = false;
};

/// A stack of layers: the decoder, or encoder and decoder.
struct StackKeys {
  LayerKeys layers;
  bool crossAttends = false;
};

struct ShapeFamily {
  std::string modelType;
  /// The object that holds the sizes; empty: the whole configuration.
  std::string within;
  std::string hidden = "hidden_size";
  /// Absent in a configuration: embeddings are not counted, which is noted.
  std::string vocabulary = "vocab_size";
  FlagRule tied = {"tie_word_embeddings"};
  std::string experts = "num_experts";
  /// Read where `experts` is absent; transformers 5 writes Qwen3-MoE's so.
  std::string expertsAlias = "num_local_experts";
  /// Empty, or absent in a configuration: `otherwiseChoices`.
  std::string choices = "num_experts_per_tok";
  int64_t otherwiseChoices = 1;
  std::string expertWidth = "moe_intermediate_size";
  /// Of layers without experts; empty where all have them.
  std::string denseWidth = "intermediate_size";
  /// The shared experts' width; or, with `sharedCount`, so many times the
  /// experts'. Either may be absent in a configuration.
  std::string sharedWidth;
  std::string sharedCount;
  bool hasSharedGate = false;
  /// Three matrices to a feed-forward network, not two.
  bool isGated = true;
  /// Expert matrices have biases.
  bool hasExpertBias = false;
  /// One number for each expert beside the router's matrix.
  bool hasRouterBias = false;
  /// Grok-1: the width is 2/3 · `expertWidth` · hidden size, up to a multiple
  /// of 8.
  bool isWidthWidened = false;
  MixerKeys mixer;
  std::vector<StackKeys> stacks = {StackKeys{}};
};

/// The row of a configuration: by its model type, else by keys that only one
/// family has. Fails, listing the known types, if there is none.
llvm::Expected<const ShapeFamily *> findShapeFamily(const ConfigObject &config);

/// What rows of weights are added to.
class ShapeBuilder {
public:
  explicit ShapeBuilder(ModelShape &shape) : shape(shape) {}

  /// `count` equal matrices. Nothing without rows, columns or count.
  void add(WeightKind kind, llvm::StringRef name, int64_t rows, int64_t columns,
           int64_t count);
  /// A linear layer; `hasBias` adds a vector of its outputs.
  void addLinear(WeightKind kind, llvm::StringRef name, int64_t outputs,
                 int64_t inputs, int64_t count, bool hasBias = false);
  /// The matrices of a feed-forward network of a width.
  void addFeedForward(WeightKind kind, llvm::StringRef name, int64_t width,
                      int64_t count, const ShapeFamily &family);

  ModelShape &shape;
};

/// Adds the mixers of `layers` layers to the weights and caches.
void addMixers(ConfigReader &reader, const MixerKeys &keys, int64_t layers,
               bool crossAttends, ShapeBuilder &builder);

/// Gives the weights that the configuration quantizes their format.
void applyQuantization(const ConfigObject &config, ConfigReader &reader,
                       ModelShape &shape);

} // namespace moe::model

#endif // MOE_LIB_MODEL_SHAPEFAMILY_H
