// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::moe;

static bool isOne(Value value) { return isConstantIntValue(value, 1); }

/// Whether the runtime can launch it: blocks and threads of one dimension, on
/// the frame's stream, with words of 64 bits.
static LogicalResult checkLaunch(gpu::LaunchFuncOp op) {
  gpu::KernelDim3 blocks = op.getGridSizeOperandValues();
  gpu::KernelDim3 threads = op.getBlockSizeOperandValues();
  if (!isOne(blocks.y) || !isOne(blocks.z) || !isOne(threads.y) ||
      !isOne(threads.z)) {
    return op.emitOpError("expected blocks and threads of one dimension");
  }
  if (op.getAsyncToken() || !op.getAsyncDependencies().empty() ||
      op.hasClusterSize()) {
    return op.emitOpError("expected neither tokens nor clusters");
  }
  for (Value operand : op.getKernelOperands()) {
    Type type = operand.getType();
    if (!type.isInteger(64) && !isa<LLVM::LLVMPointerType>(type)) {
      return op.emitOpError("expected operands that are pointers or 'i64', but "
                            "got ")
             << type;
    }
  }
  return success();
}

/// An array on the stack with one word for each operand. It is made once a call
/// of the function, however often the launch is reached.
static Value wordsOf(ImplicitLocOpBuilder &b, gpu::LaunchFuncOp op) {
  Type word = b.getI64Type();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  size_t count = op.getKernelOperands().size();
  Value words;
  {
    OpBuilder::InsertionGuard guard(b);
    auto function = op->getParentOfType<func::FuncOp>();
    b.setInsertionPointToStart(&function.getBody().front());
    Value size =
        arith::ConstantIntOp::create(b, std::max<size_t>(count, 1), 64);
    words = LLVM::AllocaOp::create(b, pointer, word, size);
  }
  for (auto [i, operand] : llvm::enumerate(op.getKernelOperands())) {
    Value value = operand;
    if (isa<LLVM::LLVMPointerType>(value.getType())) {
      value = LLVM::PtrToIntOp::create(b, word, value);
    }
    Value place =
        LLVM::GEPOp::create(b, pointer, word, words,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    LLVM::StoreOp::create(b, value, place);
  }
  return words;
}

/// An extent of a launch as an i32 or an i64.
static Value asInteger(ImplicitLocOpBuilder &b, Value value, unsigned bits) {
  Type type = b.getIntegerType(bits);
  if (value.getType().isIndex()) {
    return arith::IndexCastOp::create(b, type, value);
  }
  unsigned width = value.getType().getIntOrFloatBitWidth();
  if (width == bits) {
    return value;
  }
  return width < bits ? arith::ExtSIOp::create(b, type, value).getResult()
                      : arith::TruncIOp::create(b, type, value).getResult();
}

LogicalResult mlir::moe::lowerLaunch(gpu::LaunchFuncOp op,
                                     ImplicitLocOpBuilder &b,
                                     RuntimeCalls &calls,
                                     KernelIndices &kernels) {
  if (failed(checkLaunch(op))) {
    return failure();
  }
  auto [kernel, isNew] =
      kernels.try_emplace(op.getKernelName(), kernels.size());
  Value shared = op.getDynamicSharedMemorySize();
  size_t count = op.getKernelOperands().size();
  calls.call(b, "launch",
             {calls.i32(b, kernel->second),
              asInteger(b, op.getGridSizeOperandValues().x, 64),
              asInteger(b, op.getBlockSizeOperandValues().x, 32),
              shared ? asInteger(b, shared, 32) : calls.i32(b, 0),
              wordsOf(b, op), calls.i32(b, static_cast<int64_t>(count))});
  return success();
}
