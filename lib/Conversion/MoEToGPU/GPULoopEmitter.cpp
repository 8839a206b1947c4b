// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GPULoopEmitter.h"

#include "KernelLibrary.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::moe;

/// The widest access of a thread.
static constexpr int64_t accessBytes = 16;

static int64_t bytesOf(Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The largest power of two that divides `value`.
static int64_t powerOfTwoIn(int64_t value) { return value & -value; }

static int64_t columnsOf(Value buffer) {
  return staticExtent(buffer, cast<MemRefType>(buffer.getType()).getRank() - 1);
}

Value GPULoopEmitter::threadOfGrid() {
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  Value first = arith::MulIOp::create(b, block, index(threads));
  return add(first, gpu::ThreadIdOp::create(b, gpu::Dimension::x));
}

Value GPULoopEmitter::threadsOfGrid() {
  Value blocks = gpu::GridDimOp::create(b, gpu::Dimension::x);
  return arith::MulIOp::create(b, blocks, index(threads));
}

int64_t GPULoopEmitter::iterationsPerBlock() const {
  return sharesRows ? threads / warpThreads : threads;
}

void GPULoopEmitter::eachItem(Value end, function_ref<void(Value)> body) {
  Value first = threadOfGrid();
  eachBy(first, end, threadsOfGrid(), body);
}

void GPULoopEmitter::eachRow(Value end, function_ref<void(Value)> body) {
  sharesRows = insideRow = true;
  Value perWarp = index(warpThreads);
  Value first = arith::DivUIOp::create(b, threadOfGrid(), perWarp);
  Value step = arith::DivUIOp::create(b, threadsOfGrid(), perWarp);
  eachBy(first, end, step, body);
  insideRow = false;
}

void GPULoopEmitter::eachPart(Value rows, int64_t lanes,
                              function_ref<void(Value, int64_t)> body) {
  int64_t columns = columnsOf(rows);
  int64_t fitting = accessBytes / bytesOf(elementType(rows));
  int64_t width = std::min({lanes, fitting, powerOfTwoIn(columns)});
  Value first = index(0);
  int64_t step = width;
  if (insideRow) {
    Value lane = arith::RemUIOp::create(
        b, gpu::ThreadIdOp::create(b, gpu::Dimension::x), index(warpThreads));
    first = arith::MulIOp::create(b, lane, index(width));
    step = warpThreads * width;
  }
  each(first, index(columns), [&](Value at) { body(at, width); }, step);
}

Value GPULoopEmitter::scratch(ArrayRef<int64_t> shape, Type element) {
  Value buffer = LoopEmitter::scratch(shape, element);
  buffer.getDefiningOp<memref::AllocaOp>().setAlignment(accessBytes);
  return buffer;
}

int64_t GPULoopEmitter::partAlignment(Value buffer, int64_t lanes) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t bytes = lanes * bytesOf(type.getElementType());
  if (type.getRank() > 1) {
    bytes |= columnsOf(buffer) * bytesOf(type.getElementType());
  }
  return std::min(powerOfTwoIn(bytes), accessBytes);
}

SmallVector<Value> GPULoopEmitter::foldLanes(Value end, ValueRange init,
                                             LaneBody body) {
  Value first = arith::IndexCastUIOp::create(b, b.getIndexType(), lane());
  Value perWarp = index(warpThreads);
  Value turns = arith::CeilDivUIOp::create(b, end, perWarp);
  return fold(index(0), turns, init, [&](Value turn, ValueRange carried) {
    Value i = add(arith::MulIOp::create(b, turn, perWarp), first);
    Value isIn = compare(arith::CmpIPredicate::ult, i, end);
    i = arith::SelectOp::create(b, isIn, i, index(0));
    return body(i, isIn, carried);
  });
}

Value GPULoopEmitter::bitsBefore(Value bits) {
  Value own = arith::ShLIOp::create(b, i32(1), lane());
  return arith::AndIOp::create(b, bits, arith::SubIOp::create(b, own, i32(1)));
}

Value GPULoopEmitter::lane() {
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value lane = arith::RemUIOp::create(b, thread, index(warpThreads));
  return arith::IndexCastUIOp::create(b, b.getI32Type(), lane);
}

Value GPULoopEmitter::warpSum(Value value) {
  return NVVM::ReduxOp::create(b, b.getI32Type(), value, NVVM::ReduxKind::ADD,
                               i32(-1));
}

Value GPULoopEmitter::ballot(Value condition) {
  return NVVM::VoteSyncOp::create(b, b.getI32Type(), i32(-1), condition,
                                  NVVM::VoteSyncKind::ballot);
}

void GPULoopEmitter::syncWarp() { NVVM::SyncWarpOp::create(b, i32(-1)); }

Value GPULoopEmitter::countBits(Value bits) {
  return math::CtPopOp::create(b, bits);
}
