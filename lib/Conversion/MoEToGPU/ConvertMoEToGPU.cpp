// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowerings.h"

#include "moe/Conversion/MoEToGPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTMOETOGPUPASS
#include "moe/Conversion/MoEToGPU/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

static LogicalResult convert(BufferFormOpInterface op, KernelLibrary &library) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<AssignSlotsOp, CountOffsetsOp, SlotPositionsOp>(
          [&](auto op) { return convertLayout(op, library); })
      .Case<ScoreOp, SelectOp, WeighOp, SpreadRowsOp, PermuteRowsOp,
            CombineRowsOp, GroupedOuterProductOp>(
          [&](auto) { return convertLoops(op, library); })
      .Case<LimitCapacityOp, CountChoicesOp>(
          [&](auto op) { return convertCapacity(op, library); })
      .Case([&](GroupedMatmulOp op) { return convertMatmul(op, library); })
      .Default([](Operation *op) {
        return op->emitOpError("cannot become a kernel yet");
      });
}

/// Stores of the host that no other op stands between, by buffer.
static void collectStores(Block &block,
                          SmallVectorImpl<SmallVector<memref::StoreOp>> &runs) {
  bool open = false;
  for (Operation &op : block) {
    auto store = dyn_cast<memref::StoreOp>(op);
    if (!store) {
      open &= isPure(&op);
      continue;
    }
    if (!open || runs.back().back().getMemRef() != store.getMemRef()) {
      runs.emplace_back();
    }
    runs.back().push_back(store);
    open = true;
  }
}

namespace {
struct ConvertMoEToGPUPass
    : mlir::moe::impl::ConvertMoEToGPUPassBase<ConvertMoEToGPUPass> {
  void runOnOperation() override {
    KernelLibrary library(getOperation());
    SmallVector<Operation *> ops;
    SmallVector<SmallVector<memref::StoreOp>> stores;
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      function.walk([&](Operation *op) {
        if (isOnBuffers(op)) {
          ops.push_back(op);
        }
      });
      function.walk([&](Block *block) {
        if (!isa<linalg::LinalgOp, BufferFormOpInterface>(
                block->getParentOp())) {
          collectStores(*block, stores);
        }
      });
    }
    for (ArrayRef<memref::StoreOp> run : stores) {
      if (failed(convertStores(run, library))) {
        return signalPassFailure();
      }
    }
    for (Operation *op : ops) {
      if (failed(convertOne(op, library))) {
        return signalPassFailure();
      }
    }
  }

private:
  static bool isOnBuffers(Operation *op) {
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      return linalgOp.hasPureBufferSemantics();
    }
    if (auto form = dyn_cast<BufferFormOpInterface>(op)) {
      return !form.getOutsMutable().empty();
    }
    if (isa<comm::CheckBoundOp, comm::AllToAllVOp, comm::StartOp>(op)) {
      return isa<MemRefType>(op->getOperandTypes()[0]);
    }
    return false;
  }

  static LogicalResult convertOne(Operation *op, KernelLibrary &library) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](linalg::LinalgOp op) { return convertElements(op, library); })
        .Case([&](comm::CheckBoundOp op) { return convertBound(op, library); })
        .Case<comm::AllToAllVOp, comm::StartOp>(
            [&](auto op) { return padExchange(op, library); })
        .Default([&](Operation *op) {
          return ::convert(cast<BufferFormOpInterface>(op), library);
        });
  }
};
} // namespace
