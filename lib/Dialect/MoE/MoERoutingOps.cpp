// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/BufferForm.h"

#include "ProducedResults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::moe;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

// Rows are read and written in vectors: the number of columns is code.
static LogicalResult verifyColumns(Operation *op, Value value) {
  if (!shaped(value).isDynamicDim(1)) {
    return success();
  }
  return op->emitOpError("expected a static number of columns, but got ")
         << value.getType();
}

// Experts and a float for each, `columns` of both a token of `tokens`.
static LogicalResult verifyAssignment(BufferFormOpInterface op, Value tokens,
                                      int64_t columns) {
  int64_t rows = shaped(tokens).getDimSize(0);
  Type i32 = IntegerType::get(op->getContext(), 32);
  return verifyProduced(op, {{{rows, columns}, i32}, {{rows, columns}, {}}});
}

LogicalResult ScoreOp::verify() {
  // C1
  if (failed(verifyColumns(*this, getLogits()))) {
    return failure();
  }
  return verifyProduced(
      *this, {{llvm::to_vector(shaped(getLogits()).getShape()), {}}});
}

// C3
static LogicalResult verifyLimit(SelectOp op, GroupLimitAttr limit,
                                 int64_t experts) {
  int64_t groups = limit.getGroups();
  if (experts % groups != 0) {
    return op.emitOpError("expected groups that divide the ")
           << experts << " experts, but got " << groups;
  }
  if (limit.getTop() > experts / groups) {
    return op.emitOpError("expected top of at most the ")
           << experts / groups << " experts of a group, but got "
           << limit.getTop();
  }
  int64_t k = op.getK();
  int64_t kept = limit.getKeep() * (experts / groups);
  if (k > kept) {
    return op.emitOpError("expected ")
           << k << " experts to fit into the kept groups, but "
           << limit.getKeep() << " groups of " << experts / groups << " hold "
           << kept;
  }
  return success();
}

LogicalResult SelectOp::verify() {
  // C1
  if (failed(verifyColumns(*this, getScores()))) {
    return failure();
  }
  int64_t tokens = shaped(getScores()).getDimSize(0);
  int64_t experts = shaped(getScores()).getDimSize(1);
  int64_t k = getK();
  if (k < 1 || k > experts) {
    return emitOpError("expected top_k between 1 and the ")
           << experts << " experts, but got " << k;
  }
  if (getLimit() && failed(verifyLimit(*this, *getLimit(), experts))) {
    return failure();
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
  // C5
  if (failed(verifyShape(*this, "bias", getBias(), {experts})) ||
      failed(verifyShape(*this, "noise", getNoise(), {tokens, experts})) ||
      failed(verifyShape(*this, "random", getRandom(), {tokens}))) {
    return failure();
  }
  return verifyAssignment(*this, getScores(), k); // C2
}

LogicalResult SelectTokensOp::verify() {
  // C1
  if (failed(verifyColumns(*this, getScores()))) {
    return failure();
  }
  return verifyAssignment(*this, getScores(),
                          shaped(getScores()).getDimSize(1));
}

LogicalResult SelectMaskedPairOp::verify() {
  // C2
  if (!getJitter().isFinite() || getJitter().isNegative()) {
    return emitOpError("expected a jitter that is finite and not negative, but "
                       "got ")
           << getJitter().convertToDouble();
  }
  return verifyAssignment(*this, getLogits(), 2); // C1
}

LogicalResult SelectBalancedOp::verify() {
  return verifyAssignment(*this, getScores(), 1); // C1
}

LogicalResult WeighOp::verify() {
  // C2
  if ((getNormalization() == Normalization::PNorm) != getP().has_value()) {
    return emitOpError("expected 'p' exactly with p_norm");
  }
  // C3
  if (!getEpsilon().isFinite() || getEpsilon().isNegative() ||
      !getScale().isFinite()) {
    return emitOpError("expected a finite scale, and an epsilon that is finite "
                       "and not negative, but got ")
           << getScale().convertToDouble() << " and "
           << getEpsilon().convertToDouble();
  }
  if (getP() && !(getP()->isFinite() && getP()->convertToDouble() > 0)) {
    return emitOpError("expected a finite, positive p, but got ")
           << getP()->convertToDouble();
  }
  // C1
  if (failed(verifyColumns(*this, getScores()))) {
    return failure();
  }
  return verifyProduced(
      *this, {{llvm::to_vector(shaped(getScores()).getShape()), {}}});
}

LogicalResult LimitCapacityOp::verify() {
  // C2
  bool ordered =
      getOrder() == DropOrder::Random || getOrder() == DropOrder::BestScore;
  if (ordered != static_cast<bool>(getPriority())) {
    return emitOpError("expected 'priority' exactly with order random or "
                       "best_score");
  }
  // C4
  bool isPart = static_cast<bool>(getTaken());
  for (Value other : {getFirstToken(), getTokens(), getRank()}) {
    if (isPart != static_cast<bool>(other)) {
      return emitOpError("expected 'taken', 'from_token', 'tokens' and 'rank' "
                         "together");
    }
  }
  // C1
  if (getRenormalize() && !getWeight()) {
    return emitOpError("expected a weight to renormalize");
  }
  if (failed(verifyColumns(*this, getExpert()))) {
    return failure();
  }
  // C3
  ArrayRef<int64_t> shape = shaped(getExpert()).getShape();
  constexpr int64_t any = ShapedType::kDynamic;
  if (failed(verifyShape(*this, "weight", getWeight(), shape)) ||
      failed(verifyShape(*this, "priority", getPriority(), shape[0])) ||
      failed(verifyShape(
          *this, "taken", getTaken(),
          {any, any, shape[1], static_cast<int64_t>(getExperts())}))) {
    return failure();
  }
  Type i32 = IntegerType::get(getContext(), 32);
  SmallVector<ExpectedResult> results{{llvm::to_vector(shape), i32}};
  if (getRenormalize()) {
    results.push_back({llvm::to_vector(shape), {}});
  }
  return verifyProduced(*this, results);
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
