// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "moe/Conversion/MoEToLoops/MoEToLoops.h"
#include "moe/Conversion/MoEToLoops/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTMOETOLOOPSPASS
#include "moe/Conversion/MoEToLoops/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {

template <typename OpT> struct ToLoops : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    if (op.getOuts().empty()) {
      return rewriter.notifyMatchFailure(op, "on tensors");
    }
    if (std::optional<std::string> reason = whyNotLoops(op)) {
      return rewriter.notifyMatchFailure(op, *reason);
    }
    LoopEmitter emitter(rewriter, op);
    lowerToLoops(op, emitter);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ConvertMoEToLoopsPass
    : mlir::moe::impl::ConvertMoEToLoopsPassBase<ConvertMoEToLoopsPass> {
  void runOnOperation() override;
};

} // namespace

void mlir::moe::populateMoEToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<ToLoops<ScoreOp>, ToLoops<SelectOp>, ToLoops<WeighOp>,
               ToLoops<LimitCapacityOp>, ToLoops<CountChoicesOp>,
               ToLoops<AssignSlotsOp>, ToLoops<CountOffsetsOp>,
               ToLoops<SlotPositionsOp>, ToLoops<SpreadRowsOp>,
               ToLoops<PermuteRowsOp>, ToLoops<CombineRowsOp>,
               ToLoops<GroupedOuterProductOp>>(patterns.getContext());
}

void ConvertMoEToLoopsPass::runOnOperation() {
  bool refused = false;
  getOperation()->walk([&](BufferFormOpInterface op) {
    if (op.getOutsMutable().empty() || isa<GroupedMatmulOp>(op)) {
      return;
    }
    if (std::optional<std::string> reason = whyNotLoops(op)) {
      op->emitOpError("cannot become loops: ") << *reason;
      refused = true;
    }
  });
  if (refused) {
    return signalPassFailure();
  }
  RewritePatternSet patterns(&getContext());
  populateMoEToLoopsPatterns(patterns);
  walkAndApplyPatterns(getOperation(), std::move(patterns));
}
