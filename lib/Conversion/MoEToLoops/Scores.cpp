// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

/// f32 lanes that are scored at once.
static constexpr int64_t lanes = 16;

/// z → score, where each stands for itself; f32 vectors.
static Value scoreAlone(ScoreFunction function, LoopEmitter &e, Value z) {
  ImplicitLocOpBuilder &b = e.b;
  int64_t width = cast<VectorType>(z.getType()).getNumElements();
  Value one = e.splat(e.f32(1), width);
  switch (function) {
  case ScoreFunction::Sigmoid: {
    Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, z));
    return arith::DivFOp::create(b, one, arith::AddFOp::create(b, one, exp));
  }
  case ScoreFunction::SqrtSoftplus: {
    // log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), which does not
    // overflow.
    Value zero = e.splat(e.f32(0), width);
    Value size = math::AbsFOp::create(b, z);
    Value small = math::ExpOp::create(b, arith::NegFOp::create(b, size));
    Value softplus =
        arith::AddFOp::create(b, arith::MaximumFOp::create(b, z, zero),
                              math::Log1pOp::create(b, small));
    return math::SqrtOp::create(b, softplus);
  }
  case ScoreFunction::Identity:
    return z;
  case ScoreFunction::Softmax:
    break;
  }
  llvm_unreachable("softmax looks at all experts of a token");
}

static void emitSoftmax(LoopEmitter &e, Value logits, Value scores, Value exps,
                        Value t) {
  ImplicitLocOpBuilder &b = e.b;
  int64_t experts = staticExtent(logits, 1);
  Value least = e.f32(-std::numeric_limits<double>::infinity());
  // A NaN needs no care here: it makes the sum, so every score, a NaN.
  Value max = e.fold(e.index(experts), least, [&](Value i, Value max) -> Value {
    Value z = e.loadF32(logits, {t, i});
    Value greater = e.compare(arith::CmpFPredicate::OGT, z, max);
    return arith::SelectOp::create(b, greater, z, max);
  });
  e.eachPart(logits, lanes, [&](Value at, int64_t width) {
    Value z = e.toF32(e.loadPart(logits, {t, at}, width));
    Value below = arith::SubFOp::create(b, z, e.splat(max, width));
    e.storePart(math::ExpOp::create(b, below), exps, at);
  });
  Value sum =
      e.fold(e.index(experts), e.f32(0), [&](Value i, Value sum) -> Value {
        return arith::AddFOp::create(b, sum, e.load(exps, i));
      });
  e.eachPart(logits, lanes, [&](Value at, int64_t width) {
    Value exp = e.loadPart(exps, at, width);
    Value score = arith::DivFOp::create(b, exp, e.splat(sum, width));
    e.storePart(score, scores, {t, at});
  });
}

void mlir::moe::lowerToLoops(ScoreOp op, LoopEmitter &e) {
  Value logits = op.getLogits();
  Value scores = op.getOuts()[0];
  int64_t experts = staticExtent(logits, 1);
  ScoreFunction function = op.getFunction();
  if (function == ScoreFunction::Softmax) {
    Value exps = e.scratch({experts}, e.b.getF32Type());
    return e.eachItem(e.extent(logits, 0), [&](Value t) {
      emitSoftmax(e, logits, scores, exps, t);
    });
  }
  e.eachRow(e.extent(logits, 0), [&](Value t) {
    e.eachPart(logits, lanes, [&](Value at, int64_t width) {
      Value z = e.toF32(e.loadPart(logits, {t, at}, width));
      e.storePart(scoreAlone(function, e, z), scores, {t, at});
    });
  });
}
