// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of a device, which a pool of the runtime hands out.

#include "Lowerings.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::moe;

static LogicalResult checkLayout(Operation *op, Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || !RuntimeCalls::isContiguous(type)) {
    return op->emitOpError("expected buffers without gaps, but got ")
           << buffer.getType();
  }
  return success();
}

LogicalResult mlir::moe::lowerMemory(memref::AllocOp op,
                                     ImplicitLocOpBuilder &b,
                                     RuntimeCalls &calls) {
  if (failed(checkLayout(op, op.getMemref()))) {
    return failure();
  }
  MemRefType type = op.getType();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, value, 64);
  };
  LLVMTypeConverter converter(b.getContext());
  auto descriptor =
      MemRefDescriptor::poison(b, b.getLoc(), converter.convertType(type));
  // From the last dimension on: what a step in a dimension skips.
  Value elements = constant(1);
  ValueRange dynamic = op.getDynamicSizes();
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    Value extent;
    if (type.isDynamicDim(dim)) {
      extent = calls.i64(b, dynamic.back());
      dynamic = dynamic.drop_back();
    } else {
      extent = constant(type.getDimSize(dim));
    }
    descriptor.setSize(b, b.getLoc(), dim, extent);
    descriptor.setStride(b, b.getLoc(), dim, elements);
    elements = b.createOrFold<arith::MulIOp>(elements, extent);
  }
  Value bytes = b.createOrFold<arith::MulIOp>(
      elements, constant(type.getElementTypeBitWidth() / 8));
  Value pointer = calls.call(b, "allocate", {bytes},
                             LLVM::LLVMPointerType::get(b.getContext()));
  descriptor.setAllocatedPtr(b, b.getLoc(), pointer);
  descriptor.setAlignedPtr(b, b.getLoc(), pointer);
  descriptor.setConstantOffset(b, b.getLoc(), 0);
  Value value = descriptor;
  op.replaceAllUsesWith(
      UnrealizedConversionCastOp::create(b, TypeRange{type}, ValueRange{value})
          .getResult(0));
  return success();
}

LogicalResult mlir::moe::lowerMemory(memref::DeallocOp op,
                                     ImplicitLocOpBuilder &b,
                                     RuntimeCalls &calls) {
  if (failed(checkLayout(op, op.getMemref()))) {
    return failure();
  }
  calls.call(
      b, "deallocate",
      {calls.address(b, op.getMemref()), calls.allBytes(b, op.getMemref())});
  return success();
}

LogicalResult mlir::moe::lowerMemory(memref::CopyOp op, ImplicitLocOpBuilder &b,
                                     RuntimeCalls &calls) {
  if (failed(checkLayout(op, op.getSource())) ||
      failed(checkLayout(op, op.getTarget()))) {
    return failure();
  }
  calls.call(b, "copy",
             {calls.address(b, op.getTarget()),
              calls.address(b, op.getSource()),
              calls.allBytes(b, op.getTarget())});
  return success();
}
