// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows that arrive, against the bound of their buffer: one warp adds the counts
// up. The host learns of an excess when it next waits for the device.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::moe;

/// The sum of all counts, in each lane.
static Value sumOf(GPULoopEmitter &e, Value counts, Value first, Value all) {
  Value slots = e.extent(counts, 1);
  Value none = e.i32(0);
  auto loop = scf::ForOp::create(e.b, first, all, e.index(warpThreads), none);
  {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(loop.getBody());
    Value i = loop.getInductionVar();
    Value count = e.load(counts, {arith::DivUIOp::create(e.b, i, slots),
                                  arith::RemUIOp::create(e.b, i, slots)});
    scf::YieldOp::create(e.b, e.add(loop.getRegionIterArg(0), count));
  }
  return e.warpSum(loop.getResult(0));
}

/// Words 1 and 2 before word 0, and only where word 0 is 0.
static void report(GPULoopEmitter &e, Value words, Value number, Value total,
                   Value bound) {
  Type i64 = e.b.getI64Type();
  Value none = arith::ConstantIntOp::create(e.b, 0, 64);
  Value one = arith::ConstantIntOp::create(e.b, 1, 64);
  Value unused =
      e.compare(arith::CmpIPredicate::eq, e.load(words, e.index(0)), none);
  e.when(unused, [&] {
    e.store(arith::ExtUIOp::create(e.b, i64, total).getResult(), words,
            e.index(1));
    e.store(arith::ExtUIOp::create(e.b, i64, bound).getResult(), words,
            e.index(2));
    NVVM::MembarOp::create(e.b, NVVM::MemScopeKind::GPU);
    e.store(e.add(number, one), words, e.index(0));
  });
}

LogicalResult mlir::moe::convertBound(comm::CheckBoundOp op,
                                      KernelLibrary &library) {
  auto type = cast<MemRefType>(withoutCasts(op.getCounts()).getType());
  if (!type.hasStaticShape() || type.getRank() != 2) {
    return op.emitOpError("cannot become a kernel: expected a matrix of counts "
                          "of static shape, but got ")
           << type;
  }
  KernelBuilder kernel(library, op, warpThreads);
  OpBuilder host(op);
  auto fault = comm::FaultWordsOp::create(
      host, op.getLoc(), MemRefType::get({3}, host.getI64Type()),
      host.getI64Type());
  Value counts = kernel.addBuffer(op.getCounts());
  Value words = kernel.addBuffer(fault.getWords());
  Value number = kernel.addNumber(fault.getNumber());
  if (!counts) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, body.getInsertionBlock()->getTerminator(),
                   warpThreads);
  Value lane = arith::IndexCastOp::create(e.b, e.b.getIndexType(), e.lane());
  Value all = e.index(type.getNumElements());
  Value total = sumOf(e, counts, lane, all);
  Value bound = e.i32(static_cast<int32_t>(op.getBound()));
  e.when(e.compare(arith::CmpIPredicate::ugt, total, bound), [&] {
    Value isFirst = e.compare(arith::CmpIPredicate::eq, e.lane(), e.i32(0));
    e.when(isFirst, [&] { report(e, words, number, total, bound); });
    auto clear = [&](Value i) {
      Value slots = e.extent(counts, 1);
      e.store(e.i32(0), counts,
              {arith::DivUIOp::create(e.b, i, slots),
               arith::RemUIOp::create(e.b, i, slots)});
    };
    e.each(lane, all, clear, warpThreads);
  });
  kernel.launch("moe_check_bound_" + describeShape(op.getCounts()),
                Grid::fixed(1));
  op.erase();
  return success();
}
