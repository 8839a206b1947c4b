// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SortedList.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// [first, list[0], …, list[k - 2]]
static Value shiftedDown(LoopEmitter &e, Value list, Value first, int64_t k) {
  SmallVector<int64_t> lanes{k};
  for (int64_t lane = 0; lane + 1 < k; ++lane) {
    lanes.push_back(lane);
  }
  return vector::ShuffleOp::create(e.b, list, e.splat(first, k), lanes);
}

/// `value` and `index` put into the list; it beats the last one.
static Best insert(LoopEmitter &e, Best best, Value value, Value index,
                   int64_t k) {
  Value values = e.splat(value, k);
  Value indices = e.splat(index, k);
  // Nothing beats +inf: the first lane has no neighbour to take over.
  Value above = shiftedDown(e, best.values, e.f32(infinity), k);
  Value aboveIndices = shiftedDown(e, best.indices, index, k);
  Value beats = e.compare(arith::CmpFPredicate::UGT, values, best.values);
  Value beatsAbove = e.compare(arith::CmpFPredicate::UGT, values, above);
  auto merge = [&](Value one, Value neighbour, Value old) -> Value {
    Value moved = arith::SelectOp::create(e.b, beatsAbove, neighbour, one);
    return arith::SelectOp::create(e.b, beats, moved, old);
  };
  return {merge(values, above, best.values),
          merge(indices, aboveIndices, best.indices)};
}

static Best emitBest(LoopEmitter &e, int64_t k, int64_t count,
                     CandidateFn candidate, Value excluded) {
  Value nan = e.f32(std::numeric_limits<double>::quiet_NaN());
  Value noIndices = e.splat(e.i32(0), k);
  SmallVector<Value> init{e.splat(nan, k), noIndices, nan};
  SmallVector<Value> result = e.fold(
      e.index(0), e.index(count), init,
      [&](Value i, ValueRange list) -> SmallVector<Value> {
        Value value = candidate(i);
        Value isNaN = e.compare(arith::CmpFPredicate::UNO, value, value);
        value = arith::SelectOp::create(e.b, isNaN, e.f32(-infinity), value);
        Value index = arith::IndexCastOp::create(e.b, e.b.getI32Type(), i);
        Value enters = e.compare(arith::CmpFPredicate::UGT, value, list[2]);
        if (excluded) {
          Value other = e.compare(arith::CmpIPredicate::ne, index, excluded);
          enters = arith::AndIOp::create(e.b, enters, other);
        }
        return e.choose(
            enters, list.getTypes(),
            [&]() -> SmallVector<Value> {
              Best next = insert(e, {list[0], list[1]}, value, index, k);
              Value last = vector::ExtractOp::create(e.b, next.values, k - 1);
              return {next.values, next.indices, last};
            },
            [&]() { return llvm::to_vector(list); });
      });
  return {result[0], result[1]};
}

Best mlir::moe::emitBest(LoopEmitter &e, int64_t k, int64_t count,
                         CandidateFn candidate) {
  return ::emitBest(e, k, count, candidate, Value());
}

Best mlir::moe::emitBestExcept(LoopEmitter &e, int64_t count,
                               CandidateFn candidate, Value excluded) {
  return ::emitBest(e, 1, count, candidate, excluded);
}
