// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who still gets a place at an expert, by counters: one pass over the choices.

#include "moe/Conversion/MoEToLoops/CapacityGroups.h"
#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

TokenRange mlir::moe::tokensOf(LoopEmitter &e, LimitCapacityOp op) {
  TokenRange range;
  range.local = e.extent(op.getExpert(), 0);
  range.first = op.getFirstToken() ? op.getFirstToken() : e.index(0);
  range.global = op.getTokens() ? op.getTokens() : range.local;
  return range;
}

void mlir::moe::eachGroup(LoopEmitter &e, CapacityGroupAttr group,
                          TokenRange range,
                          function_ref<void(TokenGroup)> body) {
  ImplicitLocOpBuilder &b = e.b;
  if (group.getScope() == CapacityScope::All) {
    return body({e.index(0), e.index(0), range.local, range.global});
  }
  Value size = e.index(group.getSize());
  Value end = e.add(range.first, range.local);
  Value firstGroup = arith::DivUIOp::create(b, range.first, size);
  Value endGroup = arith::CeilDivUIOp::create(b, end, size);
  e.each(firstGroup, endGroup, [&](Value number) {
    Value start = arith::MulIOp::create(b, number, size);
    Value stop = e.add(start, size);
    Value from = arith::MaxUIOp::create(b, start, range.first);
    Value to = arith::MinUIOp::create(b, stop, end);
    Value left = arith::SubIOp::create(b, range.global, start);
    body({number, arith::SubIOp::create(b, from, range.first),
          arith::SubIOp::create(b, to, range.first),
          arith::MinUIOp::create(b, size, left)});
  });
}

/// Counters are i32; a capacity beyond them is as good as none.
static constexpr int64_t mostAssignments = std::numeric_limits<int32_t>::max();

static Value clampToI32(LoopEmitter &e, Value value) {
  Value most = e.index(mostAssignments);
  return arith::IndexCastOp::create(e.b, e.b.getI32Type(),
                                    arith::MinSIOp::create(e.b, value, most));
}

static Value roundAs(CapacityRounding rounding, LoopEmitter &e, Value value) {
  switch (rounding) {
  case CapacityRounding::Floor:
    return math::FloorOp::create(e.b, value);
  case CapacityRounding::Ceil:
    return math::CeilOp::create(e.b, value);
  case CapacityRounding::HalfEven:
    return math::RoundEvenOp::create(e.b, value);
  }
  llvm_unreachable("every rounding was named");
}

Value mlir::moe::capacityOf(LoopEmitter &e, CapacityAttr capacity, Value size,
                            int64_t experts) {
  ImplicitLocOpBuilder &b = e.b;
  if (capacity.getCount() > 0) {
    return e.i32(std::min(capacity.getCount(), mostAssignments));
  }
  Type f64 = b.getF64Type();
  auto number = [&](double value) -> Value {
    return arith::ConstantOp::create(b, b.getF64FloatAttr(value));
  };
  Value tokens = arith::IndexCastOp::create(b, b.getI64Type(), size);
  Value share =
      arith::MulFOp::create(b, number(capacity.getFactor().getValueAsDouble()),
                            arith::SIToFPOp::create(b, f64, tokens));
  share = arith::DivFOp::create(b, share, number(experts));
  Value rounded = arith::FPToSIOp::create(
      b, b.getI64Type(), roundAs(capacity.getRounding(), e, share));
  Value count = arith::IndexCastOp::create(b, b.getIndexType(), rounded);
  if (capacity.getMultipleOf() > 1) {
    Value multiple = e.index(capacity.getMultipleOf());
    count = arith::MulIOp::create(
        b, arith::CeilDivUIOp::create(b, count, multiple), multiple);
  }
  count = arith::MaxSIOp::create(b, count, e.index(capacity.getMinimum()));
  return clampToI32(e, count);
}

namespace {

/// Numbers the assignments of each expert within a group.
///
/// `counts[e]` is the number that the next assignment of expert e gets. Alone
/// it just runs on from choice to choice. On one rank of several it starts each
/// choice at `earlier[e]`, what the earlier choices took on all ranks, plus
/// what the ranks before this one take in this choice.
///
/// Survivors need no counting of their own: an expert of which an earlier
/// choice was dropped is full, whether the dropped ones count or not, and
/// otherwise all of them survived. So both orders keep the same assignments.
class ChoiceNumbering {
public:
  ChoiceNumbering(LoopEmitter &e, LimitCapacityOp op)
      : e(e), op(op), experts(e.index(op.getExperts())),
        counts(makeCounters()) {
    if (op.getTaken()) {
      earlier = makeCounters();
    }
  }

  void startGroup() { e.fill(earlier ? earlier : counts, e.i32(0)); }

  void startChoice(Value group, Value j) {
    if (!earlier) {
      return;
    }
    e.each(experts, [&](Value expert) {
      Value taken = takenBefore(op.getRank(), group, j, expert);
      e.store(e.add(e.load(earlier, expert), taken), counts, expert);
    });
  }

  /// The number of the next assignment of `expert` (index).
  Value next(Value expert) {
    Value number = e.load(counts, expert);
    e.store(e.add(number, e.i32(1)), counts, expert);
    return number;
  }

  void endChoice(Value group, Value j) {
    if (!earlier) {
      return;
    }
    Value ranks = e.extent(op.getTaken(), 0);
    e.each(experts, [&](Value expert) {
      Value taken = takenBefore(ranks, group, j, expert);
      e.store(e.add(e.load(earlier, expert), taken), earlier, expert);
    });
  }

private:
  Value makeCounters() {
    return e.scratch({static_cast<int64_t>(op.getExperts())}, e.b.getI32Type());
  }

  /// What the ranks before `rank` take in choice j of this group.
  Value takenBefore(Value rank, Value group, Value j, Value expert) {
    return e.fold(rank, e.i32(0), [&](Value r, Value sum) {
      return e.add(sum, e.load(op.getTaken(), {r, group, j, expert}));
    });
  }

  LoopEmitter &e;
  LimitCapacityOp op;
  Value experts;
  Value counts;
  Value earlier;
};

} // namespace

static void limitGroup(LimitCapacityOp op, LoopEmitter &e, TokenGroup group,
                       ChoiceNumbering &numbering) {
  Value expert = op.getExpert();
  Value kept = op.getOuts()[0];
  Value capacity = capacityOf(e, op.getCapacity(), group.size, op.getExperts());
  Value none = e.i32(-1);
  numbering.startGroup();
  e.each(e.extent(expert, 1), [&](Value j) {
    numbering.startChoice(group.number, j);
    e.each(group.begin, group.end, [&](Value t) {
      Value chosen = e.load(expert, {t, j});
      e.store(none, kept, {t, j});
      e.when(e.isSome(chosen), [&] {
        Value index =
            arith::IndexCastOp::create(e.b, e.b.getIndexType(), chosen);
        Value fits = e.compare(arith::CmpIPredicate::slt, numbering.next(index),
                               capacity);
        e.when(fits, [&] { e.store(chosen, kept, {t, j}); });
      });
    });
    numbering.endChoice(group.number, j);
  });
}

void mlir::moe::renormalizeSurvivors(LimitCapacityOp op, LoopEmitter &e) {
  Value weight = op.getWeight();
  Value kept = op.getOuts()[0];
  Value choices = e.extent(kept, 1);
  Value zero = e.f32(0);
  e.eachItem(e.extent(kept, 0), [&](Value t) {
    Value sum = e.fold(choices, zero, [&](Value j, Value sum) -> Value {
      Value survives = e.isSome(e.load(kept, {t, j}));
      Value more = arith::AddFOp::create(e.b, sum, e.loadF32(weight, {t, j}));
      return arith::SelectOp::create(e.b, survives, more, sum);
    });
    Value none = e.compare(arith::CmpFPredicate::OEQ, sum, zero);
    e.each(choices, [&](Value j) {
      Value share = arith::DivFOp::create(e.b, e.loadF32(weight, {t, j}), sum);
      e.store(arith::SelectOp::create(e.b, none, zero, share).getResult(),
              op.getOuts()[1], {t, j});
    });
  });
}

void mlir::moe::lowerToLoops(LimitCapacityOp op, LoopEmitter &e) {
  ChoiceNumbering numbering(e, op);
  eachGroup(e, op.getGroup(), tokensOf(e, op),
            [&](TokenGroup group) { limitGroup(op, e, group, numbering); });
  if (op.getRenormalize()) {
    renormalizeSurvivors(op, e);
  }
}

void mlir::moe::lowerToLoops(CountChoicesOp op, LoopEmitter &e) {
  Value expert = op.getExpert();
  Value counts = op.getOuts()[0];
  Value choices = e.extent(expert, 1);
  e.each(e.extent(counts, 0), [&](Value g) {
    e.each(choices, [&](Value j) {
      e.each(e.extent(counts, 2),
             [&](Value i) { e.store(e.i32(0), counts, {g, j, i}); });
    });
  });
  TokenRange range{op.getFirstToken(), e.extent(expert, 0), op.getTokens()};
  eachGroup(e, op.getGroup(), range, [&](TokenGroup group) {
    e.each(group.begin, group.end, [&](Value t) {
      e.each(choices, [&](Value j) {
        Value chosen = e.load(expert, {t, j});
        e.when(e.isSome(chosen), [&] {
          Value at =
              arith::IndexCastOp::create(e.b, e.b.getIndexType(), chosen);
          Value count = e.load(counts, {group.number, j, at});
          e.store(e.add(count, e.i32(1)), counts, {group.number, j, at});
        });
      });
    });
  });
}
