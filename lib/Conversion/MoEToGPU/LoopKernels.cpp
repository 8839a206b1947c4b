// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops whose loops are those of the CPU.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

Value mlir::moe::hostExtent(OpBuilder &builder, Location loc, Value buffer,
                            int64_t dim) {
  buffer = withoutCasts(buffer);
  int64_t size = cast<MemRefType>(buffer.getType()).getDimSize(dim);
  if (ShapedType::isDynamic(size)) {
    return memref::DimOp::create(builder, loc, buffer, dim);
  }
  return arith::ConstantIndexOp::create(builder, loc, size);
}

namespace {
/// The buffer and its dimension that the outer loop goes over.
struct OuterLoop {
  Value buffer;
  int64_t dim = 0;
};
} // namespace

static OuterLoop outerLoopOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, OuterLoop>(op)
      .Case([](ScoreOp op) -> OuterLoop { return {op.getLogits()}; })
      .Case([](SelectOp op) -> OuterLoop { return {op.getScores()}; })
      .Case([](WeighOp op) -> OuterLoop { return {op.getScores()}; })
      .Case([](SpreadRowsOp op) -> OuterLoop { return {op.getPosition()}; })
      .Case([](PermuteRowsOp op) -> OuterLoop { return {op.getIndex()}; })
      .Case([](CombineRowsOp op) -> OuterLoop { return {op.getPosition()}; })
      .Case([](GroupedOuterProductOp op) -> OuterLoop {
        return {op.getOuts()[0], 1};
      });
}

static void emitLoops(Operation *op, LoopEmitter &e) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<ScoreOp, SelectOp, WeighOp, SpreadRowsOp, PermuteRowsOp,
            CombineRowsOp, GroupedOuterProductOp>(
          [&](auto op) { lowerToLoops(op, e); });
}

/// Beyond what loops refuse: what needs a function that devices do not have.
static std::optional<std::string> whyNotKernel(BufferFormOpInterface op) {
  auto weigh = dyn_cast<WeighOp>(op.getOperation());
  if (weigh && weigh.getP() && !weigh.getP()->isExactlyValue(1) &&
      !weigh.getP()->isExactlyValue(2)) {
    return "a p-norm needs powers, unless p is 1 or 2";
  }
  return whyNotLoops(op);
}

LogicalResult mlir::moe::convertLoops(BufferFormOpInterface op,
                                      KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNotKernel(op)) {
    return op->emitOpError("cannot become a kernel: ") << *reason;
  }
  OuterLoop outer = outerLoopOf(op);
  Grid grid;
  {
    OpBuilder host(op);
    grid.iterations = hostExtent(host, op.getLoc(), outer.buffer, outer.dim);
  }
  KernelBuilder kernel(library, op, blockThreads);
  Operation *inKernel = kernel.addOp();
  if (!inKernel) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter emitter(body, inKernel, blockThreads);
  emitLoops(inKernel, emitter);
  inKernel->erase();
  grid.iterationsPerBlock = emitter.iterationsPerBlock();
  std::string name = ("moe_" + op->getName().stripDialect() + "_").str();
  kernel.launch(name + describeShape(op->getOperand(0)), grid);
  op->erase();
  return success();
}
