// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/BufferForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::moe;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

// The destinations where the op is on buffers, its results otherwise.
template <typename OpT> static ValueRange getProduced(OpT op) {
  return op.getOuts().empty() ? ValueRange(op.getResults())
                              : ValueRange(op.getOuts());
}

// `count` results (or outs), each [rows of `tokens`, columns].
template <typename OpT>
static LogicalResult verifyProduced(OpT op, Value tokens,
                                    ArrayRef<int64_t> columns) {
  ValueRange produced = getProduced(op);
  if (produced.size() != columns.size()) {
    return op.emitOpError("expected ")
           << columns.size() << " results, but got " << produced.size();
  }
  for (auto [value, width] : llvm::zip_equal(produced, columns)) {
    ShapedType type = shaped(value);
    if (type.getRank() != 2 ||
        failed(verifyCompatibleShape({type.getDimSize(0)},
                                     {shaped(tokens).getDimSize(0)})) ||
        type.getDimSize(1) != width) {
      return op.emitOpError("expected results with the tokens of the operand "
                            "and ")
             << width << " columns, but got " << type;
    }
  }
  return success();
}

LogicalResult ScoreOp::verify() {
  // C1
  return verifyProduced(*this, getLogits(),
                        {shaped(getLogits()).getDimSize(1)});
}

LogicalResult SelectOp::verify() {
  int64_t experts = shaped(getScores()).getDimSize(1);
  int64_t k = getK();
  // C1
  if (k < 1 || k > experts) {
    return emitOpError("expected top_k between 1 and the ")
           << experts << " experts, but got " << k;
  }
  // C3
  if (std::optional<GroupLimitAttr> limit = getLimit()) {
    int64_t groups = limit->getGroups();
    if (experts % groups != 0) {
      return emitOpError("expected groups that divide the ")
             << experts << " experts, but got " << groups;
    }
    if (limit->getTop() > experts / groups) {
      return emitOpError("expected top of at most the ")
             << experts / groups << " experts of a group, but got "
             << limit->getTop();
    }
    if (limit->getMask() == MaskValue::NegativeInfinity &&
        k > limit->getKeep() * (experts / groups)) {
      return emitOpError("expected ")
             << k << " experts to fit into the kept groups, but "
             << limit->getKeep() << " groups of " << experts / groups
             << " hold " << limit->getKeep() * (experts / groups);
    }
  }
  // C4
  if (getSecond() && k != 2) {
    return emitOpError("expected top_k 2 with a policy for the second, but "
                       "got ")
           << k;
  }
  bool drawn = getSecond() == SecondExpertPolicy::Random;
  if (drawn != static_cast<bool>(getRandom())) {
    return emitOpError("expected 'random' exactly with the policy random");
  }
  // C2
  return verifyProduced(*this, getScores(), {k, k});
}

LogicalResult SelectTokensOp::verify() {
  int64_t experts = shaped(getScores()).getDimSize(1);
  return verifyProduced(*this, getScores(), {experts, experts}); // C1
}

LogicalResult SelectMaskedPairOp::verify() {
  return verifyProduced(*this, getLogits(), {2, 2}); // C1
}

LogicalResult SelectBalancedOp::verify() {
  return verifyProduced(*this, getScores(), {1, 1}); // C1
}

LogicalResult WeighOp::verify() {
  // C2
  if ((getNormalization() == Normalization::PNorm) != getP().has_value()) {
    return emitOpError("expected 'p' exactly with p_norm");
  }
  // C1
  return verifyProduced(*this, getScores(),
                        {shaped(getScores()).getDimSize(1)});
}

LogicalResult LimitCapacityOp::verify() {
  // C2
  bool ordered =
      getOrder() == DropOrder::Random || getOrder() == DropOrder::BestScore;
  if (ordered != static_cast<bool>(getPriority())) {
    return emitOpError("expected 'priority' exactly with order random or "
                       "best_score");
  }
  // C1
  if (getRenormalize() && !getWeight()) {
    return emitOpError("expected a weight to renormalize");
  }
  int64_t k = shaped(getExpert()).getDimSize(1);
  SmallVector<int64_t> columns{k};
  if (getRenormalize()) {
    columns.push_back(k);
  }
  return verifyProduced(*this, getExpert(), columns);
}

SmallVector<SmallVector<OpFoldResult>>
ScoreOp::getResultExtents(OpBuilder &builder) {
  return {getExtents(builder, getLoc(), getLogits())};
}

// Every result has the tokens of `tokens` and its own static columns.
template <typename OpT>
static SmallVector<SmallVector<OpFoldResult>>
getTokenwiseExtents(OpT op, OpBuilder &builder, Value tokens) {
  OpFoldResult rows = getExtents(builder, op.getLoc(), tokens).front();
  SmallVector<SmallVector<OpFoldResult>> extents;
  for (Value result : op.getResults()) {
    extents.push_back(
        {rows, builder.getIndexAttr(shaped(result).getDimSize(1))});
  }
  return extents;
}

SmallVector<SmallVector<OpFoldResult>>
SelectOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getScores());
}
SmallVector<SmallVector<OpFoldResult>>
SelectTokensOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getScores());
}
SmallVector<SmallVector<OpFoldResult>>
SelectMaskedPairOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getLogits());
}
SmallVector<SmallVector<OpFoldResult>>
SelectBalancedOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getScores());
}
SmallVector<SmallVector<OpFoldResult>>
WeighOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getScores());
}
SmallVector<SmallVector<OpFoldResult>>
LimitCapacityOp::getResultExtents(OpBuilder &builder) {
  return getTokenwiseExtents(*this, builder, getExpert());
}

SmallVector<SmallVector<OpFoldResult>>
CountChoicesOp::getResultExtents(OpBuilder &builder) {
  Location loc = getLoc();
  OpFoldResult groups = builder.getIndexAttr(1);
  if (getGroup().getScope() != CapacityScope::All) {
    Value size =
        arith::ConstantIndexOp::create(builder, loc, getGroup().getSize());
    groups =
        arith::CeilDivUIOp::create(builder, loc, getTokens(), size).getResult();
  }
  return {{groups, builder.getIndexAttr(shaped(getExpert()).getDimSize(1)),
           builder.getIndexAttr(getExperts())}};
}

// One random number a token, though of rank 1.
static void splitRandom(Operation *op, comm::ShardingRule &rule) {
  auto select = dyn_cast<SelectOp>(op);
  for (comm::ShardingRule::Participant &one : rule.participants) {
    if (select && select.getRandom() && one.use &&
        one.use == &select.getRandomMutable()[0]) {
      one.factors = {0};
    }
  }
}

#define MOE_TOKENWISE(OpT)                                                     \
  comm::ShardingRule OpT::getShardingRule() {                                  \
    comm::ShardingRule rule = comm::getTokenwiseRule(*this);                   \
    splitRandom(*this, rule);                                                  \
    return rule;                                                               \
  }                                                                            \
  LogicalResult OpT::partition(comm::Partitioner &partitioner) {               \
    partitioner.cloneLocal(*this);                                             \
    return success();                                                          \
  }

MOE_TOKENWISE(ScoreOp)
MOE_TOKENWISE(SelectOp)
MOE_TOKENWISE(SelectMaskedPairOp)
MOE_TOKENWISE(WeighOp)
#undef MOE_TOKENWISE

// These look at all tokens of a group at once, so tokens stay whole.
#define MOE_WHOLE(OpT)                                                         \
  comm::ShardingRule OpT::getShardingRule() {                                  \
    comm::ShardingRule rule = comm::getTokenwiseRule(*this);                   \
    for (comm::ShardingRule::Participant &one : rule.participants) {           \
      llvm::fill(one.factors, comm::ShardingRule::whole);                      \
    }                                                                          \
    return rule;                                                               \
  }                                                                            \
  LogicalResult OpT::partition(comm::Partitioner &partitioner) {               \
    partitioner.cloneLocal(*this);                                             \
    return success();                                                          \
  }

MOE_WHOLE(SelectTokensOp)
MOE_WHOLE(SelectBalancedOp)
#undef MOE_WHOLE
