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
  if (value && (*value < 1 || *value > comm::kMaxCount)) {
    return emitError(UnknownLoc::get(context))
           << flag << ": expected a number from 1 to " << comm::kMaxCount
           << ", but got " << *value;
  }
  return success();
}

FloatType mlir::moe::getFloatType(StringRef name, MLIRContext *context) {
  return llvm::StringSwitch<FloatType>(name)
      .Cases({"bf16", "bfloat16"}, BFloat16Type::get(context))
      .Cases({"f16", "float16"}, Float16Type::get(context))
      .Cases({"f32", "float32"}, Float32Type::get(context))
      .Default({});
}

// The dtype that a configuration names, under its old or its new key.
static FailureOr<StringRef> findDtype(const Config &config) {
  StringRef found;
  for (StringRef key : {"torch_dtype", "dtype"}) {
    if (!config.has(key)) {
      continue;
    }
    FailureOr<StringRef> name =
        config.getChoice(key, {"bfloat16", "float16", "float32"});
    if (failed(name)) {
      return failure();
    }
    if (!found.empty() && found != *name) {
      return config.emitError(key)
             << "expected \"" << found << "\" as \"torch_dtype\" says, but got "
             << '"' << *name << '"';
    }
    found = *name;
  }
  if (!found.empty()) {
    return found;
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
  for (const FixedInteger &fixed : family.fixedIntegers) {
    FailureOr<int64_t> integer = config.getIntegerOr(fixed.key, fixed.value);
    if (failed(integer)) {
      return failure();
    }
    if (*integer != fixed.value) {
      return config.emitError(fixed.key)
             << "expected " << fixed.value << ", but got " << *integer;
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
    // As moe-place takes them; the shapes of checkpoints differ.
    bool isFlaxformer = config.has("EMBED_DIM");
    return emitError(config.getLocation("model_type"))
           << "unknown family: missing key \"model_type\"; known families: "
           << known
           << (isFlaxformer ? "; these are keys of flaxformer (T5X): give the "
                              "config.json that transformers has for the "
                              "checkpoint (switch_transformers)"
                            : "");
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
  if (failed(family) || failed(config.checkKnownKeys()) ||
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
  if (failed(describeRouting(config, row, model, context))) {
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
