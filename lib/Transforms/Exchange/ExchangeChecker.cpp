// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ExchangeChecker.h"
#include "WeightPlacement.h"

#include "moe/Analysis/PlanAttributes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

namespace {
/// A collective, whole or in two parts.
struct Move {
  comm::CollectiveOpInterface begin;
  /// Null unless it is in two parts.
  comm::WaitOp end;

  SmallVector<Value> reads() { return begin.getCollectiveReads(); }
  Value result() { return end ? end->getResult(0) : begin->getResult(0); }
};

/// Walks the phases of a plan and the operations that were emitted for them
/// side by side: forward from the rows that are sent, backward from the sums.
class ExchangeChecker {
public:
  ExchangeChecker(AssignSlotsOp assign, SymbolUserMap &users,
                  ClaimedOps &claimed)
      : assign(assign), users(users), claimed(claimed) {}

  LogicalResult run() {
    if (failed(findPlan()) || failed(checkLayout())) {
      return failure();
    }
    for (Operation *reader : getReaders(assign->getResult(0))) {
      LogicalResult checked =
          llvm::TypeSwitch<Operation *, LogicalResult>(reader)
              .Case([&](SpreadRowsOp spread) { return checkDispatch(spread); })
              .Case([&](CombineRowsOp sum) { return checkCombine(sum); })
              .Default([&](Operation *op) {
                return reject(op, "places of rows to be used by dispatches and "
                                  "combines only");
              });
      if (failed(checked)) {
        return failure();
      }
    }
    return failure(failed(checkOffsetReaders()) ||
                   failed(checkWeightPlacements(assign, bySlot, users)));
  }

private:
  //===--- C2: the plan --------------------------------------------------===//

  LogicalResult findPlan() {
    auto name = assign->getAttrOfType<FlatSymbolRefAttr>(kExchangeAttrName);
    planned.exchange =
        name ? SymbolTable::lookupNearestSymbolFrom<ExchangeOp>(assign, name)
             : ExchangeOp();
    if (!planned.exchange) {
      return assign.emitOpError("expected '")
             << kExchangeAttrName << "' to name the moe.exchange of its plan";
    }
    llvm::SetVector<PlacementOp> placements;
    if (!collectPlacements(assign.getPlacement(), placements) ||
        placements.empty()) {
      return assign.emitOpError(
          "expected a placement that comes from moe.use_placement on every way "
          "here");
    }
    PlacementOp first = placements.front();
    planned.axes = first.getAxes();
    mesh = first.getMeshAttr();
    for (PlacementOp placement : placements) {
      if (placement.getAxes() != planned.axes ||
          placement.getMeshAttr() != mesh) {
        return assign.emitOpError("expected placements over the same axes, but "
                                  "got ")
               << first.getSymNameAttr() << " and "
               << placement.getSymNameAttr();
      }
    }
    planned.slots =
        getLocalSlots(assign, assign.getPlacement().getType().getExperts());
    return success();
  }

  /// The placements that a handle may stand for; false where one comes from
  /// elsewhere.
  bool collectPlacements(Value handle,
                         llvm::SetVector<PlacementOp> &placements) {
    if (auto use = handle.getDefiningOp<UsePlacementOp>()) {
      auto placement = use.getPlacementAttr()
                           ? SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
                                 use, use.getPlacementAttr())
                           : PlacementOp();
      return placement && (placements.insert(placement), true);
    }
    auto argument = dyn_cast<BlockArgument>(handle);
    Operation *function =
        argument ? argument.getOwner()->getParentOp() : nullptr;
    if (!isa_and_nonnull<FunctionOpInterface>(function) ||
        !argument.getOwner()->isEntryBlock()) {
      return false;
    }
    return llvm::all_of(users.getUsers(function), [&](Operation *user) {
      auto call = dyn_cast<CallOpInterface>(user);
      return call &&
             collectPlacements(call.getArgOperands()[argument.getArgNumber()],
                               placements);
    });
  }

  //===--- C3: counts ----------------------------------------------------===//

  LogicalResult checkLayout() {
    auto any = RankedTensorType::get({ShapedType::kDynamic, 1},
                                     IntegerType::get(assign.getContext(), 8));
    planning::ExchangePlan plan =
        planned.plan(planning::ExchangeDirection::Dispatch, any);
    bool asksHost = false;
    for (const auto &phase : plan.phases()) {
      if (const auto *counts =
              dyn_cast<planning::CountExchangePhase>(phase.get())) {
        if (failed(checkCounts(*counts))) {
          return failure();
        }
      }
      asksHost |= isa<planning::HostExtentPhase>(phase.get());
    }
    SmallVector<Operation *> hosts;
    for (Operation *reader : getReaders(receiveByRank)) {
      if (isa<comm::HostExtentOp>(reader)) {
        hosts.push_back(reader);
      }
    }
    if (hosts.size() != (asksHost ? 1 : 0)) {
      return reject(assign, asksHost ? "one comm.host_extent of what arrives"
                                     : "no comm.host_extent");
    }
    if (asksHost) {
      auto host = cast<comm::HostExtentOp>(hosts.front());
      if (host.getBound() != planned.exchange.getBound()) {
        return reject(host, "the bound of the exchange");
      }
      claimed.insert(host);
      extent = host.getResult();
    } else {
      extent = IntegerAttr::get(IndexType::get(assign.getContext()),
                                plan.reservedRows());
    }
    return isEqualConstantIntOrValue(slotPositions.getExtent(), extent)
               ? success()
               : reject(slotPositions, "the extent of what arrives");
  }

  LogicalResult checkCounts(const planning::CountExchangePhase &phase) {
    Value counts = assign->getResult(1);
    auto type = cast<ShapedType>(counts.getType());
    int64_t ranks = comm::getGroupSize(assign, mesh, planned.axes);
    if (type.getShape() != ArrayRef<int64_t>({ranks, planned.slots}) ||
        phase.bytesPerPeer() !=
            planned.slots * type.getElementTypeBitWidth() / 8) {
      return reject(assign, "counts for each rank and slot");
    }
    FailureOr<CountOffsetsOp> sent = getReader<CountOffsetsOp>(counts, 2);
    FailureOr<comm::CollectiveOpInterface> told =
        getReader<comm::CollectiveOpInterface>(counts, 2);
    if (failed(sent) || failed(told)) {
      return failure();
    }
    FailureOr<Move> move =
        checkMove(*told, comm::CollectiveKind::AllToAll, phase.axes());
    if (failed(move)) {
      return failure();
    }
    FailureOr<comm::CheckBoundOp> check =
        getReader<comm::CheckBoundOp>(move->result(), 1);
    if (failed(check)) {
      return failure();
    }
    if (check->getBound() != planned.exchange.getBound()) {
      return reject(*check, "the bound of the exchange");
    }
    claimed.insert(*check);
    Value received = (*check)->getResult(0);
    FailureOr<CountOffsetsOp> arriving = getReader<CountOffsetsOp>(received, 2);
    FailureOr<SlotPositionsOp> positions =
        getReader<SlotPositionsOp>(received, 2);
    if (failed(arriving) || failed(positions)) {
      return failure();
    }
    sendByRank = (*sent)->getResult(0);
    receiveByRank = (*arriving)->getResult(0);
    bySlot = (*arriving)->getResult(1);
    slotPositions = *positions;
    return success();
  }

  //===--- C4: rows forth ------------------------------------------------===//

  LogicalResult checkDispatch(SpreadRowsOp spread) {
    Value rows = spread->getResult(0);
    planning::ExchangePlan plan =
        planned.plan(planning::ExchangeDirection::Dispatch,
                     cast<ShapedType>(spread.getX().getType()));
    for (const auto &phase : plan.phases()) {
      if (const auto *move = dyn_cast<planning::ExchangePhase>(phase.get())) {
        FailureOr<comm::CollectiveOpInterface> op =
            getReader<comm::CollectiveOpInterface>(rows, 1);
        if (failed(op)) {
          return failure();
        }
        FailureOr<Value> arrived =
            checkRows(*op, *move, sendByRank, receiveByRank);
        if (failed(arrived)) {
          return failure();
        }
        rows = *arrived;
      } else if (const auto *permute =
                     dyn_cast<planning::PermutePhase>(phase.get());
                 permute && permute->fromOrder() ==
                                planning::PermutePhase::Order::Arrival) {
        FailureOr<PermuteRowsOp> op = getReader<PermuteRowsOp>(rows, 1);
        if (failed(op) || failed(checkPermute(*op, /*inverse=*/false))) {
          return failure();
        }
      }
    }
    return success();
  }

  //===--- C5: rows back -------------------------------------------------===//

  LogicalResult checkCombine(CombineRowsOp sum) {
    Value rows = sum.getRows();
    planning::ExchangePlan plan = planned.plan(
        planning::ExchangeDirection::Combine, cast<ShapedType>(rows.getType()));
    for (const auto &phase : llvm::reverse(plan.phases())) {
      Operation *source = rows.getDefiningOp();
      if (const auto *move = dyn_cast<planning::ExchangePhase>(phase.get())) {
        if (auto wait = dyn_cast_or_null<comm::WaitOp>(source)) {
          source = wait.getPending().getDefiningOp();
        }
        auto op = dyn_cast_or_null<comm::CollectiveOpInterface>(source);
        if (!op) {
          return reject(sum, "rows that come from an exchange");
        }
        FailureOr<Value> arrived =
            checkRows(op, *move, receiveByRank, sendByRank);
        if (failed(arrived) || failed(getReader<CombineRowsOp>(*arrived, 1))) {
          return failure();
        }
        rows = op.getCollectiveReads().front();
      } else if (isa<planning::PermutePhase>(phase.get())) {
        auto op = dyn_cast_or_null<PermuteRowsOp>(source);
        if (!op) {
          return reject(sum, "rows that were brought into the order in which "
                             "they arrived");
        }
        if (failed(checkPermute(op, /*inverse=*/true)) ||
            failed(getReader<comm::CollectiveOpInterface>(rows, 1))) {
          return failure();
        }
      }
    }
    return success();
  }

  //===--- Phases --------------------------------------------------------===//

  LogicalResult checkPermute(PermuteRowsOp op, bool inverse) {
    bool matches = op.getInverse() == inverse &&
                   op.getIndex() == slotPositions->getResult(0) &&
                   op.getOffsets() == bySlot;
    return matches ? success()
                   : reject(op, inverse ? "rows to go back from slot order"
                                        : "rows to be brought into slot order");
  }

  FailureOr<Value> checkRows(comm::CollectiveOpInterface op,
                             const planning::ExchangePhase &phase, Value send,
                             Value receive) {
    FailureOr<Move> move =
        checkMove(op, comm::CollectiveKind::AllToAllV, phase.axes());
    if (failed(move)) {
      return failure();
    }
    SmallVector<Value> reads = move->reads();
    if (reads[1] != send || reads[2] != receive) {
      return reject(op, "the offsets of what is sent and of what is received");
    }
    auto rows = cast<ShapedType>(reads[0].getType());
    if (rows.getDimSize(1) * rows.getElementTypeBitWidth() / 8 !=
        phase.rowBytes()) {
      return reject(op, "rows of " + Twine(phase.rowBytes()) + " bytes");
    }
    bool forth = phase.direction() == planning::ExchangeDirection::Dispatch;
    if (!isSpaceFor(op.getCollectiveDestination(), forth)) {
      return reject(op, forth ? "space for the rows that arrive"
                              : "space for a row of each choice");
    }
    return move->result();
  }

  /// Whether a destination has as many rows as may come.
  bool isSpaceFor(Value destination, bool forth) {
    auto space = destination.getDefiningOp<tensor::EmptyOp>();
    if (!space) {
      return false;
    }
    OpFoldResult rows = space.getMixedSizes().front();
    if (forth) {
      return isEqualConstantIntOrValue(rows, extent);
    }
    // T * K.
    Value expert = assign.getExpert();
    auto product = dyn_cast_if_present<Value>(rows);
    auto count =
        product ? product.getDefiningOp<arith::MulIOp>() : arith::MulIOp();
    auto tokens =
        count ? count.getLhs().getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    return tokens && tokens.getSource() == expert &&
           tokens.getConstantIndex() == 0 &&
           getConstantIntValue(count.getRhs()) ==
               cast<ShapedType>(expert.getType()).getDimSize(1);
  }

  /// A collective of the kind over the axes, into space of its own.
  FailureOr<Move> checkMove(comm::CollectiveOpInterface op,
                            comm::CollectiveKind kind,
                            ArrayRef<planning::AxisRef> axes) {
    if (op.getCollectiveKind() != kind) {
      return reject(op, stringifyCollectiveKind(kind));
    }
    if (op.getMeshAttr() != mesh ||
        op.getAxesAttr() != toAttribute(op->getContext(), axes)) {
      return reject(op, "the axes of the placement");
    }
    if (!op.getCollectiveDestination().getDefiningOp<tensor::EmptyOp>()) {
      return reject(op, "a destination that holds nothing else");
    }
    Move move{op, {}};
    if (auto start = dyn_cast<comm::StartOp>(op.getOperation())) {
      Value ticket = start.getPending();
      move.end = ticket.hasOneUse()
                     ? dyn_cast<comm::WaitOp>(*ticket.user_begin())
                     : comm::WaitOp();
      if (!move.end || move.end->getBlock() != start->getBlock()) {
        return reject(op, "one comm.wait in the same block");
      }
    }
    claimed.insert(op);
    return move;
  }

  //===--- C6: nothing besides -------------------------------------------===//

  /// Offsets of ranks are for exchanges.
  LogicalResult checkOffsetReaders() {
    for (Value offsets : {sendByRank, receiveByRank}) {
      for (Operation *reader : getReaders(offsets)) {
        if (!claimed.contains(reader)) {
          return reject(reader,
                        "offsets of ranks to be used by exchanges only");
        }
      }
    }
    return success();
  }

  /// Who reads a value; waits hold what their start reads.
  static SmallVector<Operation *> getReaders(Value value) {
    llvm::SetVector<Operation *> readers;
    for (Operation *user : value.getUsers()) {
      if (!isa<comm::WaitOp>(user)) {
        readers.insert(user);
      }
    }
    return readers.takeVector();
  }

  /// The one reader of the type, of as many as there have to be.
  template <typename OpType>
  FailureOr<OpType> getReader(Value value, size_t count) {
    OpType found;
    SmallVector<Operation *> readers = getReaders(value);
    for (Operation *reader : readers) {
      if (auto op = dyn_cast<OpType>(reader)) {
        if (found) {
          return reject(reader, "one such use of its operand");
        }
        found = op;
      }
    }
    if (!found || readers.size() != count) {
      return reject(
          value.getDefiningOp(),
          "its result to be used by the next phase, and by that only");
    }
    return found;
  }

  InFlightDiagnostic reject(Operation *op, const Twine &expected) {
    InFlightDiagnostic diagnostic = op->emitOpError("expected ")
                                    << expected << ", as was planned";
    diagnostic.attachNote(planned.exchange.getLoc())
        << "the plan is " << planned.exchange.getSymNameAttr();
    return diagnostic;
  }

  AssignSlotsOp assign;
  SymbolUserMap &users;
  ClaimedOps &claimed;
  PlannedExchange planned;
  FlatSymbolRefAttr mesh;
  Value sendByRank;
  Value receiveByRank;
  Value bySlot;
  OpFoldResult extent;
  SlotPositionsOp slotPositions;
};
} // namespace

LogicalResult mlir::moe::checkExchange(AssignSlotsOp assign,
                                       SymbolUserMap &users,
                                       ClaimedOps &claimed) {
  return ExchangeChecker(assign, users, claimed).run();
}
