// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SortedList.h"
#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

/// score + bias (+ noise) of expert i of token t.
static Value selectionScore(SelectOp op, LoopEmitter &e, Value t, Value i,
                            bool noised) {
  Value score = e.loadF32(op.getScores(), {t, i});
  if (Value bias = op.getBias()) {
    score = arith::AddFOp::create(e.b, score, e.loadF32(bias, i));
  }
  if (noised && op.getNoise()) {
    score = arith::AddFOp::create(e.b, score, e.loadF32(op.getNoise(), {t, i}));
  }
  return score;
}

namespace {

/// Masks the selection scores of a token outside of the best groups.
class GroupLimiter {
public:
  GroupLimiter(LoopEmitter &e, GroupLimitAttr limit, int64_t experts)
      : e(e), limit(limit), groupSize(experts / limit.getGroups()),
        masked(e.scratch({experts}, e.b.getF32Type())),
        groupScores(e.scratch({limit.getGroups()}, e.b.getF32Type())),
        kept(e.scratch({limit.getGroups()}, e.b.getI1Type())) {}

  void emit(CandidateFn score) {
    e.each(e.index(limit.getGroups()), [&](Value group) {
      e.store(groupScore(group, score), groupScores, group);
    });
    keepBestGroups();
    maskOthers();
  }

  Value load(Value expert) { return e.load(masked, expert); }

private:
  Value expertOf(Value group, Value member) {
    Value first = arith::MulIOp::create(e.b, group, e.index(groupSize));
    return e.add(first, member);
  }

  /// Also keeps the scores that it reads.
  Value groupScore(Value group, CandidateFn score) {
    bool sums = limit.getScore() == GroupScore::SumOfTop;
    Best best =
        emitBest(e, sums ? limit.getTop() : 1, groupSize, [&](Value member) {
          Value expert = expertOf(group, member);
          Value value = score(expert);
          e.store(value, masked, expert);
          return value;
        });
    // LLVM adds the lanes in order where it may not reassociate.
    return vector::ReductionOp::create(e.b, vector::CombiningKind::ADD,
                                       best.values);
  }

  void keepBestGroups() {
    Value no = arith::ConstantOp::create(e.b, e.b.getBoolAttr(false));
    Value yes = arith::ConstantOp::create(e.b, e.b.getBoolAttr(true));
    e.fill(kept, no);
    Best best =
        emitBest(e, limit.getKeep(), limit.getGroups(),
                 [&](Value group) { return e.load(groupScores, group); });
    for (int64_t i = 0; i < limit.getKeep(); ++i) {
      Value group = vector::ExtractOp::create(e.b, best.indices, i);
      e.store(yes, kept,
              arith::IndexCastOp::create(e.b, e.b.getIndexType(), group)
                  .getResult());
    }
  }

  void maskOthers() {
    Value mask = e.f32(limit.getMask() == MaskValue::Zero
                           ? 0
                           : -std::numeric_limits<double>::infinity());
    e.each(e.index(limit.getGroups()), [&](Value group) {
      Value isKept = e.load(kept, group);
      Value drop = arith::XOrIOp::create(
          e.b, isKept, arith::ConstantOp::create(e.b, e.b.getBoolAttr(true)));
      e.when(drop, [&] {
        e.each(e.index(groupSize), [&](Value member) {
          e.store(mask, masked, expertOf(group, member));
        });
      });
    });
  }

  LoopEmitter &e;
  GroupLimitAttr limit;
  int64_t groupSize;
  Value masked;
  Value groupScores;
  Value kept;
};

} // namespace

/// The second choice stays with probability min(1, 2 · score).
static void dropSecondAtRandom(SelectOp op, LoopEmitter &e, Value t) {
  Value second = e.index(1);
  Value expert = e.loadIndex(op.getOuts()[0], {t, second});
  Value score = e.loadF32(op.getScores(), {t, expert});
  Value threshold = arith::MulFOp::create(e.b, score, e.f32(2));
  Value drawn = e.loadF32(op.getRandom(), t);
  Value drops = e.compare(arith::CmpFPredicate::ULE, threshold, drawn);
  e.when(drops, [&] {
    e.store(e.i32(-1), op.getOuts()[0], {t, second});
    e.store(e.f32(0), op.getOuts()[1], {t, second});
  });
}

/// Writes the experts of token t, best first.
static void selectExperts(SelectOp op, LoopEmitter &e, Value t,
                          GroupLimiter *limiter) {
  Value chosen = op.getOuts()[0];
  int64_t experts = staticExtent(op.getScores(), 1);
  Value zero = e.index(0);
  auto noised = [&](Value i) { return selectionScore(op, e, t, i, true); };
  if (op.getSecond() == SecondExpertPolicy::Sampling) {
    auto plain = [&](Value i) { return selectionScore(op, e, t, i, false); };
    Value first = emitBest(e, 1, experts, plain).indices;
    e.storePart(first, chosen, {t, zero});
    Value excluded = vector::ExtractOp::create(e.b, first, 0);
    Value second = emitBestExcept(e, experts, noised, excluded).indices;
    return e.storePart(second, chosen, {t, e.index(1)});
  }
  if (!limiter) {
    Best best = emitBest(e, op.getK(), experts, noised);
    return e.storePart(best.indices, chosen, {t, zero});
  }
  limiter->emit(noised);
  Best best = emitBest(e, op.getK(), experts,
                       [&](Value i) { return limiter->load(i); });
  e.storePart(best.indices, chosen, {t, zero});
}

void mlir::moe::lowerToLoops(SelectOp op, LoopEmitter &e) {
  Value scores = op.getScores();
  std::optional<GroupLimiter> limiter;
  std::optional<GroupLimitAttr> limit = op.getLimit();
  if (limit && limit->getKeep() < limit->getGroups()) {
    limiter.emplace(e, *limit, staticExtent(scores, 1));
  }
  e.eachItem(e.extent(scores, 0), [&](Value t) {
    selectExperts(op, e, t, limiter ? &*limiter : nullptr);
    e.each(e.index(op.getK()), [&](Value j) {
      Value expert = e.loadIndex(op.getOuts()[0], {t, j});
      e.store(e.loadF32(scores, {t, expert}), op.getOuts()[1], {t, j});
    });
    if (op.getSecond() == SecondExpertPolicy::Random) {
      dropSecondAtRandom(op, e, t);
    }
  });
}
