// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A rank, and its share of an extent.

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::moe;

/// The rank's index in its group over `axes`.
static Value rank(ImplicitLocOpBuilder &b, RuntimeCalls &calls,
                  comm::AxisListAttr axes) {
  Value rank = calls.call(b, "rank", {calls.group(b, axes)}, b.getI32Type());
  return arith::IndexCastOp::create(b, b.getIndexType(), rank);
}

static Value size(ImplicitLocOpBuilder &b, Operation *op,
                  comm::AxisListAttr axes, FlatSymbolRefAttr mesh) {
  return arith::ConstantIndexOp::create(b, comm::getGroupSize(op, mesh, axes));
}

// Rank p begins at p * (extent / s) + min(p, extent mod s).
static Value begin(ImplicitLocOpBuilder &b, Value extent, Value parts,
                   Value p) {
  Value share = arith::DivUIOp::create(b, extent, parts);
  Value rest = arith::RemUIOp::create(b, extent, parts);
  Value extra = arith::MinUIOp::create(b, p, rest);
  return arith::AddIOp::create(b, arith::MulIOp::create(b, p, share), extra);
}

LogicalResult mlir::moe::lowerToRuntime(comm::RankOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  op.replaceAllUsesWith(rank(b, calls, op.getAxes()));
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::LocalOffsetOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
  op.replaceAllUsesWith(
      begin(b, op.getExtent(), parts, rank(b, calls, op.getAxes())));
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::LocalExtentOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
  Value p = rank(b, calls, op.getAxes());
  Value next =
      arith::AddIOp::create(b, p, arith::ConstantIndexOp::create(b, 1));
  Value first = begin(b, op.getExtent(), parts, p);
  Value last = begin(b, op.getExtent(), parts, next);
  op.replaceAllUsesWith(arith::SubIOp::create(b, last, first).getResult());
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::ShardOffsetsOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value end = arith::AddIOp::create(b, parts, one);
  auto loop = scf::ForOp::create(b, zero, end, one);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value p = loop.getInductionVar();
  Value at = begin(b, op.getExtent(), parts, p);
  memref::StoreOp::create(b, arith::IndexCastOp::create(b, b.getI32Type(), at),
                          op.getOuts()[0], ValueRange{p});
  return success();
}
