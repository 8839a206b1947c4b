// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::moe {
#define GEN_PASS_DEF_EXPANDBF16PASS
#include "moe/Target/CPU/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// `type`, or a vector of its shape, with other elements.
static Type withElements(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type)) {
    return shaped.clone(element);
  }
  return element;
}

/// An i32 constant of the shape of `type`.
static Value makeWord(ImplicitLocOpBuilder &b, Type type, int32_t value) {
  Type words = withElements(type, b.getI32Type());
  TypedAttr attribute = b.getI32IntegerAttr(value);
  if (auto shaped = dyn_cast<ShapedType>(words)) {
    attribute = DenseElementsAttr::get(shaped, cast<Attribute>(attribute));
  }
  return arith::ConstantOp::create(b, attribute);
}

namespace {

struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(op.getIn()).isBF16() ||
        !getElementTypeOrSelf(type).isF32()) {
      return failure();
    }
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value half = arith::BitcastOp::create(b, withElements(type, b.getI16Type()),
                                          op.getIn());
    Value word =
        arith::ExtUIOp::create(b, withElements(type, b.getI32Type()), half);
    Value bits = arith::ShLIOp::create(b, word, makeWord(b, type, 16));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, bits);
    return success();
  }
};

struct ExpandTruncF : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isBF16() ||
        !getElementTypeOrSelf(op.getIn()).isF32()) {
      return failure();
    }
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value in = op.getIn();
    Value bits =
        arith::BitcastOp::create(b, withElements(type, b.getI32Type()), in);
    Value sixteen = makeWord(b, type, 16);
    // Half of the last place that stays, less one where that place is even.
    Value odd = arith::AndIOp::create(
        b, arith::ShRUIOp::create(b, bits, sixteen), makeWord(b, type, 1));
    Value increment = arith::AddIOp::create(b, odd, makeWord(b, type, 0x7fff));
    Value rounded = arith::AddIOp::create(b, bits, increment);
    Value quiet = arith::OrIOp::create(b, bits, makeWord(b, type, 0x400000));
    Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, in, in);
    // Chosen among words and not among halves: LLVM would make that a choice
    // among bf16 values, one at a time.
    Value word = arith::SelectOp::create(b, isNaN, quiet, rounded);
    Value half =
        arith::TruncIOp::create(b, withElements(type, b.getI16Type()),
                                arith::ShRUIOp::create(b, word, sixteen));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, half);
    return success();
  }
};

struct ExpandBF16Pass : mlir::moe::impl::ExpandBF16PassBase<ExpandBF16Pass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExtF, ExpandTruncF>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      signalPassFailure();
    }
  }
};

} // namespace
