// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockBuilder.h"

using namespace mlir;
using namespace mlir::moe;

BlockBuilder::BlockBuilder(const ModelDescription &model, ModuleOp module)
    : model(model), module(module), builder(module.getContext()) {}

RankedTensorType BlockBuilder::getTokensType() const {
  return RankedTensorType::get({model.tokens, model.hidden}, model.dtype);
}

PlacementRefType BlockBuilder::getPlacementType() const {
  return PlacementRefType::get(model.dtype.getContext(), model.routing.experts);
}

Signature BlockBuilder::getBlockSignature(ArrayRef<WeightSlot> weights,
                                          bool experts) const {
  Signature signature;
  signature.add("x", getTokensType());
  signature.add(weights);
  if (experts) {
    signature.add("placement", getPlacementType());
  }
  return signature;
}

func::FuncOp BlockBuilder::beginFunction(StringRef name, StringRef role,
                                         bool isPublic,
                                         const Signature &signature) {
  builder.setInsertionPointToEnd(module.getBody());
  auto type = builder.getFunctionType(signature.types, getTokensType());
  auto function =
      func::FuncOp::create(builder, builder.getUnknownLoc(), name, type);
  if (!isPublic) {
    function.setPrivate();
  }
  function->setAttr(kRoleAttrName, builder.getStringAttr(role));
  Block *entry = function.addEntryBlock();
  for (auto [argument, label] :
       llvm::zip_equal(entry->getArguments(), signature.names)) {
    argument.setLoc(NameLoc::get(builder.getStringAttr(label)));
  }
  builder.setInsertionPointToEnd(entry);
  return function;
}

void BlockBuilder::endFunction(Value result) {
  func::ReturnOp::create(builder, builder.getUnknownLoc(), result);
}

//===----------------------------------------------------------------------===//
// Routing and experts
//===----------------------------------------------------------------------===//

BlockBuilder::Assignment BlockBuilder::route(TensorProgram &program, Value x,
                                             const Parameters &parameters) {
  const Routing &routing = model.routing;
  Type f32 = builder.getF32Type();
  Type i32 = builder.getI32Type();
  auto typeOf = [&](int64_t columns, Type element) {
    return RankedTensorType::get({model.tokens, columns}, element);
  };
  Value logits = program.multiply("logits", x, parameters.lookup("router"));
  if (routing.roundLogits) {
    logits = program.round("rounded_logits", logits);
  }
  Value scores = ScoreOp::create(builder, program.named("scores"),
                                 TypeRange{typeOf(routing.experts, f32)},
                                 routing.score, logits, ValueRange{})
                     ->getResult(0);
  if (routing.roundScores) {
    scores = program.roundInF32("rounded_scores", scores);
  }
  auto select = SelectOp::create(
      builder, program.named("chosen"),
      TypeRange{typeOf(routing.topK, i32), typeOf(routing.topK, f32)},
      routing.topK, scores, parameters.lookup("router_bias"), /*noise=*/Value(),
      /*random=*/Value(), ValueRange{}, routing.limit,
      /*second=*/SecondExpertPolicyAttr());
  Value expert = select->getResult(0);
  auto normalization = NormalizationAttr::get(
      builder.getContext(),
      routing.normalize ? Normalization::Sum : Normalization::None);
  double epsilon = routing.normalize ? routing.epsilon : 0.0;
  Type weightType = routing.roundWeights ? Type(model.dtype) : f32;
  Value weight =
      WeighOp::create(builder, program.named("weight"),
                      TypeRange{typeOf(routing.topK, weightType)},
                      normalization, select->getResult(1), ValueRange{},
                      builder.getF64FloatAttr(epsilon),
                      builder.getF64FloatAttr(routing.scale), FloatAttr())
          ->getResult(0);
  if (routing.capacity) {
    expert = LimitCapacityOp::create(
                 builder, program.named("kept"), TypeRange{expert.getType()},
                 expert, /*weight=*/Value(), /*priority=*/Value(),
                 /*taken=*/Value(), /*first_token=*/Value(),
                 /*tokens=*/Value(), /*rank=*/Value(), ValueRange{},
                 routing.capacityGroup, routing.capacity,
                 DropOrder::ChoiceThenToken, routing.experts,
                 /*renormalize=*/false)
                 ->getResult(0);
  }
  return {expert, weight};
}

void BlockBuilder::buildExpert(Block &body, const Parameters &parameters) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&body);
  Value rows = body.getArgument(0);
  Value offsets = body.getArgument(1);
  TensorProgram program(builder, model.dtype, rows);
  auto multiply = [&](StringRef name, Value rows, StringRef slot,
                      Type element) -> Value {
    Value weights = parameters.lookup(slot);
    if (!weights) {
      return {};
    }
    int64_t columns = cast<WeightsType>(weights.getType()).getOuter();
    auto type = RankedTensorType::get({ShapedType::kDynamic, columns}, element);
    return GroupedMatmulOp::create(builder, program.named(name),
                                   TypeRange{type}, rows, weights, offsets,
                                   ValueRange{})
        ->getResult(0);
  };
  Type f32 = builder.getF32Type();
  Value gate = multiply("gate", rows, "experts.gate", f32);
  Value up = multiply("up", rows, "experts.up", f32);
  Value h = program.activate("h", model.activation, gate, up);
  Value out = multiply("out", h, "experts.down", model.dtype);
  YieldOp::create(builder, builder.getUnknownLoc(), out);
}

Value BlockBuilder::applyExperts(TensorProgram &program, Value x,
                                 const Assignment &assignment,
                                 const Parameters &parameters) {
  MLIRContext *context = builder.getContext();
  auto resultType =
      RankedTensorType::get({model.tokens, model.hidden}, builder.getF32Type());
  // What finds its expert full returns the weighted input.
  DroppedReturn dropped = model.routing.capacity ? DroppedReturn::WeightedInput
                                                 : DroppedReturn::Zero;
  auto experts = ExpertsOp::create(
      builder, program.named("routed"), resultType, x, assignment.expert,
      assignment.weight, parameters.lookup("placement"),
      /*axes=*/comm::AxisListAttr(), /*mesh=*/FlatSymbolRefAttr(),
      /*exchange=*/FlatSymbolRefAttr(),
      WeightSideAttr::get(context, WeightSide::Output),
      DroppedReturnAttr::get(context, dropped));
  auto rowsType =
      RankedTensorType::get({ShapedType::kDynamic, model.hidden}, model.dtype);
  auto offsetsType =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  Block &body = experts.getBody().emplaceBlock();
  body.addArgument(rowsType, program.named("rows"));
  body.addArgument(offsetsType, program.named("offsets"));
  buildExpert(body, parameters);
  return experts.getResult();
}

//===----------------------------------------------------------------------===//
// Dense networks
//===----------------------------------------------------------------------===//

Value BlockBuilder::applyFeedForward(TensorProgram &program, StringRef group,
                                     Value x, const Parameters &parameters) {
  auto label = [&](StringRef name) { return (group + "_" + name).str(); };
  auto weight = [&](StringRef name) {
    return parameters.lookup((group + "." + name).str());
  };
  Value gate;
  if (weight("gate")) {
    gate = program.multiply(label("gate"), x, weight("gate"));
  }
  Value up = program.multiply(label("up"), x, weight("up"));
  Value h = program.activate(label("h"), model.activation, gate, up);
  Value out = program.multiply(label("out"), h, weight("down"));
  return program.round(label("rows"), out);
}

Value BlockBuilder::applySharedExperts(TensorProgram &program, Value x,
                                       const Parameters &parameters) {
  Value rows = applyFeedForward(program, "shared", x, parameters);
  Value gate = parameters.lookup("shared_scale");
  if (!gate) {
    return rows;
  }
  Value logits = program.multiply("shared_scale_product", x, gate);
  return program.gateBySigmoid("scaled_shared", logits, rows);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

func::FuncOp BlockBuilder::buildMoEBlock(ArrayRef<WeightSlot> weights) {
  Signature signature = getBlockSignature(weights, /*experts=*/true);
  func::FuncOp function =
      beginFunction("moe_block", "moe_block", /*isPublic=*/false, signature);
  Parameters parameters(signature, function.front());
  Value x = parameters.lookup("x");
  TensorProgram program(builder, model.dtype, x);
  Assignment assignment = route(program, x, parameters);
  Value y = applyExperts(program, x, assignment, parameters);
  if (parameters.lookup("shared.up")) {
    y = program.add("y", y, applySharedExperts(program, x, parameters));
  }
  y = program.round("y", y);
  endFunction(y);
  return function;
}

func::FuncOp BlockBuilder::buildDenseBlock(ArrayRef<WeightSlot> weights) {
  Signature signature = getBlockSignature(weights, /*experts=*/false);
  func::FuncOp function = beginFunction("dense_block", "dense_block",
                                        /*isPublic=*/false, signature);
  Parameters parameters(signature, function.front());
  Value x = parameters.lookup("x");
  TensorProgram program(builder, model.dtype, x);
  endFunction(applyFeedForward(program, "dense", x, parameters));
  return function;
}

// A token attends to its sequence, so that tokens are split only between
// sequences: in the first operands and the result they are one factor where the
// length of sequences is known, else the input is one sequence and whole.
// Everything else is whole.
static ArrayAttr getAttentionRule(OpBuilder &builder, func::FuncOp attention,
                                  unsigned tokenOperands, bool hasSequences) {
  auto dimsOf = [&](Type type, bool hasTokens) -> Attribute {
    SmallVector<int64_t> dims(cast<ShapedType>(type).getRank(),
                              comm::ShardingRule::whole);
    if (hasTokens && hasSequences) {
      dims.front() = 0;
    }
    return builder.getI64ArrayAttr(dims);
  };
  SmallVector<Attribute> rule;
  for (auto [index, type] : llvm::enumerate(attention.getArgumentTypes())) {
    rule.push_back(dimsOf(type, index < tokenOperands));
  }
  rule.push_back(dimsOf(attention.getResultTypes().front(), true));
  return builder.getArrayAttr(rule);
}

func::FuncOp BlockBuilder::declareAttention(const Attention &attention) {
  Signature signature;
  signature.add("x", getTokensType());
  if (attention.crossAttends) {
    signature.add("memory", getTokensType());
  }
  signature.add(attention.weights);
  func::FuncOp function = beginFunction(attention.function, "attention",
                                        /*isPublic=*/false, signature);
  function.eraseBody();
  auto number = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  const AttentionCost &cost = attention.cost;
  function->setAttr(comm::kShardingRuleAttrName,
                    getAttentionRule(builder, function,
                                     attention.crossAttends ? 2 : 1,
                                     model.sequenceLength.has_value()));
  if (model.sequenceLength) {
    function->setAttr(comm::kShardingGranulesAttrName,
                      builder.getDenseI64ArrayAttr(*model.sequenceLength));
  }
  function->setAttr(
      "moe.attention",
      builder.getDictionaryAttr(
          {builder.getNamedAttr("kind", builder.getStringAttr(attention.kind)),
           number("heads", attention.heads),
           number("key_value_heads", attention.keyValueHeads),
           number("head_size", attention.headSize)}));
  function->setAttr(
      "moe.cost",
      builder.getDictionaryAttr(
          {number("flops_per_token", cost.flopsPerToken),
           number("flops_per_token_and_position",
                  cost.flopsPerTokenAndPosition),
           number("weight_bytes", cost.weightBytes),
           number("cache_bytes_per_token", cost.cacheBytesPerToken)}));
  return function;
}
