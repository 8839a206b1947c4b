// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WeightPlacement.h"

#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// A placement and weights that meet in some function.
struct Meeting {
  Value placement;
  Value weights;
};
} // namespace

/// The function whose argument a value is; null for others.
static Operation *getFunction(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  Operation *parent = argument ? argument.getOwner()->getParentOp() : nullptr;
  return isa_and_nonnull<FunctionOpInterface>(parent) ? parent : nullptr;
}

/// What the call gives for a value: the operand, if it is an argument.
static Value seenFrom(CallOpInterface call, Value value) {
  return getFunction(value)
             ? call.getArgOperands()[cast<BlockArgument>(value).getArgNumber()]
             : value;
}

/// The weights of the first way through the calls on which they are not placed
/// by the placement that they meet; null where there is none.
static UseWeightOp findMisplaced(const Meeting &meeting, SymbolUserMap &users) {
  Operation *function = getFunction(meeting.weights);
  if (!function) {
    function = getFunction(meeting.placement);
  }
  if (!function) {
    auto use = meeting.placement.getDefiningOp<UsePlacementOp>();
    auto weights = meeting.weights.getDefiningOp<UseWeightOp>();
    return use && weights &&
                   weights.getPlacementAttr() != use.getPlacementAttr()
               ? weights
               : UseWeightOp();
  }
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<CallOpInterface>(user);
    if (!call) {
      continue;
    }
    UseWeightOp found = findMisplaced(
        {seenFrom(call, meeting.placement), seenFrom(call, meeting.weights)},
        users);
    if (found) {
      return found;
    }
  }
  return {};
}

LogicalResult mlir::moe::checkWeightPlacements(AssignSlotsOp assign,
                                               Value bySlot,
                                               SymbolUserMap &users) {
  for (Operation *reader : bySlot.getUsers()) {
    for (Value operand : reader->getOperands()) {
      if (!isa<WeightsType>(operand.getType())) {
        continue;
      }
      UseWeightOp found =
          findMisplaced({assign.getPlacement(), operand}, users);
      if (found) {
        InFlightDiagnostic diagnostic = found.emitOpError(
            "expected weights placed as the rows that they multiply");
        diagnostic.attachNote(assign.getLoc()) << "rows are sent to slots here";
        diagnostic.attachNote(reader->getLoc()) << "rows meet weights here";
        return diagnostic;
      }
    }
  }
  return success();
}
