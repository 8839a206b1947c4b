// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModelDescription.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static LogicalResult checkPositive(std::optional<int64_t> value, StringRef flag,
                                   MLIRContext *context) {
  constexpr int64_t maximum = int64_t(1) << 31;
  if (value && (*value < 1 || *value > maximum)) {
    return emitError(UnknownLoc::get(context))
           << flag << ": expected a positive number, but got " << *value;
  }
  return success();
}

static FloatType getFloatType(StringRef name, MLIRContext *context) {
  return llvm::StringSwitch<FloatType>(name)
      .Cases("bf16", "bfloat16", BFloat16Type::get(context))
      .Cases("f16", "float16", Float16Type::get(context))
      .Cases("f32", "float32", Float32Type::get(context))
      .Default({});
}

// The dtype that a configuration names, under its old or its new key.
static FailureOr<StringRef> findDtype(const Config &config) {
  for (StringRef key : {"torch_dtype", "dtype"}) {
    if (config.has(key)) {
      return config.getChoice(key, {"bfloat16", "float16", "float32"});
    }
  }
  if (config.has("text_config")) {
    FailureOr<Config> text = config.getObject("text_config");
    return failed(text) ? FailureOr<StringRef>() : findDtype(*text);
  }
  return StringRef();
}

static FailureOr<FloatType> chooseDtype(const Config &config,
                                        const HuggingFaceImportOptions &options,
                                        MLIRContext *context) {
  if (options.dtype) {
    FloatType type = llvm::is_contained({"bf16", "f16", "f32"}, *options.dtype)
                         ? getFloatType(*options.dtype, context)
                         : FloatType();
    if (!type) {
      return emitError(UnknownLoc::get(context))
             << "--dtype: expected bf16, f32 or f16, but got '"
             << *options.dtype << "'";
    }
    return type;
  }
  FailureOr<StringRef> name = findDtype(config);
  if (failed(name)) {
    return failure();
  }
  if (name->empty()) {
    emitRemark(config.getLocation("torch_dtype"))
        << "no torch_dtype and no --dtype: bf16 is taken";
    return FloatType(BFloat16Type::get(context));
  }
  return getFloatType(*name, context);
}

//===----------------------------------------------------------------------===//
// Routing
//===----------------------------------------------------------------------===//

static FailureOr<GroupLimitAttr> readGroupLimit(const Config &config,
                                                const SelectionMethod &method,
                                                int64_t experts,
                                                MLIRContext *context) {
  if (!method.groupScore) {
    return GroupLimitAttr();
  }
  FailureOr<int64_t> groups = config.getInteger("n_group");
  FailureOr<int64_t> keep = config.getInteger("topk_group");
  if (failed(groups) || failed(keep)) {
    return failure();
  }
  if (experts % *groups != 0) {
    return config.emitError("n_group")
           << "expected a divisor of the " << experts << " experts, but got "
           << *groups;
  }
  if (*keep > *groups) {
    return config.emitError("topk_group")
           << "expected at most n_group " << *groups << ", but got " << *keep;
  }
  if (method.groupTop > experts / *groups) {
    return config.emitError("n_group")
           << "expected groups of at least " << method.groupTop
           << " experts, but got " << *groups << " groups of "
           << experts / *groups;
  }
  // Where all groups stay nothing is masked.
  if (*keep == *groups) {
    return GroupLimitAttr();
  }
  return GroupLimitAttr::get(context, *groups, *keep, *method.groupScore,
                             method.groupTop, MaskValue::Zero);
}

static FailureOr<const SelectionMethod *>
readSelectionMethod(const Config &config, const RouterRow &row) {
  if (row.methodKey.empty() ||
      (!row.methodRequired && !config.has(row.methodKey))) {
    return &row.methods.front();
  }
  SmallVector<StringRef> names;
  for (const SelectionMethod &method : row.methods) {
    names.push_back(method.name);
  }
  FailureOr<StringRef> name = config.getChoice(row.methodKey, names);
  if (failed(name)) {
    return failure();
  }
  return &row.methods[llvm::find(names, *name) - names.begin()];
}

// Whether the router's matrix product leaves in the model's dtype.
static FailureOr<bool> readRoundLogits(const Config &config,
                                       const RouterRow &row, FloatType dtype) {
  if (row.dtypeKey.empty() || !config.has(row.dtypeKey)) {
    return row.inModelDtype;
  }
  FailureOr<StringRef> name =
      config.getChoice(row.dtypeKey, {"float32", "float16", "bfloat16"});
  if (failed(name)) {
    return failure();
  }
  FloatType type = getFloatType(*name, dtype.getContext());
  if (!type.isF32() && type != dtype) {
    return config.emitError(row.dtypeKey)
           << "expected float32 or the model's dtype " << dtype << ", but got "
           << *name;
  }
  return !type.isF32();
}

static LogicalResult readCapacity(const Config &config, const RouterRow &row,
                                  const ModelDescription &model,
                                  MLIRContext *context, Routing &routing) {
  if (row.capacityKey.empty()) {
    return success();
  }
  FailureOr<int64_t> count = config.getInteger(row.capacityKey);
  if (failed(count)) {
    return failure();
  }
  routing.capacity = CapacityAttr::get(context, *count, FloatAttr(),
                                       CapacityRounding::Ceil, 1, 0);
  bool sequences = model.sequenceLength.has_value();
  routing.capacityGroup = CapacityGroupAttr::get(
      context, sequences ? CapacityScope::Sequence : CapacityScope::All,
      model.sequenceLength.value_or(0));
  return success();
}

static LogicalResult readRouting(const Config &config, const Family &family,
                                 ModelDescription &model,
                                 MLIRContext *context) {
  const RouterRow &row = family.router;
  Routing &routing = model.routing;
  FailureOr<int64_t> experts = config.getInteger(family.expertsKey);
  FailureOr<int64_t> topK = row.topKKey.empty()
                                ? FailureOr<int64_t>(1)
                                : config.getInteger(row.topKKey);
  FailureOr<const SelectionMethod *> method = readSelectionMethod(config, row);
  FailureOr<bool> roundLogits = readRoundLogits(config, row, model.dtype);
  FailureOr<bool> normalize = row.normalize == NormalizeRule::ByFlag
                                  ? config.getFlag("norm_topk_prob")
                                  : row.normalize == NormalizeRule::Always;
  FailureOr<double> scale = row.scaleKey.empty()
                                ? FailureOr<double>(1.0)
                                : config.getPositiveNumber(row.scaleKey);
  if (failed(experts) || failed(topK) || failed(method) ||
      failed(roundLogits) || failed(normalize) || failed(scale)) {
    return failure();
  }
  if (*topK > *experts) {
    return config.emitError(row.topKKey) << "expected at most the " << *experts
                                         << " experts, but got " << *topK;
  }
  FailureOr<GroupLimitAttr> limit =
      readGroupLimit(config, **method, *experts, context);
  if (failed(limit)) {
    return failure();
  }
  bool isF32 = model.dtype.isF32();
  routing.experts = *experts;
  routing.topK = *topK;
  routing.score = row.score;
  routing.roundLogits = *roundLogits && !isF32;
  routing.roundScores = row.scoresInModelDtype && !isF32;
  routing.roundWeights = row.weightsInModelDtype && !isF32;
  routing.biased = !row.biasName.empty();
  routing.limit = *limit;
  routing.normalize = *normalize;
  routing.epsilon = row.epsilon;
  routing.scale = *scale;
  return readCapacity(config, row, model, context, routing);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

static LogicalResult markAfterDense(const Config &config,
                                    MutableArrayRef<bool> hasExperts) {
  FailureOr<int64_t> dense = config.getInteger("first_k_dense_replace", 0);
  FailureOr<int64_t> step = config.getIntegerOr("moe_layer_freq", 1);
  if (failed(dense) || failed(step)) {
    return failure();
  }
  for (auto [layer, has] : llvm::enumerate(hasExperts)) {
    int64_t number = static_cast<int64_t>(layer);
    has = number >= *dense && number % *step == 0;
  }
  return success();
}

static LogicalResult markEachStep(const Config &config,
                                  MutableArrayRef<bool> hasExperts) {
  FailureOr<int64_t> step = config.getIntegerOr("decoder_sparse_step", 1);
  FailureOr<SmallVector<int64_t>> dense =
      config.getIntegers("mlp_only_layers", 0);
  if (failed(step) || failed(dense)) {
    return failure();
  }
  for (auto [layer, has] : llvm::enumerate(hasExperts)) {
    int64_t number = static_cast<int64_t>(layer);
    has = !llvm::is_contained(*dense, number) && (number + 1) % *step == 0;
  }
  return success();
}

static LogicalResult markEvenlySpread(const Config &config,
                                      const StackRow &stack,
                                      MutableArrayRef<bool> hasExperts) {
  FailureOr<int64_t> sparse = config.getInteger(stack.sparseKey);
  if (failed(sparse)) {
    return failure();
  }
  int64_t layers = static_cast<int64_t>(hasExperts.size());
  if (*sparse > layers) {
    return config.emitError(stack.sparseKey)
           << "expected at most " << stack.layersKey << " " << layers
           << ", but got " << *sparse;
  }
  int64_t step = layers / *sparse;
  for (auto [layer, has] : llvm::enumerate(hasExperts)) {
    has = step == 1 || static_cast<int64_t>(layer) % step == 1;
  }
  return success();
}

static FailureOr<SmallVector<bool>>
readLayers(const Config &config, const Family &family, const StackRow &stack) {
  // Above this a typing error is likelier than a model.
  constexpr int64_t most = 10000;
  FailureOr<int64_t> count = config.getInteger(stack.layersKey);
  if (failed(count)) {
    return failure();
  }
  if (*count > most) {
    return config.emitError(stack.layersKey)
           << "expected at most " << most << " layers, but got " << *count;
  }
  SmallVector<bool> hasExperts(*count, true);
  LogicalResult marked = success();
  switch (family.layers) {
  case LayerRule::Every:
    break;
  case LayerRule::AfterDense:
    marked = markAfterDense(config, hasExperts);
    break;
  case LayerRule::EachStep:
    marked = markEachStep(config, hasExperts);
    break;
  case LayerRule::EvenlySpread:
    marked = markEvenlySpread(config, stack, hasExperts);
    break;
  }
  return failed(marked) ? FailureOr<SmallVector<bool>>() : hasExperts;
}

//===----------------------------------------------------------------------===//
// Feed-forward blocks
//===----------------------------------------------------------------------===//

// The matrices of a network of `width`: tensors, or one each of `experts`.
static void addFeedForward(SmallVectorImpl<WeightSlot> &slots,
                           const ModelDescription &model, StringRef group,
                           StringRef prefix, const FeedForwardNames &names,
                           int64_t width, int64_t experts) {
  auto add = [&](StringRef name, StringRef pattern, int64_t out, int64_t in) {
    if (pattern.empty()) {
      return;
    }
    Type type = RankedTensorType::get({out, in}, model.dtype);
    if (experts > 0) {
      type = WeightsType::get(model.dtype.getContext(), {experts, in, out},
                              model.dtype);
    }
    slots.push_back({(group + "." + name).str(), (prefix + pattern).str(), type,
                     /*isLinear=*/true});
  };
  add("gate", names.gate, width, model.hidden);
  add("up", names.up, width, model.hidden);
  add("down", names.down, model.hidden, width);
}

// The width of the shared experts; 0 without them.
static FailureOr<int64_t> readSharedWidth(const Config &config,
                                          const SharedExpertRow &row,
                                          int64_t expertWidth) {
  if (!row.widthKey.empty()) {
    return config.getInteger(row.widthKey);
  }
  if (row.countKey.empty()) {
    return 0;
  }
  FailureOr<int64_t> count = config.getIntegerOrNull(row.countKey);
  return failed(count) ? count : FailureOr<int64_t>(*count * expertWidth);
}

static LogicalResult describeBlocks(const Config &config, const Family &family,
                                    const StackRow &row,
                                    const ModelDescription &model,
                                    Stack &stack) {
  FailureOr<int64_t> width = config.getInteger(family.expertWidthKey);
  FailureOr<int64_t> denseWidth = family.denseWidthKey.empty()
                                      ? FailureOr<int64_t>(0)
                                      : config.getInteger(family.denseWidthKey);
  if (failed(width) || failed(denseWidth)) {
    return failure();
  }
  FailureOr<int64_t> sharedWidth =
      readSharedWidth(config, family.shared, *width);
  if (failed(sharedWidth)) {
    return failure();
  }
  std::string prefix = row.layerPrefix + row.blockPrefix;
  int64_t experts = model.routing.experts;
  Type routerType = RankedTensorType::get({experts, model.hidden}, model.dtype);
  stack.moeWeights.push_back(
      {"router", prefix + family.router.name, routerType, /*isLinear=*/false});
  if (model.routing.biased) {
    Type f32 = Float32Type::get(model.dtype.getContext());
    stack.moeWeights.push_back({"router_bias", prefix + family.router.biasName,
                                RankedTensorType::get({experts}, f32),
                                /*isLinear=*/false});
  }
  addFeedForward(stack.moeWeights, model, "experts", prefix, family.expertNames,
                 *width, experts);
  if (*sharedWidth > 0) {
    addFeedForward(stack.moeWeights, model, "shared", prefix,
                   family.shared.names, *sharedWidth, 0);
  }
  if (*sharedWidth > 0 && !family.shared.gateName.empty()) {
    stack.moeWeights.push_back(
        {"shared_scale", prefix + family.shared.gateName,
         RankedTensorType::get({1, model.hidden}, model.dtype),
         /*isLinear=*/false});
  }
  if (*denseWidth > 0) {
    addFeedForward(stack.denseWeights, model, "dense", prefix,
                   family.denseNames, *denseWidth, 0);
  }
  return success();
}

static FailureOr<Stack> describeStack(const Config &config,
                                      const Family &family, const StackRow &row,
                                      const ModelDescription &model) {
  Stack stack;
  stack.name = row.name;
  FailureOr<SmallVector<bool>> layers = readLayers(config, family, row);
  FailureOr<SmallVector<Attention, 2>> attentions =
      describeAttentions(config, family, row, model);
  if (failed(layers) || failed(attentions) ||
      failed(describeBlocks(config, family, row, model, stack))) {
    return failure();
  }
  stack.hasExperts = *layers;
  stack.attentions = *attentions;
  auto normType = RankedTensorType::get({model.hidden}, model.dtype);
  stack.blockNorm = {"block_norm", row.layerPrefix + row.blockNorm, normType,
                     /*isLinear=*/false};
  stack.finalNorm = {"norm", row.finalNorm, normType, /*isLinear=*/false};
  return stack;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static LogicalResult checkFixedValues(const Config &config,
                                      const Family &family) {
  for (const FixedChoice &fixed : family.fixedChoices) {
    if (failed(config.getChoiceOr(fixed.key, {fixed.value}, fixed.value))) {
      return failure();
    }
  }
  for (const FixedFlag &fixed : family.fixedFlags) {
    FailureOr<bool> flag = config.getFlagOr(fixed.key, fixed.value);
    if (failed(flag)) {
      return failure();
    }
    if (*flag != fixed.value) {
      return config.emitError(fixed.key)
             << "expected " << (fixed.value ? "true" : "false") << ", but got "
             << (*flag ? "true" : "false");
    }
  }
  StringRef activation =
      family.activation == Activation::Silu ? "silu" : "relu";
  return config.getChoiceOr(family.activationKey, {activation}, activation);
}

static FailureOr<const Family *> readFamily(const Config &config) {
  std::string known;
  for (const Family &family : getFamilies()) {
    known += (known.empty() ? "" : ", ") + family.modelType;
  }
  if (!config.has("model_type")) {
    return emitError(config.getLocation("model_type"))
           << "unknown family: missing key \"model_type\"; known families: "
           << known;
  }
  FailureOr<StringRef> name = config.getString("model_type");
  if (failed(name)) {
    return failure();
  }
  if (const Family *family = findFamily(*name)) {
    return family;
  }
  return config.emitError("model_type")
         << "unknown family \"" << *name << "\"; known families: " << known;
}

// Keeps the first layers of each stack.
static LogicalResult limitLayers(ModelDescription &model,
                                 std::optional<int64_t> layers,
                                 MLIRContext *context) {
  if (!layers) {
    return success();
  }
  int64_t most = 0;
  for (const Stack &stack : model.stacks) {
    most = std::max<int64_t>(most, stack.hasExperts.size());
  }
  if (*layers < 1 || *layers > most) {
    return emitError(UnknownLoc::get(context))
           << "--layers: expected 1 to " << most << ", but got " << *layers;
  }
  for (Stack &stack : model.stacks) {
    int64_t count = stack.hasExperts.size();
    if (*layers < count) {
      stack.hasExperts.resize(*layers);
      model.notes.push_back(
          llvm::formatv("only the first {0} of {1}{2}{3} layers", *layers,
                        count, stack.name.empty() ? "" : " ", stack.name));
    }
  }
  return success();
}

static LogicalResult noteFurtherLayers(const Config &config,
                                       ModelDescription &model) {
  FailureOr<int64_t> further =
      config.getIntegerOr("num_nextn_predict_layers", 0, 0);
  if (failed(further)) {
    return failure();
  }
  if (*further > 0) {
    model.notes.push_back(llvm::formatv(
        "num_nextn_predict_layers = {0}: layers that predict further tokens "
        "are not part of the decoder",
        *further));
  }
  return success();
}

FailureOr<ModelDescription>
mlir::moe::describeModel(const Config &config,
                         const HuggingFaceImportOptions &options,
                         MLIRContext *context) {
  ModelDescription model;
  FailureOr<const Family *> family = readFamily(config);
  if (failed(family) ||
      failed(checkPositive(options.tokens, "--tokens", context)) ||
      failed(checkPositive(options.sequenceLength, "--sequence-length",
                           context)) ||
      failed(checkFixedValues(config, **family))) {
    return failure();
  }
  const Family &row = **family;
  model.family = row.modelType;
  model.activation = row.activation;
  model.sequenceLength = options.sequenceLength;
  if (options.tokens) {
    model.tokens = model.maxTokens = *options.tokens;
  }
  FailureOr<FloatType> dtype = chooseDtype(config, options, context);
  FailureOr<int64_t> hidden = config.getInteger(row.hiddenKey);
  FailureOr<double> epsilon = config.getPositiveNumberOr(
      row.normEpsilon.key, row.normEpsilon.otherwise);
  FailureOr<std::optional<Quantization>> quantization =
      describeQuantization(config);
  if (failed(dtype) || failed(hidden) || failed(epsilon) ||
      failed(quantization)) {
    return failure();
  }
  model.dtype = *dtype;
  model.hidden = *hidden;
  model.normEpsilon = *epsilon;
  model.quantization = *quantization;
  if (failed(readRouting(config, row, model, context))) {
    return failure();
  }
  for (const StackRow &stackRow : row.stacks) {
    FailureOr<Stack> stack = describeStack(config, row, stackRow, model);
    if (failed(stack)) {
      return failure();
    }
    model.stacks.push_back(std::move(*stack));
  }
  if (failed(limitLayers(model, options.layers, context)) ||
      failed(noteFurtherLayers(config, model))) {
    return failure();
  }
  return model;
}
