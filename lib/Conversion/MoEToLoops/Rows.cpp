// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows move whole, a cache line at a time.

#include "moe/Conversion/MoEToLoops/Lowerings.h"

using namespace mlir;
using namespace mlir::moe;

static constexpr int64_t bytesOfCacheLine = 64;

/// f32 lanes of a row that are summed at once: few enough to stay in the
/// registers of every CPU, many enough to pay for finding each choice's row.
static constexpr int64_t combinedLanes = 32;

static void copyRow(LoopEmitter &e, Value from, Value fromRow, Value to,
                    Value toRow) {
  int64_t bits = elementType(from).getIntOrFloatBitWidth();
  e.eachPart(from, bytesOfCacheLine * 8 / bits, [&](Value at, int64_t lanes) {
    Value part = e.loadPart(from, {fromRow, at}, lanes);
    e.storePart(part, to, {toRow, at});
  });
}

static Value asIndex(LoopEmitter &e, Value value) {
  return arith::IndexCastOp::create(e.b, e.b.getIndexType(), value);
}

/// weight · part, in f32.
static Value weigh(LoopEmitter &e, Value weight, Value part) {
  int64_t lanes = cast<VectorType>(part.getType()).getNumElements();
  return arith::MulFOp::create(e.b, e.splat(weight, lanes), e.toF32(part));
}

/// weight · row t of x, to row `place` of the result.
static void spreadWeighted(SpreadRowsOp op, LoopEmitter &e, Value t, Value j,
                           Value place) {
  Value weight = e.loadF32(op.getWeight(), {t, j});
  e.eachPart(op.getX(), combinedLanes, [&](Value at, int64_t lanes) {
    Value part = e.loadPart(op.getX(), {t, at}, lanes);
    e.storePart(weigh(e, weight, part), op.getOuts()[0], {place, at});
  });
}

void mlir::moe::lowerToLoops(SpreadRowsOp op, LoopEmitter &e) {
  Value position = op.getPosition();
  e.eachRow(e.extent(position, 0), [&](Value t) {
    e.each(e.extent(position, 1), [&](Value j) {
      Value place = e.load(position, {t, j});
      e.when(e.isSome(place), [&] {
        if (op.getWeight()) {
          spreadWeighted(op, e, t, j, asIndex(e, place));
        } else {
          copyRow(e, op.getX(), t, op.getOuts()[0], asIndex(e, place));
        }
      });
    });
  });
}

void mlir::moe::lowerToLoops(PermuteRowsOp op, LoopEmitter &e) {
  Value rows = op.getRows();
  Value index = op.getIndex();
  Value offsets = op.getOffsets();
  Value to = op.getOuts()[0];
  Value last = arith::SubIOp::create(e.b, e.extent(offsets, 0), e.index(1));
  // After a failed exchange the offsets may exceed what there is.
  Value count = arith::MinSIOp::create(e.b, e.loadIndex(offsets, last),
                                       e.extent(index, 0));
  e.eachRow(count, [&](Value i) {
    Value place = e.loadIndex(index, i);
    if (op.getInverse()) {
      copyRow(e, rows, place, to, i);
    } else {
      copyRow(e, rows, i, to, place);
    }
  });
}

/// sum + weight · row, rounded after each.
static Value addWeighted(LoopEmitter &e, Value sum, Value weight, Value row) {
  return arith::AddFOp::create(e.b, sum, weigh(e, weight, row));
}

/// Where nothing is added for a choice without a place: the choices that have
/// one are listed first, so that the sum over each part has no branches.
static void combineListed(CombineRowsOp op, LoopEmitter &e, Value t,
                          Value places, Value weights) {
  Value position = op.getPosition();
  Value listed = e.fold(
      e.extent(position, 1), e.index(0), [&](Value j, Value listed) -> Value {
        Value place = e.load(position, {t, j});
        e.store(place, places, listed);
        e.store(e.loadF32(op.getWeight(), {t, j}), weights, listed);
        Value more = arith::IndexCastUIOp::create(e.b, e.b.getIndexType(),
                                                  e.isSome(place));
        return e.add(listed, more);
      });
  Value sums = op.getOuts()[0];
  e.eachPart(op.getRows(), combinedLanes, [&](Value at, int64_t lanes) {
    Value zero = e.splat(e.f32(0), lanes);
    Value sum = e.fold(listed, zero, [&](Value i, Value sum) {
      Value row = e.loadPart(op.getRows(), {e.loadIndex(places, i), at}, lanes);
      return addWeighted(e, sum, e.load(weights, i), row);
    });
    e.storePart(sum, sums, {t, at});
  });
}

/// Where a choice without a place adds the token's row of `dropped`.
static void combineAll(CombineRowsOp op, LoopEmitter &e, Value t) {
  Value sums = op.getOuts()[0];
  e.eachPart(op.getRows(), combinedLanes, [&](Value at, int64_t lanes) {
    Value zero = e.splat(e.f32(0), lanes);
    Value choices = e.extent(op.getPosition(), 1);
    Value sum = e.fold(choices, zero, [&](Value j, Value sum) {
      Value place = e.load(op.getPosition(), {t, j});
      auto placed = [&]() -> SmallVector<Value> {
        Value row = asIndex(e, place);
        return {e.toF32(e.loadPart(op.getRows(), {row, at}, lanes))};
      };
      auto dropped = [&]() -> SmallVector<Value> {
        return {e.toF32(e.loadPart(op.getDropped(), {t, at}, lanes))};
      };
      Value row =
          e.choose(e.isSome(place), zero.getType(), placed, dropped).front();
      return addWeighted(e, sum, e.loadF32(op.getWeight(), {t, j}), row);
    });
    e.storePart(sum, sums, {t, at});
  });
}

void mlir::moe::lowerToLoops(CombineRowsOp op, LoopEmitter &e) {
  Value tokens = e.extent(op.getPosition(), 0);
  if (op.getDropped()) {
    return e.eachRow(tokens, [&](Value t) { combineAll(op, e, t); });
  }
  int64_t choices = staticExtent(op.getPosition(), 1);
  Value places = e.scratch({choices}, e.b.getI32Type());
  Value weights = e.scratch({choices}, e.b.getF32Type());
  e.eachRow(tokens, [&](Value t) { combineListed(op, e, t, places, weights); });
}

void mlir::moe::lowerToLoops(GroupedOuterProductOp op, LoopEmitter &e) {
  Value left = op.getLeft(), right = op.getRight(), sums = op.getOuts()[0];
  // A part of the result stays in registers while rows go by.
  e.each(e.extent(sums, 0), [&](Value slot) {
    Value begin = e.loadIndex(op.getOffsets(), slot);
    Value end = e.loadIndex(op.getOffsets(), e.add(slot, e.index(1)));
    e.eachRow(e.extent(sums, 1), [&](Value k) {
      e.eachPart(right, combinedLanes, [&](Value at, int64_t lanes) {
        Value zero = e.splat(e.f32(0), lanes);
        Value sum =
            e.fold(begin, end, zero,
                   [&](Value row, ValueRange carried) -> SmallVector<Value> {
                     return {addWeighted(e, carried[0],
                                         e.loadF32(left, {row, k}),
                                         e.loadPart(right, {row, at}, lanes))};
                   })
                .front();
        e.storePart(sum, sums, {slot, k, at});
      });
    });
  });
}
