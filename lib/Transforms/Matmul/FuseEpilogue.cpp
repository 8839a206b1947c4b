// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Matmul/Passes.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::moe {
#define GEN_PASS_DEF_FUSEEPILOGUEPASS
#include "moe/Transforms/Matmul/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

// Whether a kernel knows the value: from the body, or a constant.
static bool comesFrom(Block &body, Value value) {
  return value.getParentBlock() == &body || isConstant(value);
}

// Whether an operation of a body can work on vectors instead.
static bool isOnElements(Operation &op) {
  return matchPattern(&op, m_Constant()) ||
         (OpTrait::hasElementwiseMappableTraits(&op) &&
          llvm::all_of(op.getOperands(), [&](Value operand) {
            return comesFrom(*op.getBlock(), operand);
          }));
}

// Whether the body works on one element of each input alone.
static bool isElementwise(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumLoops() != 2 ||
      op.getNumParallelLoops() != 2 || op->getNumResults() != 1) {
    return false;
  }
  Block &body = op.getRegion().front();
  return llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); }) &&
         body.getArguments().back().use_empty() &&
         body.getOps<linalg::IndexOp>().empty() &&
         llvm::all_of(body.without_terminator(), isOnElements) &&
         comesFrom(body, body.getTerminator()->getOperand(0));
}

namespace {
struct FuseIntoProducts : public OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getInputs().empty()) {
      return failure();
    }
    SmallVector<GroupedMatmulOp> products;
    for (Value input : op.getInputs()) {
      auto product = input.getDefiningOp<GroupedMatmulOp>();
      if (!product || !input.hasOneUse() || !product.getEpilogue().empty() ||
          !cast<ShapedType>(input.getType()).getElementType().isF32() ||
          (!products.empty() && !sharesRows(products.front(), product))) {
        return failure();
      }
      products.push_back(product);
    }
    fuse(op, products, rewriter);
    return success();
  }

private:
  static bool sharesRows(GroupedMatmulOp a, GroupedMatmulOp b) {
    return a.getRows() == b.getRows() && a.getOffsets() == b.getOffsets() &&
           a.getWeights().getTypes() == b.getWeights().getTypes();
  }

  static void fuse(linalg::GenericOp op, ArrayRef<GroupedMatmulOp> products,
                   PatternRewriter &rewriter) {
    SmallVector<Value> weights;
    for (GroupedMatmulOp product : products) {
      llvm::append_range(weights, product.getWeights());
    }
    GroupedMatmulOp first = products.front();
    auto fused = GroupedMatmulOp::create(
        rewriter, op.getLoc(), op.getResultTypes(), first.getRows(), weights,
        first.getOffsets(), ValueRange{});
    Block &body = op.getRegion().front();
    Block *epilogue = rewriter.createBlock(
        &fused.getEpilogue(), {},
        SmallVector<Type>(products.size(), rewriter.getF32Type()),
        SmallVector<Location>(products.size(), op.getLoc()));
    IRMapping mapping;
    mapping.map(body.getArguments().drop_back(), epilogue->getArguments());
    for (Operation &inner : body.without_terminator()) {
      rewriter.clone(inner, mapping);
    }
    YieldOp::create(
        rewriter, op.getLoc(),
        mapping.lookupOrDefault(body.getTerminator()->getOperand(0)));
    rewriter.replaceOp(op, fused->getResults());
  }
};

struct FuseEpiloguePass
    : public mlir::moe::impl::FuseEpiloguePassBase<FuseEpiloguePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseIntoProducts>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      signalPassFailure();
    }
  }
};
} // namespace
