// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who still gets a place at an expert: a warp an expert numbers its assignments
// in the order (choice, token), 32 tokens at a time.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

#include "moe/Conversion/MoEToLoops/CapacityGroups.h"
#include "moe/Conversion/MoEToLoops/Lowerings.h"

using namespace mlir;
using namespace mlir::moe;

/// What the ranks before `rank` take of an expert in choice j of a group.
static Value takenBefore(GPULoopEmitter &e, Value taken, Value rank,
                         Value group, Value j, Value expert) {
  return e.fold(rank, e.i32(0), [&](Value r, Value sum) {
    return e.add(sum, e.load(taken, {r, group, j, expert}));
  });
}

/// Numbers the assignments of `expert` in choice j of a group from `start` on,
/// and keeps those below the capacity. Returns the next number. The warp of
/// expert 0 also writes those that chose none.
static Value keepChoice(LimitCapacityOp op, GPULoopEmitter &e, TokenGroup group,
                        Value j, Value expert, Value start, Value capacity) {
  Value self = arith::IndexCastOp::create(e.b, e.b.getI32Type(), expert);
  Value none = e.i32(-1);
  Value isFirst = e.compare(arith::CmpIPredicate::eq, self, e.i32(0));
  Value count = arith::SubIOp::create(e.b, group.end, group.begin);
  auto keep = [&](Value i, Value isIn, ValueRange next) -> SmallVector<Value> {
    Value t = e.add(group.begin, i);
    Value chosen = e.load(op.getExpert(), {t, j});
    auto isInAnd = [&](Value condition) -> Value {
      return arith::AndIOp::create(e.b, isIn, condition);
    };
    Value mine = isInAnd(e.compare(arith::CmpIPredicate::eq, chosen, self));
    Value bits = e.ballot(mine);
    Value number = e.add(next[0], e.countBits(e.bitsBefore(bits)));
    Value fits = arith::AndIOp::create(
        e.b, mine, e.compare(arith::CmpIPredicate::slt, number, capacity));
    Value lost = isInAnd(arith::AndIOp::create(
        e.b, isFirst, e.compare(arith::CmpIPredicate::slt, chosen, e.i32(0))));
    e.when(arith::OrIOp::create(e.b, mine, lost), [&] {
      Value kept = arith::SelectOp::create(e.b, fits, chosen, none);
      e.store(kept, op.getOuts()[0], {t, j});
    });
    return {e.add(next[0], e.countBits(bits))};
  };
  return e.foldLanes(count, start, keep).front();
}

/// On one rank of several a choice starts at what earlier choices took on all
/// ranks and this one on the ranks before this rank.
static void limitExpert(LimitCapacityOp op, GPULoopEmitter &e, TokenGroup group,
                        Value expert) {
  Value capacity = capacityOf(e, op.getCapacity(), group.size, op.getExperts());
  Value taken = op.getTaken();
  SmallVector<Value> none(2, e.i32(0));
  e.fold(e.index(0), e.extent(op.getExpert(), 1), none,
         [&](Value j, ValueRange carried) -> SmallVector<Value> {
           Value start = carried[0];
           Value earlier = carried[1];
           if (taken) {
             start = e.add(earlier, takenBefore(e, taken, op.getRank(),
                                                group.number, j, expert));
             Value ranks = e.extent(taken, 0);
             earlier = e.add(earlier, takenBefore(e, taken, ranks, group.number,
                                                  j, expert));
           }
           return {keepChoice(op, e, group, j, expert, start, capacity),
                   earlier};
         });
}

/// A second kernel, since it needs all of the first one's.
static LogicalResult launchRenormalize(LimitCapacityOp op,
                                       KernelLibrary &library) {
  KernelBuilder kernel(library, op, blockThreads);
  auto inKernel = cast_if_present<LimitCapacityOp>(kernel.addOp());
  if (!inKernel) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, inKernel, blockThreads);
  renormalizeSurvivors(inKernel, e);
  inKernel.erase();
  OpBuilder host(op);
  Grid grid{hostExtent(host, op.getLoc(), op.getExpert(), 0),
            e.iterationsPerBlock()};
  kernel.launch("moe_renormalize_" + describeShape(op.getExpert()), grid);
  return success();
}

LogicalResult mlir::moe::convertCapacity(LimitCapacityOp op,
                                         KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNotLoops(op)) {
    return op.emitOpError("cannot become a kernel: ") << *reason;
  }
  KernelBuilder kernel(library, op, blockThreads);
  auto inKernel = cast_if_present<LimitCapacityOp>(kernel.addOp());
  if (!inKernel) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, inKernel, blockThreads);
  int64_t experts = op.getExperts();
  e.eachRow(e.index(experts), [&](Value expert) {
    eachGroup(e, op.getGroup(), tokensOf(e, inKernel), [&](TokenGroup group) {
      limitExpert(inKernel, e, group, expert);
    });
  });
  inKernel.erase();
  OpBuilder host(op);
  Grid grid{arith::ConstantIndexOp::create(host, op.getLoc(), experts),
            e.iterationsPerBlock()};
  kernel.launch("moe_limit_capacity_" + describeShape(op.getExpert()), grid);
  if (op.getRenormalize() && failed(launchRenormalize(op, library))) {
    return failure();
  }
  op.erase();
  return success();
}

/// How often a group's tokens choose `expert` as their choice j.
static void countChoice(CountChoicesOp op, GPULoopEmitter &e, TokenGroup group,
                        Value j, Value expert) {
  Value self = arith::IndexCastOp::create(e.b, e.b.getI32Type(), expert);
  Value tokens = arith::SubIOp::create(e.b, group.end, group.begin);
  Value none = e.i32(0);
  auto count = [&](Value i, Value isIn, ValueRange sum) -> SmallVector<Value> {
    Value chosen = e.load(op.getExpert(), {e.add(group.begin, i), j});
    Value mine = arith::AndIOp::create(
        e.b, isIn, e.compare(arith::CmpIPredicate::eq, chosen, self));
    Value one = arith::ExtUIOp::create(e.b, e.b.getI32Type(), mine);
    return {e.add(sum[0], one)};
  };
  Value sum = e.warpSum(e.foldLanes(tokens, none, count).front());
  Value isFirst = e.compare(arith::CmpIPredicate::eq, e.lane(), none);
  e.when(isFirst,
         [&] { e.store(sum, op.getOuts()[0], {group.number, j, expert}); });
}

/// Groups without tokens on this rank are not gone over.
static void clearCounts(CountChoicesOp op, GPULoopEmitter &e, Value j,
                        Value expert) {
  Value counts = op.getOuts()[0];
  auto clear = [&](Value g) { e.store(e.i32(0), counts, {g, j, expert}); };
  Value first = arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), e.lane());
  e.each(first, e.extent(counts, 0), clear, warpThreads);
  e.syncWarp();
}

LogicalResult mlir::moe::convertCapacity(CountChoicesOp op,
                                         KernelLibrary &library) {
  if (std::optional<std::string> reason = whyNotLoops(op)) {
    return op.emitOpError("cannot become a kernel: ") << *reason;
  }
  KernelBuilder kernel(library, op, blockThreads);
  auto inKernel = cast_if_present<CountChoicesOp>(kernel.addOp());
  if (!inKernel) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, inKernel, blockThreads);
  Value counts = inKernel.getOuts()[0];
  TokenRange range{inKernel.getFirstToken(), e.extent(inKernel.getExpert(), 0),
                   inKernel.getTokens()};
  Value experts = e.extent(counts, 2);
  Value pairs = arith::MulIOp::create(e.b, e.extent(counts, 1), experts);
  e.eachRow(pairs, [&](Value pair) {
    Value j = arith::DivUIOp::create(e.b, pair, experts);
    Value expert = arith::RemUIOp::create(e.b, pair, experts);
    clearCounts(inKernel, e, j, expert);
    eachGroup(e, op.getGroup(), range, [&](TokenGroup group) {
      countChoice(inKernel, e, group, j, expert);
    });
  });
  inKernel.erase();
  OpBuilder host(op);
  Value choices = hostExtent(host, op.getLoc(), op.getOuts()[0], 1);
  Value all = host.createOrFold<arith::MulIOp>(
      op.getLoc(), choices, hostExtent(host, op.getLoc(), op.getOuts()[0], 2));
  kernel.launch("moe_count_choices_" + describeShape(op.getExpert()),
                Grid{all, e.iterationsPerBlock()});
  op.erase();
  return success();
}
