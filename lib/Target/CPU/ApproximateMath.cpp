// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::moe {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "moe/Target/CPU/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {

/// fma(a, b, c) → a · b + c, for a target that would call the C library.
struct SplitFMA : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FmaOp op,
                                PatternRewriter &rewriter) const override {
    Value product =
        arith::MulFOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC());
    return success();
  }
};

struct ApproximateMathPass
    : mlir::moe::impl::ApproximateMathPassBase<ApproximateMathPass> {
  using ApproximateMathPassBase::ApproximateMathPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    auto isInexact = [](StringRef name) {
      return !llvm::is_contained(
          {math::AbsFOp::getOperationName(), math::SqrtOp::getOperationName(),
           math::RsqrtOp::getOperationName(), math::FmaOp::getOperationName(),
           math::FloorOp::getOperationName(), math::CeilOp::getOperationName(),
           math::RoundOp::getOperationName(),
           math::RoundEvenOp::getOperationName(),
           math::TruncOp::getOperationName(),
           math::CopySignOp::getOperationName()},
          name);
    };
    populateMathF32ExpansionPatterns(patterns, isInexact);
    populateMathPolynomialApproximationPatterns(patterns, isInexact);
    math::populateExpansionPatterns(patterns,
                                    {math::Exp2Op::getOperationName()});
    if (!fma) {
      patterns.add<SplitFMA>(&getContext());
    }
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      signalPassFailure();
    }
  }
};

} // namespace
