// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers of 32 bits and pointers, as kernels that count instructions use
// them: what is constant in an address ends up in the instruction.

#ifndef MOE_LIB_TARGET_GPU_DEVICEMATH_H
#define MOE_LIB_TARGET_GPU_DEVICEMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::moe {

class DeviceMath {
public:
  explicit DeviceMath(ImplicitLocOpBuilder &builder) : b(builder) {}

  ImplicitLocOpBuilder &b;

  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(b, value, 32);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value add(Value x, int64_t y) { return y == 0 ? x : add(x, i32(y)); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, x, y); }
  Value mul(Value x, int64_t y) { return y == 1 ? x : mul(x, i32(y)); }
  Value div(Value x, int64_t y) { return arith::DivUIOp::create(b, x, i32(y)); }
  Value rem(Value x, int64_t y) { return arith::RemUIOp::create(b, x, i32(y)); }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, x, y); }
  Value less(Value x, Value y) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
  }
  Value less(Value x, int64_t y) { return less(x, i32(y)); }
  Value choose(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, condition, x, y);
  }

  /// `bytes` beyond a pointer: a constant, or an i32 that is not negative.
  Value beyond(Value pointer, int64_t bytes) {
    return bytes == 0 ? pointer : gep(pointer, static_cast<int32_t>(bytes));
  }
  Value beyond(Value pointer, Value bytes) {
    return gep(pointer,
               arith::ExtUIOp::create(b, b.getI64Type(), bytes).getResult());
  }
  /// `count` times `bytes` beyond a pointer; the product may exceed 32 bits.
  Value beyond(Value pointer, Value count, int64_t bytes) {
    Type i64 = b.getI64Type();
    Value wide = arith::ExtUIOp::create(b, i64, count);
    Value size = arith::ConstantIntOp::create(b, bytes, 64);
    return gep(pointer, arith::MulIOp::create(b, wide, size).getResult());
  }

  /// Runs `body` where the condition holds.
  void when(Value condition, function_ref<void()> body) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }

private:
  Value gep(Value pointer, LLVM::GEPArg bytes) {
    return LLVM::GEPOp::create(b, pointer.getType(), b.getI8Type(), pointer,
                               ArrayRef<LLVM::GEPArg>{bytes});
  }
};

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_DEVICEMATH_H
