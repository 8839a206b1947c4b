// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionPartitioner.h"
#include "moe/Transforms/Partition/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::moe {
#define GEN_PASS_DEF_EXPANDEXPERTSPASS
#include "moe/Transforms/Partition/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Emits `moe.experts` as loops over experts, tokens and choices.
class ExpertsExpansion {
public:
  ExpertsExpansion(ExpertsOp op, comm::Partitioner &partitioner)
      : op(op), partitioner(partitioner),
        b(op.getLoc(), partitioner.getBuilder()),
        x(partitioner.getLocal(op.getX())),
        expert(partitioner.getLocal(op.getExpert())),
        weight(partitioner.getLocal(op.getWeight())) {
    zero = index(0);
    one = index(1);
    choices = index(cast<ShapedType>(expert.getType()).getDimSize(1));
    tokens = tensor::DimOp::create(b, x, zero);
  }

  LogicalResult run(int64_t experts) {
    Value yielded = op.getBody().front().getTerminator()->getOperand(0);
    auto rowType = cast<RankedTensorType>(yielded.getType());
    Value all = arith::MulIOp::create(b, tokens, choices);
    Value results = emptyRows(all, rowType);
    LogicalResult status = success();
    auto loop = scf::ForOp::create(b, zero, index(experts), one, results);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Value e = loop.getInductionVar();
      Value mine = gatherRows(e);
      Value offsets = offsetsOf(e, experts, mine);
      OpBuilder::InsertionGuard inner(partitioner.getBuilder());
      partitioner.getBuilder().setInsertionPoint(b.getInsertionBlock(),
                                                 b.getInsertionPoint());
      Block &block = op.getBody().front();
      partitioner.mapLocal(block.getArgument(0), mine);
      partitioner.mapLocal(block.getArgument(1), offsets);
      status = partitioner.partitionBody(block);
      b.setInsertionPointToEnd(loop.getBody());
      if (succeeded(status)) {
        Value out = partitioner.getLocal(yielded);
        scf::YieldOp::create(b, scatterRows(e, out, loop.getRegionIterArg(0)));
      }
    }
    if (succeeded(status)) {
      partitioner.mapLocal(op.getResult(), weightedSum(loop.getResult(0)));
    }
    return status;
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  Value emptyRows(Value rows, RankedTensorType like) {
    return tensor::EmptyOp::create(
        b, ArrayRef<OpFoldResult>{rows, b.getIndexAttr(like.getDimSize(1))},
        like.getElementType());
  }

  Value row(Value rows, Value at) {
    int64_t columns = cast<ShapedType>(rows.getType()).getDimSize(1);
    return tensor::ExtractSliceOp::create(
        b, rows, ArrayRef<OpFoldResult>{at, b.getIndexAttr(0)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(columns)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(1)});
  }

  Value setRow(Value rows, Value at, Value one) {
    int64_t columns = cast<ShapedType>(rows.getType()).getDimSize(1);
    return tensor::InsertSliceOp::create(
        b, one, rows, ArrayRef<OpFoldResult>{at, b.getIndexAttr(0)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(columns)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(1)});
  }

  /// Loops over the assignments (t, j); `body` returns what it carries on.
  SmallVector<Value> forEachChoice(
      ValueRange init,
      function_ref<SmallVector<Value>(Value t, Value j, ValueRange)> body) {
    auto outer = scf::ForOp::create(b, zero, tokens, one, init);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(outer.getBody());
    auto inner =
        scf::ForOp::create(b, zero, choices, one, outer.getRegionIterArgs());
    scf::YieldOp::create(b, inner.getResults());
    b.setInsertionPointToStart(inner.getBody());
    SmallVector<Value> next =
        body(outer.getInductionVar(), inner.getInductionVar(),
             inner.getRegionIterArgs());
    b.setInsertionPointToEnd(inner.getBody());
    scf::YieldOp::create(b, next);
    return outer.getResults();
  }

  Value isChosen(Value t, Value j, Value e) {
    Value chosen = tensor::ExtractOp::create(b, expert, ValueRange{t, j});
    Value id = arith::IndexCastOp::create(b, b.getI32Type(), e);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, chosen, id);
  }

  /// What `then` makes of `carried` where the condition holds.
  SmallVector<Value> onlyIf(Value condition, ValueRange carried,
                            function_ref<SmallVector<Value>(ValueRange)> then) {
    auto branch = scf::IfOp::create(b, carried.getTypes(), condition,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, then(carried));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, carried);
    return branch.getResults();
  }

  /// The rows of x that chose expert e, in the order (t, j).
  Value gatherRows(Value e) {
    Value count = forEachChoice(zero, [&](Value t, Value j, ValueRange n) {
      return onlyIf(isChosen(t, j, e), n, [&](ValueRange n) {
        return SmallVector<Value>{arith::AddIOp::create(b, n[0], one)};
      });
    })[0];
    Value space = emptyRows(count, cast<RankedTensorType>(x.getType()));
    Value start[] = {space, zero};
    return forEachChoice(start, [&](Value t, Value j, ValueRange state) {
      return onlyIf(isChosen(t, j, e), state, [&](ValueRange state) {
        return SmallVector<Value>{setRow(state[0], state[1], row(x, t)),
                                  arith::AddIOp::create(b, state[1], one)};
      });
    })[0];
  }

  /// Offsets of slots of which only slot e has rows.
  Value offsetsOf(Value e, int64_t experts, Value rows) {
    Value count = tensor::DimOp::create(b, rows, zero);
    Value n = arith::IndexCastOp::create(b, b.getI32Type(), count);
    Value none = arith::ConstantIntOp::create(b, 0, 32);
    auto type = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
    return tensor::GenerateOp::create(
        b, type, ValueRange{index(experts + 1)},
        [&](OpBuilder &builder, Location loc, ValueRange at) {
          Value before = arith::CmpIOp::create(
              builder, loc, arith::CmpIPredicate::ule, at[0], e);
          Value value = arith::SelectOp::create(builder, loc, before, none, n);
          tensor::YieldOp::create(builder, loc, value);
        });
  }

  /// Puts row i of `out`, that of the i-th choice of e, to (t, j).
  Value scatterRows(Value e, Value out, Value results) {
    Value start[] = {results, zero};
    return forEachChoice(start, [&](Value t, Value j, ValueRange state) {
      return onlyIf(isChosen(t, j, e), state, [&](ValueRange state) {
        Value at =
            arith::AddIOp::create(b, arith::MulIOp::create(b, t, choices), j);
        return SmallVector<Value>{setRow(state[0], at, row(out, state[1])),
                                  arith::AddIOp::create(b, state[1], one)};
      });
    })[0];
  }

  /// `sum + w * row` in f32, unfused.
  Value addWeighted(Value sum, Value w, Value oneRow) {
    AffineMap identity = b.getMultiDimIdentityMap(2);
    SmallVector<utils::IteratorType> loops(2, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, sum.getType(), ValueRange{oneRow}, ValueRange{sum},
               ArrayRef<AffineMap>{identity, identity}, loops,
               [&](OpBuilder &builder, Location loc, ValueRange args) {
                 Value r = args[0];
                 if (!r.getType().isF32()) {
                   r = arith::ExtFOp::create(builder, loc, builder.getF32Type(),
                                             r);
                 }
                 Value product = arith::MulFOp::create(builder, loc, w, r);
                 Value next =
                     arith::AddFOp::create(builder, loc, args[1], product);
                 linalg::YieldOp::create(builder, loc, next);
               })
        .getResult(0);
  }

  /// y[t], choice after choice.
  Value weightedSum(Value results) {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    Value zeroF = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    Value space = emptyRows(tokens, type);
    Value start =
        linalg::FillOp::create(b, ValueRange{zeroF}, ValueRange{space})
            .getResult(0);
    Value none = arith::ConstantIntOp::create(b, 0, 32);
    bool addsInput = op.getDropped() == DroppedReturn::WeightedInput;
    Value y = forEachChoice(start, [&](Value t, Value j, ValueRange sums) {
      Value chosen = tensor::ExtractOp::create(b, expert, ValueRange{t, j});
      Value w = tensor::ExtractOp::create(b, weight, ValueRange{t, j});
      if (!w.getType().isF32()) {
        w = arith::ExtFOp::create(b, b.getF32Type(), w);
      }
      Value taken =
          arith::CmpIOp::create(b, arith::CmpIPredicate::sge, chosen, none);
      auto add = [&](ValueRange sums, Value oneRow) -> SmallVector<Value> {
        Value sum = addWeighted(row(sums[0], t), w, oneRow);
        return {setRow(sums[0], t, sum)};
      };
      SmallVector<Value> next = onlyIf(taken, sums, [&](ValueRange sums) {
        Value at =
            arith::AddIOp::create(b, arith::MulIOp::create(b, t, choices), j);
        return add(sums, row(results, at));
      });
      if (!addsInput) {
        return next;
      }
      Value lost =
          arith::CmpIOp::create(b, arith::CmpIPredicate::slt, chosen, none);
      return onlyIf(lost, next,
                    [&](ValueRange sums) { return add(sums, row(x, t)); });
    })[0];
    if (y.getType() != type) {
      y = tensor::CastOp::create(b, type, y);
    }
    return y;
  }

  ExpertsOp op;
  comm::Partitioner &partitioner;
  ImplicitLocOpBuilder b;
  Value x;
  Value expert;
  Value weight;
  Value zero;
  Value one;
  Value choices;
  Value tokens;
};

/// One device: nothing is split, experts are loops.
class OneDevice : public FunctionPartitioner {
public:
  explicit OneDevice(func::FuncOp global)
      : FunctionPartitioner(global, comm::MeshOp()) {}

  comm::ShardingAttr getSharding(Value) const override { return {}; }
  using Partitioner::getLocalType;
  Type getLocalType(Type type, comm::ShardingAttr) const override {
    return type;
  }

protected:
  LogicalResult partition(Operation *op) override {
    if (auto experts = dyn_cast<ExpertsOp>(op)) {
      if (experts.getWeighted() == WeightSide::Input) {
        return op->emitOpError(
            "cannot lower weights that are applied to the input");
      }
      int64_t count = countExperts(experts);
      if (count == 0) {
        return op->emitOpError("expected a placement or matrices that say how "
                               "many experts there are");
      }
      return ExpertsExpansion(experts, *this).run(count);
    }
    if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
      mapLocal(reshard.getResult(), getLocal(reshard.getSource()));
      return success();
    }
    if (failed(FunctionPartitioner::partition(op))) {
      return failure();
    }
    if (auto use = dyn_cast<UseWeightOp>(op)) {
      auto local = getLocal(use.getResult()).getDefiningOp<UseWeightOp>();
      local.removePlacementAttr();
    }
    if (auto use = dyn_cast<UsePlacementOp>(op)) {
      auto local = getLocal(use.getResult()).getDefiningOp<UsePlacementOp>();
      local.removePlacementAttr();
    }
    return success();
  }

private:
  /// As many as the placement has, or the matrices that the body uses have
  /// slots.
  static int64_t countExperts(ExpertsOp op) {
    if (op.getPlacement()) {
      return op.getPlacement().getType().getExperts();
    }
    int64_t experts = 0;
    op.getBody().walk([&](GroupedMatmulOp matmul) {
      experts = cast<WeightsType>(matmul.getWeights()[0].getType()).getSlots();
    });
    return experts;
  }
};

struct ExpandExpertsPass
    : public mlir::moe::impl::ExpandExpertsPassBase<ExpandExpertsPass> {
  void runOnOperation() override {
    auto create = [](func::FuncOp global) {
      return std::make_unique<OneDevice>(global);
    };
    if (failed(partitionFunctions(getOperation(), create))) {
      signalPassFailure();
    }
  }
};
} // namespace
