// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModelDescription.h"

using namespace mlir;
using namespace mlir::moe;

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
  if (row.methodKey.empty()) {
    return &row.methods.front();
  }
  SmallVector<StringRef> names;
  for (const SelectionMethod &method : row.methods) {
    names.push_back(method.name);
  }
  FailureOr<StringRef> name =
      row.methodRequired
          ? config.getChoice(row.methodKey, names)
          : config.getChoiceOr(row.methodKey, names, names.front());
  if (failed(name)) {
    return failure();
  }
  return &row.methods[llvm::find(names, *name) - names.begin()];
}

// Whether the router's matrix product leaves in the model's dtype.
static FailureOr<bool> readRoundLogits(const Config &config,
                                       const RouterRow &row, FloatType dtype) {
  if (row.dtypeKey.empty()) {
    return row.inModelDtype;
  }
  FailureOr<StringRef> name = config.getChoiceOr(
      row.dtypeKey, {"float32", "float16", "bfloat16"}, "float32");
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

/// The number of experts, under the family's key or its alias.
static FailureOr<int64_t> readExperts(const Config &config,
                                      const Family &family) {
  if (!config.has(family.expertsAlias)) {
    return config.getInteger(family.expertsKey);
  }
  FailureOr<int64_t> alias = config.getInteger(family.expertsAlias);
  if (failed(alias) || !config.has(family.expertsKey)) {
    return alias;
  }
  FailureOr<int64_t> experts = config.getInteger(family.expertsKey);
  if (succeeded(experts) && *experts != *alias) {
    return config.emitError(family.expertsAlias)
           << "expected " << *experts << " as in \"" << family.expertsKey
           << "\", but got " << *alias;
  }
  return experts;
}

LogicalResult mlir::moe::describeRouting(const Config &config,
                                         const Family &family,
                                         ModelDescription &model,
                                         MLIRContext *context) {
  const RouterRow &row = family.router;
  Routing &routing = model.routing;
  FailureOr<int64_t> experts = readExperts(config, family);
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
  if (GroupLimitAttr groups = *limit) {
    int64_t held = groups.getKeep() * (*experts / groups.getGroups());
    if (*topK > held) {
      return config.emitError("topk_group")
             << "expected groups that hold the " << *topK
             << " experts of a token, but " << groups.getKeep() << " hold "
             << held;
    }
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
