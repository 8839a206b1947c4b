// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModelDescription.h"

using namespace mlir;
using namespace mlir::moe;

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<bool>>
readLayers(const Config &config, const Family &family, const StackRow &stack) {
  ::moe::model::LayerKeys keys;
  keys.rule = family.layers;
  keys.layers = stack.layersKey;
  if (!stack.sparseKey.empty()) {
    keys.key = stack.sparseKey;
  }
  return config.readExpertLayers(keys);
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

FailureOr<Stack> mlir::moe::describeStack(const Config &config,
                                          const Family &family,
                                          const StackRow &row,
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
