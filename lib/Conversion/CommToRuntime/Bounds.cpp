// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows that arrive, against the bound of their buffer.

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::moe;

/// `total`, or what the runtime makes of it when it exceeds the bound.
static Value checkedTotal(ImplicitLocOpBuilder &b, RuntimeCalls &calls,
                          Value total, int64_t bound) {
  Value value = arith::ExtUIOp::create(b, b.getI64Type(), total);
  Value limit = arith::ConstantIntOp::create(b, bound, 64);
  return calls.call(b, "host_extent", {calls.nextId(b), value, limit},
                    b.getI64Type());
}

/// Loops over a matrix, carrying `carried`.
static void forEach(ImplicitLocOpBuilder &b, Value matrix, Value &carried,
                    function_ref<Value(ValueRange at, Value carried)> body) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value rows = memref::DimOp::create(b, matrix, zero);
  Value columns = memref::DimOp::create(b, matrix, one);
  auto outer = scf::ForOp::create(b, zero, rows, one, carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(outer.getBody());
    auto inner =
        scf::ForOp::create(b, zero, columns, one, outer.getRegionIterArg(0));
    scf::YieldOp::create(b, inner.getResult(0));
    b.setInsertionPointToStart(inner.getBody());
    Value at[] = {outer.getInductionVar(), inner.getInductionVar()};
    Value next = body(at, inner.getRegionIterArg(0));
    scf::YieldOp::create(b, next);
  }
  carried = outer.getResult(0);
}

LogicalResult mlir::moe::lowerToRuntime(comm::HostExtentOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value extent = memref::DimOp::create(b, op.getOffsets(), zero);
  if (calls.getMemory() == BufferMemory::Device) {
    Value bound = arith::ConstantIntOp::create(b, op.getBound(), 64);
    Value checked =
        calls.call(b, "device_extent",
                   {calls.nextId(b), calls.address(b, op.getOffsets()),
                    calls.i64(b, extent), bound},
                   b.getI64Type());
    op.replaceAllUsesWith(
        arith::IndexCastOp::create(b, b.getIndexType(), checked).getResult());
    return success();
  }
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, extent, one);
  Value total = memref::LoadOp::create(b, op.getOffsets(), ValueRange{last});
  op.replaceAllUsesWith(
      arith::IndexCastOp::create(b, b.getIndexType(),
                                 checkedTotal(b, calls, total, op.getBound()))
          .getResult());
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::CheckBoundOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value none = arith::ConstantIntOp::create(b, 0, 32);
  Value total = none;
  forEach(b, op.getCounts(), total, [&](ValueRange at, Value sum) -> Value {
    Value count = memref::LoadOp::create(b, op.getCounts(), at);
    return arith::AddIOp::create(b, sum, count);
  });
  Value checked = checkedTotal(b, calls, total, op.getBound());
  Value wide = arith::ExtUIOp::create(b, b.getI64Type(), total);
  Value failed =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, checked, wide);
  auto branch = scf::IfOp::create(b, failed, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value unused = none;
  forEach(b, op.getCounts(), unused, [&](ValueRange at, Value sum) -> Value {
    memref::StoreOp::create(b, none, op.getCounts(), at);
    return sum;
  });
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::FaultWordsOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value words = calls.call(b, "fault_words", {},
                           LLVM::LLVMPointerType::get(b.getContext()));
  Value number = arith::ExtUIOp::create(b, b.getI64Type(), calls.nextId(b));
  Value view = calls.viewAs(b, words, op.getWords().getType());
  op->replaceAllUsesWith(ValueRange{view, number});
  return success();
}
