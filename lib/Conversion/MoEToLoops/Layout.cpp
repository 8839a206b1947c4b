// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which row goes where: counting sorts, linear in assignments plus slots.

#include "moe/Conversion/MoEToLoops/Lowerings.h"

using namespace mlir;
using namespace mlir::moe;

/// Replica tables hold one row for each class of tokens: the global index
/// modulo this.
static constexpr int64_t tokenClasses = 64;

/// Each assignment's destination, rank · S + slot, into `position`, and how
/// many go there into `counts`.
static void countDestinations(AssignSlotsOp op, LoopEmitter &e, Value table,
                              Value position, Value counts) {
  Value expert = op.getExpert();
  e.each(e.extent(expert, 0), [&](Value t) {
    Value global = e.add(op.getFirstToken(), t);
    Value tokenClass =
        arith::RemUIOp::create(e.b, global, e.index(tokenClasses));
    e.each(e.extent(expert, 1), [&](Value j) {
      Value chosen = e.load(expert, {t, j});
      e.store(chosen, position, {t, j});
      e.when(e.isSome(chosen), [&] {
        Value index =
            arith::IndexCastOp::create(e.b, e.b.getIndexType(), chosen);
        Value to = e.loadIndex(table, {tokenClass, index});
        e.store(to, position, {t, j});
        e.store(e.add(e.load(counts, to), e.i32(1)), counts, to);
      });
    });
  });
}

void mlir::moe::lowerToLoops(AssignSlotsOp op, LoopEmitter &e) {
  Value position = op.getOuts()[0];
  Value counts = memref::CollapseShapeOp::create(
      e.b, op.getOuts()[1], SmallVector<ReassociationIndices>{{0, 1}});
  int64_t destinations = staticExtent(counts, 0);
  int64_t experts = op.getPlacement().getType().getExperts();
  Type i32 = e.b.getI32Type();
  Value table = PlacementTableOp::create(
      e.b, MemRefType::get({tokenClasses, experts}, i32), op.getPlacement());
  Value next = e.scratch({destinations}, i32);

  e.fill(counts, e.i32(0));
  countDestinations(op, e, table, position, counts);
  e.fold(e.index(destinations), e.i32(0), [&](Value to, Value before) -> Value {
    e.store(before, next, to);
    return e.add(before, e.load(counts, to));
  });
  e.each(e.extent(position, 0), [&](Value t) {
    e.each(e.extent(position, 1), [&](Value j) {
      Value to = e.load(position, {t, j});
      e.when(e.isSome(to), [&] {
        Value index = arith::IndexCastOp::create(e.b, e.b.getIndexType(), to);
        Value place = e.load(next, index);
        e.store(place, position, {t, j});
        e.store(e.add(place, e.i32(1)), next, index);
      });
    });
  });
}

/// offsets[i] = sum of count(0) … count(i - 1), for i in [0, length].
static void emitOffsets(LoopEmitter &e, Value offsets, int64_t length,
                        function_ref<Value(Value)> count) {
  Value all =
      e.fold(e.index(length), e.i32(0), [&](Value i, Value before) -> Value {
        e.store(before, offsets, i);
        return e.add(before, count(i));
      });
  if (staticExtent(offsets, 0) != length) {
    e.store(all, offsets, e.index(length));
  }
}

/// Rows for slot s from all ranks.
static Value countOfSlot(LoopEmitter &e, Value counts, Value s) {
  return e.fold(
      e.index(staticExtent(counts, 0)), e.i32(0),
      [&](Value r, Value sum) { return e.add(sum, e.load(counts, {r, s})); });
}

void mlir::moe::lowerToLoops(CountOffsetsOp op, LoopEmitter &e) {
  Value counts = op.getCounts();
  int64_t ranks = staticExtent(counts, 0);
  int64_t slots = staticExtent(counts, 1);
  emitOffsets(e, op.getOuts()[0], ranks, [&](Value r) {
    return e.fold(e.index(slots), e.i32(0), [&](Value s, Value sum) {
      return e.add(sum, e.load(counts, {r, s}));
    });
  });
  emitOffsets(e, op.getOuts()[1], slots,
              [&](Value s) { return countOfSlot(e, counts, s); });
}

void mlir::moe::lowerToLoops(SlotPositionsOp op, LoopEmitter &e) {
  Value counts = op.getCounts();
  Value places = op.getOuts()[0];
  int64_t ranks = staticExtent(counts, 0);
  int64_t slots = staticExtent(counts, 1);
  Value next = e.scratch({slots}, e.b.getI32Type());
  emitOffsets(e, next, slots,
              [&](Value s) { return countOfSlot(e, counts, s); });
  // After a failed exchange counts may exceed the extent: rows beyond it are
  // not written, and no place points there.
  Value extent = e.extent(places, 0);
  Value last = arith::SubIOp::create(e.b, extent, e.index(1));
  auto emitRun = [&](Value r, Value s, Value row) -> Value {
    Value count = e.loadIndex(counts, {r, s});
    Value first = e.loadIndex(next, s);
    e.store(e.add(first, count), next, s);
    Value end = e.add(row, count);
    Value shift = arith::SubIOp::create(e.b, first, row);
    e.each(row, arith::MinSIOp::create(e.b, end, extent), [&](Value i) {
      Value place = arith::MinSIOp::create(e.b, e.add(i, shift), last);
      e.store(place, places, i);
    });
    return end;
  };
  e.fold(e.index(ranks), e.index(0), [&](Value r, Value row) {
    return e.fold(e.index(slots), row,
                  [&](Value s, Value row) { return emitRun(r, s, row); });
  });
}
