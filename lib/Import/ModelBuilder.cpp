// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModelBuilder.h"

#include "BlockBuilder.h"
#include "TensorProgram.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// The functions of one stack; null where no layer needs them.
struct StackFunctions {
  SmallVector<func::FuncOp, 2> attentions;
  func::FuncOp moeLayer;
  func::FuncOp denseLayer;
};

class ModelBuilder {
public:
  explicit ModelBuilder(const ModelDescription &model)
      : model(model), builder(model.dtype.getContext()),
        module(ModuleOp::create(builder.getUnknownLoc(), model.family)),
        blocks(model, *module) {}

  OwningOpRef<ModuleOp> build();

private:
  void describe();
  void buildBlocks();
  StackFunctions buildLayers(const Stack &stack);
  func::FuncOp buildLayer(const Stack &stack, const StackFunctions &functions,
                          bool experts);
  void buildModelFunction(ArrayRef<StackFunctions> functions);
  /// Calls the layers of a stack on `x`; layers are counted from `firstLayer`
  /// over all stacks.
  Value callLayers(OpBuilder &b, const Stack &stack,
                   const StackFunctions &functions, Value x, Value memory,
                   int64_t firstLayer);
  /// A handle to the weights of `slot` in layer `number`; declares them when
  /// they are first used.
  Value useWeight(OpBuilder &b, const Stack &stack, const WeightSlot &slot,
                  int64_t number);
  StringAttr getQuantization(const WeightSlot &slot, StringRef checkpointName);

  const ModelDescription &model;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  BlockBuilder blocks;
  func::FuncOp moeBlock;
  func::FuncOp denseBlock;
  llvm::StringSet<> declared;
};
} // namespace

static Location nameLoc(OpBuilder &b, StringRef name) {
  return NameLoc::get(b.getStringAttr(name));
}

// The weights of a layer, in the order in which its function takes them.
static SmallVector<WeightSlot> getLayerWeights(const Stack &stack,
                                               bool experts) {
  SmallVector<WeightSlot> slots;
  for (const Attention &attention : stack.attentions) {
    slots.push_back(attention.norm);
    llvm::append_range(slots, attention.weights);
  }
  slots.push_back(stack.blockNorm);
  llvm::append_range(slots, experts ? stack.moeWeights : stack.denseWeights);
  return slots;
}

void ModelBuilder::describe() {
  Operation *op = *module;
  op->setAttr("moe.family", builder.getStringAttr(model.family));
  op->setAttr("moe.dtype", TypeAttr::get(model.dtype));
  op->setAttr(kMaxTokensAttrName, builder.getI64IntegerAttr(model.maxTokens));
  if (model.sequenceLength) {
    op->setAttr("moe.sequence_length",
                builder.getI64IntegerAttr(*model.sequenceLength));
  }
  int64_t layers = 0;
  for (const Stack &stack : model.stacks) {
    layers += stack.hasExperts.size();
  }
  op->setAttr("moe.num_layers", builder.getI64IntegerAttr(layers));
  if (model.quantization) {
    op->setAttr(
        "moe.quantization",
        builder.getDictionaryAttr(
            {builder.getNamedAttr(
                 "weights", builder.getStringAttr(model.quantization->label)),
             builder.getNamedAttr(
                 "activations",
                 builder.getStringAttr(model.quantization->scheme))}));
  }
  if (!model.notes.empty()) {
    SmallVector<StringRef> notes(model.notes.begin(), model.notes.end());
    op->setAttr("moe.notes", builder.getStrArrayAttr(notes));
  }
}

void ModelBuilder::buildBlocks() {
  // Blocks are equal in all stacks, up to the names of their weights.
  const Stack &stack = model.stacks.front();
  auto anyLayer = [&](bool experts) {
    return llvm::any_of(model.stacks, [&](const Stack &one) {
      return llvm::is_contained(one.hasExperts, experts);
    });
  };
  if (anyLayer(true)) {
    moeBlock = blocks.buildMoEBlock(stack.moeWeights);
  }
  if (anyLayer(false)) {
    denseBlock = blocks.buildDenseBlock(stack.denseWeights);
  }
}

func::FuncOp ModelBuilder::buildLayer(const Stack &stack,
                                      const StackFunctions &functions,
                                      bool experts) {
  Signature signature;
  signature.add("x", blocks.getTokensType());
  bool hasMemory = stack.attentions.back().crossAttends;
  if (hasMemory) {
    signature.add("memory", blocks.getTokensType());
  }
  signature.add(getLayerWeights(stack, experts));
  if (experts) {
    signature.add("placement", blocks.getPlacementType());
  }
  std::string prefix = stack.name.empty() ? "" : stack.name + "_";
  func::FuncOp function =
      blocks.beginFunction(prefix + (experts ? "moe_layer" : "dense_layer"),
                           "decoder_layer", /*isPublic=*/false, signature);
  Parameters parameters(signature, function.front());
  OpBuilder b = OpBuilder::atBlockEnd(&function.front());
  Value x = parameters.lookup("x");
  TensorProgram program(b, model.dtype, x);
  for (auto [attention, callee] :
       llvm::zip_equal(stack.attentions, functions.attentions)) {
    Value gamma = parameters.lookup(attention.norm.name);
    SmallVector<Value> operands{
        program.normalize("normalized", x, gamma, model.normEpsilon)};
    if (attention.crossAttends) {
      operands.push_back(parameters.lookup("memory"));
    }
    llvm::append_range(operands, parameters.lookup(attention.weights));
    Value attended =
        func::CallOp::create(b, program.named("attended"), callee, operands)
            .getResult(0);
    x = program.add("x", x, attended);
  }
  Value gamma = parameters.lookup(stack.blockNorm.name);
  SmallVector<Value> operands{
      program.normalize("normalized", x, gamma, model.normEpsilon)};
  llvm::append_range(operands, parameters.lookup(experts ? stack.moeWeights
                                                         : stack.denseWeights));
  if (experts) {
    operands.push_back(parameters.lookup("placement"));
  }
  Value y = func::CallOp::create(b, program.named("y"),
                                 experts ? moeBlock : denseBlock, operands)
                .getResult(0);
  blocks.endFunction(program.add("x", x, y));
  return function;
}

StackFunctions ModelBuilder::buildLayers(const Stack &stack) {
  StackFunctions functions;
  for (const Attention &attention : stack.attentions) {
    functions.attentions.push_back(blocks.declareAttention(attention));
  }
  if (llvm::is_contained(stack.hasExperts, true)) {
    functions.moeLayer = buildLayer(stack, functions, /*experts=*/true);
  }
  if (llvm::is_contained(stack.hasExperts, false)) {
    functions.denseLayer = buildLayer(stack, functions, /*experts=*/false);
  }
  return functions;
}

static std::string replaceLayer(StringRef pattern, int64_t number) {
  size_t place = pattern.find("{l}");
  if (place == StringRef::npos) {
    return pattern.str();
  }
  return (pattern.take_front(place) + Twine(number) +
          pattern.drop_front(place + 3))
      .str();
}

// Whether a module that is left out of the quantization holds these weights.
static bool isExcluded(const Quantization &quantization, StringRef name) {
  return llvm::any_of(quantization.excludedModules, [&](StringRef excluded) {
    return name == excluded || name.starts_with((excluded + ".").str());
  });
}

StringAttr ModelBuilder::getQuantization(const WeightSlot &slot,
                                         StringRef checkpointName) {
  if (!model.quantization || !slot.isLinear ||
      isExcluded(*model.quantization, checkpointName)) {
    return {};
  }
  return builder.getStringAttr(model.quantization->label);
}

Value ModelBuilder::useWeight(OpBuilder &b, const Stack &stack,
                              const WeightSlot &slot, int64_t number) {
  std::string owner = stack.name.empty() ? "layers" : stack.name;
  if (slot.isPerLayer()) {
    owner += "." + std::to_string(number);
  } else if (stack.name.empty()) {
    owner.clear();
  }
  std::string symbol = owner.empty() ? slot.name : owner + "." + slot.name;
  if (declared.insert(symbol).second) {
    std::string pattern = replaceLayer(slot.pattern, number);
    OpBuilder atEnd = OpBuilder::atBlockEnd(module->getBody());
    WeightOp::create(atEnd, atEnd.getUnknownLoc(), symbol, pattern, slot.type,
                     WeightLayout::OutByIn, getQuantization(slot, pattern));
  }
  return UseWeightOp::create(b, nameLoc(b, symbol), slot.type,
                             FlatSymbolRefAttr::get(b.getContext(), symbol),
                             /*placement=*/FlatSymbolRefAttr(),
                             /*sharding=*/comm::ShardingAttr());
}

Value ModelBuilder::callLayers(OpBuilder &b, const Stack &stack,
                               const StackFunctions &functions, Value x,
                               Value memory, int64_t firstLayer) {
  for (auto [index, experts] : llvm::enumerate(stack.hasExperts)) {
    int64_t number = static_cast<int64_t>(index);
    SmallVector<Value> operands{x};
    if (stack.attentions.back().crossAttends) {
      operands.push_back(memory);
    }
    for (const WeightSlot &slot : getLayerWeights(stack, experts)) {
      operands.push_back(useWeight(b, stack, slot, number));
    }
    if (experts) {
      operands.push_back(UsePlacementOp::create(
          b, nameLoc(b, "placement"), blocks.getPlacementType(),
          FlatSymbolRefAttr(), firstLayer + number));
    }
    auto call = func::CallOp::create(
        b, nameLoc(b, "x"), experts ? functions.moeLayer : functions.denseLayer,
        operands);
    Attribute label = b.getI64IntegerAttr(number);
    if (!stack.name.empty()) {
      label = b.getStringAttr(stack.name + "." + Twine(number));
    }
    call->setAttr(kLayerAttrName, label);
    x = call.getResult(0);
  }
  Value gamma = useWeight(b, stack, stack.finalNorm, 0);
  TensorProgram program(b, model.dtype, x);
  return program.normalize("y", x, gamma, model.normEpsilon);
}

void ModelBuilder::buildModelFunction(ArrayRef<StackFunctions> functions) {
  Signature signature;
  for (const Stack &stack : model.stacks) {
    signature.add(stack.name.empty() ? "x" : stack.name + "_x",
                  blocks.getTokensType());
  }
  func::FuncOp function =
      blocks.beginFunction("model", "model", /*isPublic=*/true, signature);
  OpBuilder b = OpBuilder::atBlockEnd(&function.front());
  Value result;
  int64_t layer = 0;
  for (auto [stack, stackFunctions, x] :
       llvm::zip_equal(model.stacks, functions, function.getArguments())) {
    result = callLayers(b, stack, stackFunctions, x, /*memory=*/result, layer);
    layer += stack.hasExperts.size();
  }
  blocks.endFunction(result);
}

OwningOpRef<ModuleOp> ModelBuilder::build() {
  describe();
  buildBlocks();
  SmallVector<StackFunctions, 2> functions;
  for (const Stack &stack : model.stacks) {
    functions.push_back(buildLayers(stack));
  }
  buildModelFunction(functions);
  return std::move(module);
}

OwningOpRef<ModuleOp> mlir::moe::buildModel(const ModelDescription &model) {
  return ModelBuilder(model).build();
}
