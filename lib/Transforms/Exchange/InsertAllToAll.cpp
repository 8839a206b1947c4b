// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlannedExchange.h"
#include "moe/Analysis/PlannedLayers.h"
#include "moe/Transforms/Exchange/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_INSERTALLTOALLPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

namespace {
/// What the dispatch and the combine of one layout share once it is lowered.
struct LoweredLayout {
  /// [T, K]: the place of each assignment among the rows that are sent.
  Value position;
  /// [n + 1]: where the rows for, and from, each rank begin.
  Value sendByRank;
  Value receiveByRank;
  /// [S + 1]: where the rows of each slot begin.
  Value bySlot;
  /// Rows that the receive buffer holds.
  Value extent;
  /// The place of each arrived row in slot order.
  Value slotPosition;
  /// Rows that are sent at most: T * K.
  Value sentRows;
};

/// Emits the exchanges of one layout, phase by phase.
class ExchangeEmitter {
public:
  ExchangeEmitter(DispatchLayoutOp layout, ExchangeOp exchange)
      : layout(layout), exchange(exchange), b(layout.getLoc(), layout),
        type(layout.getLayout().getType()),
        planned{exchange, layout.getAxes(), type.getSlots()} {}

  LogicalResult run() {
    lowerLayout();
    for (Operation *user :
         llvm::make_early_inc_range(layout.getLayout().getUsers())) {
      b.setInsertionPoint(user);
      b.setLoc(user->getLoc());
      if (auto dispatch = dyn_cast<DispatchOp>(user)) {
        lowerDispatch(dispatch);
      } else if (auto combine = dyn_cast<CombineOp>(user)) {
        lowerCombine(combine);
      } else {
        return user->emitError("cannot lower a use of a dispatch layout");
      }
    }
    layout.erase();
    return success();
  }

private:
  void phase(PhaseKind kind) { PhaseOp::create(b, kind); }

  RankedTensorType dynamic(Type element) {
    return RankedTensorType::get({ShapedType::kDynamic}, element);
  }

  Value emptyRows(Value rows, RankedTensorType like) {
    return tensor::EmptyOp::create(
        b, ArrayRef<OpFoldResult>{rows, b.getIndexAttr(like.getDimSize(1))},
        like.getElementType());
  }

  static RankedTensorType rowsLike(RankedTensorType type) {
    return RankedTensorType::get({ShapedType::kDynamic, type.getDimSize(1)},
                                 type.getElementType());
  }

  //===--- The layout: everything that happens before rows move ----------===//

  void lowerLayout() {
    phase(PhaseKind::Layout);
    Value expert = layout.getExpert();
    auto countType = RankedTensorType::get({type.getRanks(), type.getSlots()},
                                           b.getI32Type());
    auto slots = AssignSlotsOp::create(
        b, TypeRange{expert.getType(), countType}, expert,
        layout.getPlacement(), layout.getFirstToken(), ValueRange{});
    // By which moe-verify-communication finds the plan again.
    slots->setAttr(kExchangeAttrName, layout.getExchangeAttr());
    state.position = slots.getResult(0);
    Value sent = slots.getResult(1);
    state.sendByRank = countOffsets(sent).front();
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value choices = arith::ConstantIndexOp::create(
        b, cast<ShapedType>(expert.getType()).getDimSize(1));
    state.sentRows = arith::MulIOp::create(
        b, tensor::DimOp::create(b, expert, zero), choices);
    auto any = RankedTensorType::get({ShapedType::kDynamic, 1}, b.getI8Type());
    planning::ExchangePlan plan =
        planned.plan(planning::ExchangeDirection::Dispatch, any);
    for (const auto &step : plan.phases()) {
      llvm::TypeSwitch<const planning::Phase *>(step.get())
          .Case<planning::CountExchangePhase>(
              [&](auto *) { exchangeCounts(sent); })
          .Case<planning::HostExtentPhase>([&](auto *host) {
            phase(PhaseKind::Exchange);
            state.extent = comm::HostExtentOp::create(
                b, b.getIndexType(), state.receiveByRank, host->bound());
            phase(PhaseKind::Layout);
          });
    }
    if (!state.extent) {
      state.extent = arith::ConstantIndexOp::create(b, plan.reservedRows());
    }
    state.slotPosition =
        SlotPositionsOp::create(b, TypeRange{dynamic(b.getI32Type())}, received,
                                state.extent, ValueRange{})
            ->getResult(0);
    phase(PhaseKind::Other);
  }

  SmallVector<Value> countOffsets(Value counts) {
    Type offsets = dynamic(b.getI32Type());
    return CountOffsetsOp::create(b, TypeRange{offsets, offsets}, counts,
                                  ValueRange{})
        ->getResults();
  }

  void exchangeCounts(Value sent) {
    phase(PhaseKind::Exchange);
    auto countType = cast<RankedTensorType>(sent.getType());
    Value space = tensor::EmptyOp::create(b, countType.getShape(),
                                          countType.getElementType());
    received =
        comm::AllToAllOp::create(b, TypeRange{countType}, sent, space,
                                 layout.getAxesAttr(), layout.getMeshAttr())
            ->getResult(0);
    // Before anything is derived from the counts: what exceeds the bound ends
    // the program, and nothing may write outside the buffers until it has.
    received = comm::CheckBoundOp::create(b, TypeRange{countType}, received,
                                          exchange.getBound())
                   ->getResult(0);
    phase(PhaseKind::Layout);
    SmallVector<Value> offsets = countOffsets(received);
    state.receiveByRank = offsets[0];
    state.bySlot = offsets[1];
  }

  //===--- Rows ----------------------------------------------------------===//

  void lowerDispatch(DispatchOp dispatch) {
    Value rows = dispatch.getX();
    auto like = cast<RankedTensorType>(rows.getType());
    planning::ExchangePlan plan =
        planned.plan(planning::ExchangeDirection::Dispatch, like);
    for (const auto &step : plan.phases()) {
      llvm::TypeSwitch<const planning::Phase *>(step.get())
          .Case<planning::PermutePhase>([&](const auto *permute) {
            rows = emitPermute(permute, rows, like, dispatch.getWeight());
          })
          .Case<planning::ExchangePhase>(
              [&](const auto *move) { rows = emitExchange(move, rows, like); });
    }
    phase(PhaseKind::Experts);
    dispatch.getRows().replaceAllUsesWith(rows);
    dispatch.getOffsets().replaceAllUsesWith(state.bySlot);
    dispatch.erase();
  }

  void lowerCombine(CombineOp combine) {
    Value rows = combine.getRows();
    auto like = cast<RankedTensorType>(rows.getType());
    planning::ExchangePlan plan =
        planned.plan(planning::ExchangeDirection::Combine, like);
    for (const auto &step : plan.phases()) {
      llvm::TypeSwitch<const planning::Phase *>(step.get())
          .Case<planning::PermutePhase>([&](const auto *permute) {
            rows = emitPermute(permute, rows, like);
          })
          .Case<planning::ExchangePhase>(
              [&](const auto *move) { rows = emitExchange(move, rows, like); })
          .Case<planning::WeightedSumPhase>([&](auto *) {
            phase(PhaseKind::Combine);
            rows = CombineRowsOp::create(
                       b, TypeRange{combine.getResult().getType()}, rows,
                       state.position, combine.getWeight(),
                       combine.getDropped(), ValueRange{})
                       ->getResult(0);
          });
    }
    phase(PhaseKind::Other);
    combine.getResult().replaceAllUsesWith(rows);
    combine.erase();
  }

  /// `weight` is what rows are multiplied by when they leave their tokens;
  /// null: nothing.
  Value emitPermute(const planning::PermutePhase *permute, Value rows,
                    RankedTensorType like, Value weight = {}) {
    using Order = planning::PermutePhase::Order;
    phase(PhaseKind::Permute);
    if (permute->fromOrder() == Order::Token) {
      return SpreadRowsOp::create(b, TypeRange{rowsLike(like)}, rows,
                                  state.position, weight, ValueRange{})
          ->getResult(0);
    }
    bool inverse = permute->fromOrder() == Order::Slot;
    return PermuteRowsOp::create(b, TypeRange{rows.getType()}, rows,
                                 state.slotPosition, state.bySlot, ValueRange{},
                                 inverse)
        ->getResult(0);
  }

  Value emitExchange(const planning::ExchangePhase *move, Value rows,
                     RankedTensorType like) {
    bool forth = move->direction() == planning::ExchangeDirection::Dispatch;
    phase(PhaseKind::Exchange);
    Value space = emptyRows(forth ? state.extent : state.sentRows, like);
    Value from = forth ? state.sendByRank : state.receiveByRank;
    Value to = forth ? state.receiveByRank : state.sendByRank;
    return comm::AllToAllVOp::create(b, TypeRange{space.getType()}, rows, from,
                                     space, to, layout.getAxesAttr(),
                                     layout.getMeshAttr())
        ->getResult(0);
  }

  DispatchLayoutOp layout;
  ExchangeOp exchange;
  ImplicitLocOpBuilder b;
  LayoutType type;
  PlannedExchange planned;
  LoweredLayout state;
  Value received;
};

struct InsertAllToAllPass
    : public mlir::moe::impl::InsertAllToAllPassBase<InsertAllToAllPass> {
  void runOnOperation() override {
    // Of a program that was written as a local one.
    if (failed(recordPlannedLayers(getOperation()))) {
      return signalPassFailure();
    }
    SmallVector<DispatchLayoutOp> layouts;
    getOperation().walk([&](DispatchLayoutOp op) { layouts.push_back(op); });
    SymbolTableCollection symbols;
    for (DispatchLayoutOp layout : layouts) {
      auto exchange = symbols.lookupNearestSymbolFrom<ExchangeOp>(
          layout, layout.getExchangeAttr());
      if (failed(ExchangeEmitter(layout, exchange).run())) {
        return signalPassFailure();
      }
    }
    markOtherWork();
    markLayers();
  }

private:
  /// Routing comes first in a block that routes.
  void markOtherWork() {
    getOperation().walk([&](ScoreOp score) {
      Block *block = score->getBlock();
      Operation *first = &block->front();
      if (isa<PhaseOp>(first)) {
        return;
      }
      OpBuilder builder(first);
      PhaseOp::create(builder, score.getLoc(), PhaseKind::Router);
    });
  }

  /// Calls lose their attributes in bufferization. The layers of an
  /// encoder–decoder have names, which the runtime cannot tell apart.
  void markLayers() {
    getOperation().walk([&](func::CallOp call) {
      if (auto layer = call->getAttrOfType<IntegerAttr>(kLayerAttrName)) {
        OpBuilder builder(call);
        EnterLayerOp::create(builder, call.getLoc(), layer.getInt());
      }
    });
  }
};
} // namespace
