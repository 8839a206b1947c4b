// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which row goes where. The place of a thing is the number of things that come
// before it, so a warp can count on its own what it has to know: no prefix sum
// runs over blocks, and nothing depends on their order. Counts are read again
// by each warp; they are few, and in the cache.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

#include "moe/Conversion/MoEToLoops/Lowerings.h"

using namespace mlir;
using namespace mlir::moe;

/// Replica tables hold one row for each class of tokens: the global index
/// modulo this.
static constexpr int64_t tokenClasses = ReplicaTableAttr::kTokenClasses;

static Value zeroExtended(GPULoopEmitter &e, Value condition) {
  return arith::ExtUIOp::create(e.b, e.b.getI32Type(), condition);
}

static Value both(GPULoopEmitter &e, Value a, Value c) {
  return arith::AndIOp::create(e.b, a, c);
}

static Value asIndex(GPULoopEmitter &e, Value value) {
  return arith::IndexCastOp::create(e.b, e.b.getIndexType(), value);
}

static Value asI32(GPULoopEmitter &e, Value value) {
  return arith::IndexCastOp::create(e.b, e.b.getI32Type(), value);
}

static std::optional<std::string> whyNot(BufferFormOpInterface op) {
  return whyNotLoops(op);
}

static LogicalResult refuse(Operation *op, StringRef reason) {
  return op->emitOpError("cannot become a kernel: ") << reason;
}

//===----------------------------------------------------------------------===//
// assign_slots
//===----------------------------------------------------------------------===//

namespace {

/// Where each assignment goes, as a warp reads it.
struct Destinations {
  Value expert;
  Value table;
  Value firstToken;
  Value choices;

  /// The destination of assignment i, an i32; -1 without an expert or where
  /// `isIn` is false.
  Value load(GPULoopEmitter &e, Value i, Value isIn) const {
    Value t = arith::DivUIOp::create(e.b, i, choices);
    Value j = arith::RemUIOp::create(e.b, i, choices);
    Value none = e.i32(-1);
    auto outside = [&]() -> SmallVector<Value> { return {none}; };
    Value chosen =
        e.choose(
             isIn, none.getType(),
             [&]() -> SmallVector<Value> { return {e.load(expert, {t, j})}; },
             outside)
            .front();
    auto lookUp = [&]() -> SmallVector<Value> {
      Value tokenClass = arith::RemUIOp::create(e.b, e.add(firstToken, t),
                                                e.index(tokenClasses));
      return {e.load(table, {tokenClass, asIndex(e, chosen)})};
    };
    return e.choose(e.isSome(chosen), none.getType(), lookUp, outside).front();
  }
};

} // namespace

/// What warp `to` does: numbers the assignments that go to `to`, from the
/// number of those that go to earlier destinations on. The first one also
/// writes the places of those that go nowhere.
static void emitDestination(GPULoopEmitter &e, const Destinations &from,
                            Value position, Value counts, Value to) {
  using Values = SmallVector<Value>;
  Value all = arith::MulIOp::create(e.b, e.extent(position, 0), from.choices);
  Value self = asI32(e, to);
  Value none = e.i32(0);
  Value earlier =
      e.foldLanes(all, none,
                  [&](Value i, Value isIn, ValueRange sum) -> Values {
                    Value other = from.load(e, i, isIn);
                    Value comes =
                        both(e, e.isSome(other),
                             e.compare(arith::CmpIPredicate::slt, other, self));
                    return {e.add(sum[0], zeroExtended(e, comes))};
                  })
          .front();
  Value first = e.warpSum(earlier);
  Value isFirstWarp = e.compare(arith::CmpIPredicate::eq, self, none);
  Value end =
      e.foldLanes(all, first,
                  [&](Value i, Value isIn, ValueRange next) -> Values {
                    Value other = from.load(e, i, isIn);
                    Value mine =
                        e.compare(arith::CmpIPredicate::eq, other, self);
                    Value bits = e.ballot(mine);
                    Value before = e.bitsBefore(bits);
                    Value place = e.add(next[0], e.countBits(before));
                    Value lost =
                        both(e, both(e, isIn, isFirstWarp),
                             e.compare(arith::CmpIPredicate::slt, other, none));
                    place =
                        arith::SelectOp::create(e.b, lost, e.i32(-1), place);
                    e.when(arith::OrIOp::create(e.b, mine, lost), [&] {
                      Value t = arith::DivUIOp::create(e.b, i, from.choices);
                      Value j = arith::RemUIOp::create(e.b, i, from.choices);
                      e.store(place, position, {t, j});
                    });
                    return {e.add(next[0], e.countBits(bits))};
                  })
          .front();
  Value isFirstLane = e.compare(arith::CmpIPredicate::eq, e.lane(), none);
  e.when(isFirstLane, [&] {
    Value slots = e.extent(counts, 1);
    e.store(arith::SubIOp::create(e.b, end, first).getResult(), counts,
            {arith::DivUIOp::create(e.b, to, slots),
             arith::RemUIOp::create(e.b, to, slots)});
  });
}

LogicalResult mlir::moe::convertLayout(AssignSlotsOp op,
                                       KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNot(op)) {
    return refuse(op, *reason);
  }
  OpBuilder host(op);
  Type i32 = host.getI32Type();
  int64_t experts = op.getPlacement().getType().getExperts();
  Value table = PlacementTableOp::create(
      host, op.getLoc(), MemRefType::get({tokenClasses, experts}, i32),
      op.getPlacement());
  KernelBuilder kernel(library, op, blockThreads);
  Destinations from;
  from.expert = kernel.addBuffer(op.getExpert());
  from.table = kernel.addBuffer(table);
  from.firstToken = kernel.addNumber(op.getFirstToken());
  Value position = kernel.addBuffer(op.getOuts()[0]);
  Value counts = kernel.addBuffer(op.getOuts()[1]);
  if (!from.expert || !position || !counts) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, body.getInsertionBlock()->getTerminator(),
                   blockThreads);
  from.choices = e.extent(from.expert, 1);
  int64_t destinations = staticExtent(counts, 0) * staticExtent(counts, 1);
  e.eachRow(e.index(destinations),
            [&](Value to) { emitDestination(e, from, position, counts, to); });
  Grid grid{arith::ConstantIndexOp::create(host, op.getLoc(), destinations),
            e.iterationsPerBlock()};
  kernel.launch("moe_assign_slots_" + describeShape(op.getExpert()), grid);
  op.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// count_offsets, slot_positions
//===----------------------------------------------------------------------===//

/// The sum of those counts [r, s] for which `isCounted(r, s)`, in each lane.
static Value sumCounts(GPULoopEmitter &e, Value counts,
                       function_ref<Value(Value, Value)> isCounted) {
  Value slots = e.extent(counts, 1);
  int64_t all = staticExtent(counts, 0) * staticExtent(counts, 1);
  Value none = e.i32(0);
  Value sum =
      e.foldLanes(
           e.index(all), none,
           [&](Value i, Value isIn, ValueRange sum) -> SmallVector<Value> {
             Value r = arith::DivUIOp::create(e.b, i, slots);
             Value s = arith::RemUIOp::create(e.b, i, slots);
             Value count = e.load(counts, {r, s});
             Value counted = both(e, isIn, isCounted(r, s));
             count = arith::SelectOp::create(e.b, counted, count, none);
             return {e.add(sum[0], count)};
           })
          .front();
  return e.warpSum(sum);
}

/// offsets[at] = sum, by one lane.
static void storeOnce(GPULoopEmitter &e, Value sum, Value offsets, Value at) {
  Value isFirst = e.compare(arith::CmpIPredicate::eq, e.lane(), e.i32(0));
  e.when(isFirst, [&] { e.store(sum, offsets, at); });
}

LogicalResult mlir::moe::convertLayout(CountOffsetsOp op,
                                       KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNot(op)) {
    return refuse(op, *reason);
  }
  KernelBuilder kernel(library, op, blockThreads);
  Value counts = kernel.addBuffer(op.getCounts());
  Value byRank = kernel.addBuffer(op.getOuts()[0]);
  Value bySlot = kernel.addBuffer(op.getOuts()[1]);
  if (!counts || !byRank || !bySlot) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, body.getInsertionBlock()->getTerminator(),
                   blockThreads);
  // A warp an offset: those by rank, then those by slot.
  int64_t ranks = staticExtent(counts, 0) + 1;
  int64_t offsets = ranks + staticExtent(counts, 1) + 1;
  auto before = [&](Value i, Value end) {
    return e.compare(arith::CmpIPredicate::ult, i, end);
  };
  e.eachRow(e.index(offsets), [&](Value at) {
    Value isByRank = before(at, e.index(ranks));
    e.when(isByRank, [&] {
      storeOnce(
          e,
          sumCounts(e, counts, [&](Value r, Value) { return before(r, at); }),
          byRank, at);
    });
    Value isBySlot = e.compare(arith::CmpIPredicate::uge, at, e.index(ranks));
    e.when(isBySlot, [&] {
      Value slot = arith::SubIOp::create(e.b, at, e.index(ranks));
      storeOnce(
          e,
          sumCounts(e, counts, [&](Value, Value s) { return before(s, slot); }),
          bySlot, slot);
    });
  });
  OpBuilder host(op);
  Grid grid{arith::ConstantIndexOp::create(host, op.getLoc(), offsets),
            e.iterationsPerBlock()};
  kernel.launch("moe_count_offsets_" + describeShape(op.getCounts()), grid);
  op.erase();
  return success();
}

/// What the warp of rows from rank r for slot s does: rows come in the order
/// (rank, slot) and go to the order (slot, rank).
static void emitRun(GPULoopEmitter &e, Value counts, Value places, Value r,
                    Value s) {
  auto less = [&](Value a, Value c) {
    return e.compare(arith::CmpIPredicate::ult, a, c);
  };
  auto equal = [&](Value a, Value c) {
    return e.compare(arith::CmpIPredicate::eq, a, c);
  };
  auto orderedBefore = [&](Value major, Value minor, Value majorEnd,
                           Value minorEnd) -> Value {
    return arith::OrIOp::create(
        e.b, less(major, majorEnd),
        both(e, equal(major, majorEnd), less(minor, minorEnd)));
  };
  Value row = asIndex(e, sumCounts(e, counts, [&](Value rank, Value slot) {
                        return orderedBefore(rank, slot, r, s);
                      }));
  Value first = asIndex(e, sumCounts(e, counts, [&](Value rank, Value slot) {
                          return orderedBefore(slot, rank, s, r);
                        }));
  // After a failed exchange counts may exceed the extent: rows beyond it are
  // not written, and no place points there.
  Value extent = e.extent(places, 0);
  Value last = arith::SubIOp::create(e.b, extent, e.index(1));
  Value count = e.loadIndex(counts, {r, s});
  auto emitPlace = [&](Value i) {
    Value at = e.add(row, i);
    e.when(less(at, extent), [&] {
      Value place = arith::MinSIOp::create(e.b, e.add(first, i), last);
      e.store(place, places, at);
    });
  };
  e.each(asIndex(e, e.lane()), count, emitPlace, warpThreads);
}

LogicalResult mlir::moe::convertLayout(SlotPositionsOp op,
                                       KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNot(op)) {
    return refuse(op, *reason);
  }
  KernelBuilder kernel(library, op, blockThreads);
  Value counts = kernel.addBuffer(op.getCounts());
  Value places = kernel.addBuffer(op.getOuts()[0]);
  if (!counts || !places) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, body.getInsertionBlock()->getTerminator(),
                   blockThreads);
  int64_t runs = staticExtent(counts, 0) * staticExtent(counts, 1);
  Value slots = e.extent(counts, 1);
  e.eachRow(e.index(runs), [&](Value run) {
    emitRun(e, counts, places, arith::DivUIOp::create(e.b, run, slots),
            arith::RemUIOp::create(e.b, run, slots));
  });
  OpBuilder host(op);
  Grid grid{arith::ConstantIndexOp::create(host, op.getLoc(), runs),
            e.iterationsPerBlock()};
  kernel.launch("moe_slot_positions_" + describeShape(op.getCounts()), grid);
  op.erase();
  return success();
}
