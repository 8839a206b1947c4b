//===- ReadShape.cpp - From a configuration to a model's size -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::model;
using llvm::formatv;
using llvm::StringRef;
using llvm::Twine;

void ShapeBuilder::add(WeightKind kind, StringRef name, int64_t rows,
                       int64_t columns, int64_t count) {
  if (rows > 0 && columns > 0 && count > 0) {
    shape.weights.push_back(
        {kind, name.str(), rows, columns, count, shape.dtype});
  }
}

void ShapeBuilder::addLinear(WeightKind kind, StringRef name, int64_t outputs,
                             int64_t inputs, int64_t count, bool hasBias) {
  add(kind, name, outputs, inputs, count);
  if (hasBias) {
    add(kind, (name + " bias").str(), 1, outputs, count);
  }
}

void ShapeBuilder::addFeedForward(WeightKind kind, StringRef name,
                                  int64_t width, int64_t count,
                                  const ShapeFamily &family) {
  bool hasBias = kind == WeightKind::Expert && family.hasExpertBias;
  if (family.isGated) {
    addLinear(kind, (name + " gate").str(), width, shape.hidden, count,
              hasBias);
  }
  addLinear(kind, (name + " up").str(), width, shape.hidden, count, hasBias);
  addLinear(kind, (name + " down").str(), shape.hidden, width, count, hasBias);
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

/// The dtype that a configuration names, under its old or its new key.
static void readDtype(ConfigReader &reader, ModelShape &shape) {
  static constexpr StringRef known[] = {"bfloat16", "float16", "float32"};
  StringRef name;
  for (StringRef key : {"torch_dtype", "dtype"}) {
    if (name.empty() && reader.has(key)) {
      name = reader.choiceOr(key, known, known[0]);
    }
  }
  if (name.empty()) {
    shape.notes.push_back("no dtype is given: bf16 is assumed");
  }
  if (name == "float32") {
    shape.dtype.name = "f32";
    shape.dtype.bits = 32;
  } else if (name == "float16") {
    shape.dtype.name = "f16";
  }
}

/// Whether a module that is not converted holds weights of a kind.
static bool isExcluded(WeightKind kind, llvm::ArrayRef<std::string> modules) {
  StringRef part;
  switch (kind) {
  case WeightKind::Attention:
    part = "self_attn";
    break;
  case WeightKind::SharedExpert:
    part = "shared_expert";
    break;
  default:
    return false;
  }
  return llvm::any_of(modules, [&](const std::string &module) {
    return StringRef(module).contains(part);
  });
}

static NumberFormat readFp8(ConfigReader &reader) {
  std::vector<int64_t> block =
      reader.integers("quantization_config.weight_block_size", 1);
  NumberFormat format;
  format.bits = 8;
  format.scaleBits = 32;
  if (block.empty()) {
    // One scale a matrix: nothing to speak of.
    format.name = "fp8";
  } else if (block.size() != 2) {
    reader.fail("quantization_config.weight_block_size",
                "expected two sizes, but got " + Twine(block.size()));
  } else {
    format.name = formatv("fp8 {0}x{1}", block[0], block[1]);
    format.blockRows = block[0];
    format.blockColumns = block[1];
  }
  return format;
}

void moe::model::applyQuantization(const ConfigObject &config,
                                   ConfigReader &reader, ModelShape &shape) {
  if (!config.has("quantization_config")) {
    return;
  }
  StringRef method = reader.choiceOr("quantization_config.quant_method",
                                     {"fp8", "mxfp4"}, "fp8");
  std::vector<std::string> excluded =
      reader.strings("quantization_config.modules_to_not_convert");
  NumberFormat format = {"mxfp4", 4, 1, 32, 8};
  std::vector<WeightKind> kinds = {WeightKind::Expert};
  if (method == "fp8") {
    format = readFp8(reader);
    kinds = {WeightKind::Expert, WeightKind::SharedExpert,
             WeightKind::DenseFeedForward, WeightKind::Attention};
  }
  for (WeightGroup &group : shape.weights) {
    // Vectors (norms, biases) stay as they are.
    if (group.rows > 1 && llvm::is_contained(kinds, group.kind) &&
        !isExcluded(group.kind, excluded)) {
      group.format = format;
    }
  }
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static void addEmbeddings(ConfigReader &reader, const ShapeFamily &family,
                          ShapeBuilder &builder) {
  ModelShape &shape = builder.shape;
  if (!reader.has(family.vocabulary)) {
    shape.notes.push_back(
        formatv("no {0}: embedding and output head are not counted",
                family.vocabulary));
    return;
  }
  int64_t vocabulary = reader.integer(family.vocabulary);
  builder.add(WeightKind::Embedding, "embedding", vocabulary, shape.hidden, 1);
  if (!reader.flag(family.tied)) {
    builder.add(WeightKind::OutputHead, "output head", vocabulary, shape.hidden,
                1);
  }
}

/// The width of shared experts; 0 without them.
static int64_t readSharedWidth(ConfigReader &reader, const ShapeFamily &family,
                               int64_t width) {
  if (!family.sharedWidth.empty() && reader.has(family.sharedWidth)) {
    return reader.integer(family.sharedWidth, 0);
  }
  if (!family.sharedCount.empty() && reader.has(family.sharedCount)) {
    return reader.integer(family.sharedCount, 0) * width;
  }
  return 0;
}

static int64_t readExpertWidth(ConfigReader &reader, const ShapeFamily &family,
                               int64_t hidden) {
  int64_t width = reader.integer(family.expertWidth);
  return family.isWidthWidened ? (width * hidden * 2 / 3 + 7) / 8 * 8 : width;
}

static void addBlocks(ConfigReader &reader, const ShapeFamily &family,
                      int64_t expertLayers, int64_t denseLayers,
                      ShapeBuilder &builder) {
  ModelShape &shape = builder.shape;
  int64_t width = shape.expertWidth;
  builder.add(WeightKind::Router, "router", shape.experts, shape.hidden,
              expertLayers);
  if (family.hasRouterBias) {
    builder.add(WeightKind::Router, "router bias", 1, shape.experts,
                expertLayers);
  }
  builder.addFeedForward(WeightKind::Expert, "expert", width,
                         expertLayers * shape.experts, family);
  if (int64_t shared = readSharedWidth(reader, family, width)) {
    builder.addFeedForward(WeightKind::SharedExpert, "shared expert", shared,
                           expertLayers, family);
    if (family.hasSharedGate) {
      builder.add(WeightKind::SharedExpert, "shared gate", 1, shape.hidden,
                  expertLayers);
    }
  }
  if (denseLayers > 0) {
    // Where all layers ought to have experts, those that do not are as wide.
    int64_t dense =
        family.denseWidth.empty() ? width : reader.integer(family.denseWidth);
    builder.addFeedForward(WeightKind::DenseFeedForward, "dense", dense,
                           denseLayers, family);
  }
}

static void addStack(const ConfigObject &config, ConfigReader &reader,
                     const ShapeFamily &family, const StackKeys &stack,
                     ShapeBuilder &builder) {
  llvm::Expected<std::vector<bool>> hasExperts =
      readExpertLayers(config, stack.layers);
  if (!hasExperts) {
    reader.fail(hasExperts.takeError());
    return;
  }
  ModelShape &shape = builder.shape;
  int64_t layers = hasExperts->size();
  int64_t expertLayers = llvm::count(*hasExperts, true);
  shape.layers += layers;
  shape.expertLayers += expertLayers;
  addMixers(reader, family.mixer, layers, stack.crossAttends, builder);
  addBlocks(reader, family, expertLayers, layers - expertLayers, builder);
  int64_t norms = layers * (stack.crossAttends ? 3 : 2) + 1;
  builder.add(WeightKind::Norm, "norms", 1, shape.hidden, norms);
}

static void noteWhatIsLeftOut(const ConfigObject &whole, ConfigReader &reader,
                              ModelShape &shape) {
  for (StringRef key : {"num_nextn_predict_layers", "mtp_num_hidden_layers"}) {
    if (int64_t further = reader.integerOr(key, 0, 0)) {
      shape.notes.push_back(formatv(
          "{0} = {1}: layers that predict further tokens are not counted", key,
          further));
    }
  }
  if (whole.has("vision_config")) {
    shape.notes.push_back("the vision encoder is not counted");
  }
}

llvm::Expected<ModelShape>
moe::model::readModelShape(const ConfigObject &config) {
  llvm::Expected<const ShapeFamily *> found = findShapeFamily(config);
  if (!found) {
    return found.takeError();
  }
  const ShapeFamily &family = **found;
  ConfigObject inner = config;
  if (!family.within.empty()) {
    llvm::Expected<ConfigObject> object = config.getObject(family.within);
    if (!object) {
      return object.takeError();
    }
    inner = *object;
  }
  ConfigReader reader(inner);
  ModelShape shape;
  ShapeBuilder builder(shape);
  shape.family = family.modelType;
  readDtype(reader, shape);
  shape.hidden = reader.integer(family.hidden);
  bool renamed = !reader.has(family.experts) && reader.has(family.expertsAlias);
  shape.experts =
      reader.integer(renamed ? family.expertsAlias : family.experts);
  shape.choices =
      family.choices.empty()
          ? family.otherwiseChoices
          : reader.integerOr(family.choices, family.otherwiseChoices);
  shape.expertWidth = readExpertWidth(reader, family, shape.hidden);
  if (shape.choices > shape.experts) {
    reader.fail(family.choices, "expected at most the " + Twine(shape.experts) +
                                    " experts, but got " +
                                    Twine(shape.choices));
  }
  addEmbeddings(reader, family, builder);
  for (const StackKeys &stack : family.stacks) {
    addStack(inner, reader, family, stack, builder);
  }
  if (shape.expertLayers == 0) {
    reader.fail(family.stacks.front().layers.layers,
                "expected a layer with experts, but got none");
  }
  noteWhatIsLeftOut(config, reader, shape);
  ConfigReader outer(config);
  applyQuantization(config, outer, shape);
  reader.fail(outer.takeError());
  if (llvm::Error error = reader.takeError()) {
    return std::move(error);
  }
  return shape;
}

llvm::Expected<ModelShape> moe::model::readModelShape(StringRef text,
                                                      StringRef file) {
  llvm::Expected<ConfigObject> config = ConfigObject::parse(text, file);
  if (!config) {
    return config.takeError();
  }
  return readModelShape(*config);
}
