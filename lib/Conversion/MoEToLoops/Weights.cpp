// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::moe;

/// Left to right, as LLVM does where it may not reassociate.
static Value sumOf(LoopEmitter &e, Value scores) {
  return vector::ReductionOp::create(e.b, vector::CombiningKind::ADD, scores);
}

/// (sum |s|^p)^(1/p), with the exact forms where there are some.
static Value pNorm(LoopEmitter &e, Value scores, double p, int64_t k) {
  ImplicitLocOpBuilder &b = e.b;
  if (p == 1) {
    return sumOf(e, math::AbsFOp::create(b, scores));
  }
  if (p == 2) {
    Value squares = arith::MulFOp::create(b, scores, scores);
    return math::SqrtOp::create(b, sumOf(e, squares));
  }
  Value powers = math::PowFOp::create(b, math::AbsFOp::create(b, scores),
                                      e.splat(e.f32(p), k));
  return math::PowFOp::create(b, sumOf(e, powers), e.f32(1 / p));
}

/// What the scores of a token are divided by.
static Value divisor(WeighOp op, LoopEmitter &e, Value scores, int64_t k) {
  ImplicitLocOpBuilder &b = e.b;
  Value epsilon = e.f32(op.getEpsilon().convertToDouble());
  switch (op.getNormalization()) {
  case Normalization::None:
    return Value();
  case Normalization::Sum:
    return arith::AddFOp::create(b, sumOf(e, scores), epsilon);
  case Normalization::ClampedSum:
    return arith::MaximumFOp::create(b, sumOf(e, scores), epsilon);
  case Normalization::PNorm:
    return pNorm(e, scores, op.getP()->convertToDouble(), k);
  case Normalization::Softmax:
    return sumOf(e, scores);
  }
  llvm_unreachable("every normalization was named");
}

void mlir::moe::lowerToLoops(WeighOp op, LoopEmitter &e) {
  ImplicitLocOpBuilder &b = e.b;
  int64_t k = staticExtent(op.getScores(), 1);
  double scale = op.getScale().convertToDouble();
  Value zero = e.index(0);
  e.eachItem(e.extent(op.getScores(), 0), [&](Value t) {
    Value weights = e.toF32(e.loadPart(op.getScores(), {t, zero}, k));
    if (op.getNormalization() == Normalization::Softmax) {
      Value max = vector::ReductionOp::create(
          b, vector::CombiningKind::MAXIMUMF, weights);
      Value below = arith::SubFOp::create(b, weights, e.splat(max, k));
      weights = math::ExpOp::create(b, below);
    }
    if (Value by = divisor(op, e, weights, k)) {
      weights = arith::DivFOp::create(b, weights, e.splat(by, k));
    }
    if (scale != 1) {
      weights = arith::MulFOp::create(b, weights, e.splat(e.f32(scale), k));
    }
    e.storePart(weights, op.getOuts()[0], {t, zero});
  });
}
