// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One model, as plain data: a family's row filled in from a configuration. All
// checks of the configuration are behind us here; building the module cannot
// fail.

#ifndef MOE_LIB_IMPORT_MODELDESCRIPTION_H
#define MOE_LIB_IMPORT_MODELDESCRIPTION_H

#include "Config.h"
#include "Family.h"

#include "moe/Import/HuggingFace.h"

namespace mlir::moe {

/// Weights that a function takes as one operand.
struct WeightSlot {
  /// In symbols and SSA names: "experts.gate".
  std::string name;
  /// Checkpoint name, with `{l}` for the layer and `{e}` for the expert.
  std::string pattern;
  Type type;
  /// Whether a quantized checkpoint quantizes it: matrices of linear layers.
  bool isLinear = true;
  bool isPerLayer() const { return pattern.find("{l}") != std::string::npos; }
};

struct Routing {
  int64_t experts = 0;
  int64_t topK = 0;
  ScoreFunction score = ScoreFunction::Softmax;
  bool roundLogits = false;
  bool roundScores = false;
  bool roundWeights = false;
  bool biased = false;
  /// Null: all experts compete.
  GroupLimitAttr limit;
  bool normalize = false;
  double epsilon = 0.0;
  double scale = 1.0;
  /// Null: no expert is ever full.
  CapacityAttr capacity;
  CapacityGroupAttr capacityGroup;
};

/// What attention costs; it is not computed here.
struct AttentionCost {
  /// Of the projections.
  int64_t flopsPerToken = 0;
  /// Of scores and values, for each position that a token attends to.
  int64_t flopsPerTokenAndPosition = 0;
  int64_t weightBytes = 0;
  int64_t cacheBytesPerToken = 0;
};

struct Attention {
  /// Name of the declared function.
  std::string function;
  std::string kind;
  int64_t heads = 0;
  int64_t keyValueHeads = 0;
  int64_t headSize = 0;
  WeightSlot norm;
  SmallVector<WeightSlot> weights;
  /// Attends to the output of the stack before.
  bool crossAttends = false;
  AttentionCost cost;
};

struct Stack {
  /// Empty for the only one.
  std::string name;
  /// Whether layer i has experts.
  SmallVector<bool> hasExperts;
  SmallVector<Attention, 2> attentions;
  WeightSlot blockNorm;
  SmallVector<WeightSlot> moeWeights;
  SmallVector<WeightSlot> denseWeights;
  WeightSlot finalNorm;
};

struct Quantization {
  /// "fp8 e4m3 128x128"
  std::string label;
  std::string scheme;
  SmallVector<std::string> excludedModules;
};

struct ModelDescription {
  std::string family;
  FloatType dtype;
  int64_t hidden = 0;
  /// ShapedType::kDynamic unless asked for.
  int64_t tokens = ShapedType::kDynamic;
  int64_t maxTokens = kDefaultMaxTokens;
  std::optional<int64_t> sequenceLength;
  double normEpsilon = 0.0;
  Activation activation = Activation::Silu;
  Routing routing;
  SmallVector<Stack, 2> stacks;
  std::optional<Quantization> quantization;
  /// What the module does not hold, in words.
  SmallVector<std::string> notes;

  int64_t getElementBytes() const { return dtype.getIntOrFloatBitWidth() / 8; }
};

/// Reads and checks what `config` says of a model; failure is reported.
FailureOr<ModelDescription>
describeModel(const Config &config, const HuggingFaceImportOptions &options,
              MLIRContext *context);

/// Reads `model.routing`.
LogicalResult describeRouting(const Config &config, const Family &family,
                              ModelDescription &model, MLIRContext *context);

/// The layers of a stack and the weights of its blocks.
FailureOr<Stack> describeStack(const Config &config, const Family &family,
                               const StackRow &row,
                               const ModelDescription &model);

/// The attention sublayers of a stack (self, then cross).
FailureOr<SmallVector<Attention, 2>>
describeAttentions(const Config &config, const Family &family,
                   const StackRow &stack, const ModelDescription &model);

/// The `quantization_config`, if there is one.
FailureOr<std::optional<Quantization>>
describeQuantization(const Config &config);

/// The type called "bf16" or "bfloat16", …; null if there is none.
FloatType getFloatType(StringRef name, MLIRContext *context);

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_MODELDESCRIPTION_H
