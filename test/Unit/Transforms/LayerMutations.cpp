// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommunicationMutations.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// The call of one of the model's layers.
static func::CallOp asLayer(Operation *op) {
  auto call = dyn_cast<func::CallOp>(op);
  return call && call->hasAttr(kLayerAttrName) ? call : func::CallOp();
}

/// The call of a block of experts inside a layer.
static func::CallOp asBlock(Operation *op) {
  auto call = dyn_cast<func::CallOp>(op);
  if (!call || asLayer(op)) {
    return {};
  }
  auto callee = op->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(
      call.getCallee());
  WalkResult exchanges =
      callee.walk([](AssignSlotsOp) { return WalkResult::interrupt(); });
  return exchanges.wasInterrupted() ? call : func::CallOp();
}

/// What the runtime is told of a layer; null where the layer has no number.
static EnterLayerOp getEnter(func::CallOp call) {
  Operation *op = call->getPrevNode();
  while (op && !isa<EnterLayerOp, func::CallOp>(op)) {
    op = op->getPrevNode();
  }
  return dyn_cast_or_null<EnterLayerOp>(op);
}

static func::CallOp getNextLayer(func::CallOp call) {
  for (Operation *op = call->getNextNode(); op; op = op->getNextNode()) {
    if (func::CallOp next = asLayer(op)) {
      return next;
    }
  }
  return {};
}

/// The operand that a layer or a block turns into its result.
static OpOperand &getInput(func::CallOp call) {
  return *llvm::find_if(call->getOpOperands(), [&](OpOperand &operand) {
    return operand.get().getType() == call.getResult(0).getType();
  });
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// 0: what goes in comes out; 1: what was in the destination; 2: as 0, and the
/// runtime is not told of the layer either.
static bool dropLayer(Operation *op, unsigned variant) {
  func::CallOp call = asLayer(op);
  EnterLayerOp enter = call ? getEnter(call) : EnterLayerOp();
  if (!call || variant > (enter ? 2 : 1)) {
    return false;
  }
  call.getResult(0).replaceAllUsesWith(variant == 1 ? call.getOperands().back()
                                                    : getInput(call).get());
  if (variant == 2) {
    enter.erase();
  }
  call.erase();
  return true;
}

/// A second call behind the first. 0: nobody takes its result; 1: on what the
/// first gives; 2: as 1, and the runtime is told.
static void repeat(func::CallOp call, unsigned variant) {
  OpBuilder builder(call);
  builder.setInsertionPointAfter(call);
  EnterLayerOp enter = getEnter(call);
  if (variant == 2 && enter) {
    builder.clone(*enter);
  }
  auto second = cast<func::CallOp>(builder.clone(*call));
  if (variant > 0) {
    call.getResult(0).replaceAllUsesWith(second.getResult(0));
    getInput(second).set(call.getResult(0));
  }
}

static bool doubleLayer(Operation *op, unsigned variant) {
  func::CallOp call = asLayer(op);
  if (!call || variant > 2) {
    return false;
  }
  repeat(call, variant);
  return true;
}

/// What a call takes, and what that takes, before another operation.
static void hoist(Operation *op, Operation *before) {
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    if (source && source->getBlock() == before->getBlock() &&
        before->isBeforeInBlock(source)) {
      hoist(source, before);
    }
  }
  op->moveBefore(before);
}

/// The next layer first, and this one on its result.
static void reorder(func::CallOp call, func::CallOp next) {
  EnterLayerOp enter = getEnter(call);
  Operation *before = enter ? enter.getOperation() : call.getOperation();
  EnterLayerOp nextEnter = getEnter(next);
  Value input = getInput(call).get();
  getInput(next).set(input);
  next.getResult(0).replaceAllUsesWith(call.getResult(0));
  hoist(next, before);
  if (nextEnter && nextEnter != enter) {
    nextEnter->moveBefore(next);
  }
  getInput(call).set(next.getResult(0));
}

/// 0: both calls in each other's place; 1: their placements exchanged; 2: their
/// numbers.
static bool swapLayers(Operation *op, unsigned variant) {
  func::CallOp call = asLayer(op);
  func::CallOp next = call ? getNextLayer(call) : func::CallOp();
  if (!next || getInput(next).get() != call.getResult(0) || variant > 2) {
    return false;
  }
  if (variant == 0) {
    reorder(call, next);
    return true;
  }
  EnterLayerOp enters[] = {getEnter(call), getEnter(next)};
  if (variant == 2) {
    Attribute name = call->getAttr(kLayerAttrName);
    call->setAttr(kLayerAttrName, next->getAttr(kLayerAttrName));
    next->setAttr(kLayerAttrName, name);
    if (enters[0] && enters[1]) {
      uint32_t number = enters[0].getLayer();
      enters[0].setLayer(enters[1].getLayer());
      enters[1].setLayer(number);
    }
    return true;
  }
  bool changed = false;
  for (auto [one, other] :
       llvm::zip(call->getOpOperands(), next->getOpOperands())) {
    Value first = one.get(), second = other.get();
    if (isa<PlacementRefType>(first.getType()) &&
        first.getType() == second.getType()) {
      hoist(second.getDefiningOp(), call);
      one.set(second);
      other.set(first);
      changed = true;
    }
  }
  // Nothing where one of both is dense: the numbers instead.
  return changed || swapLayers(op, 2);
}

/// 0: the call; 1: what the runtime is told; 2: both.
static bool renumberLayer(Operation *op, unsigned variant) {
  func::CallOp call = asLayer(op);
  EnterLayerOp enter = call ? getEnter(call) : EnterLayerOp();
  if (!call || variant > (enter ? 2 : 0)) {
    return false;
  }
  if (variant != 1) {
    OpBuilder builder(op->getContext());
    auto number = call->getAttrOfType<IntegerAttr>(kLayerAttrName);
    call->setAttr(
        kLayerAttrName,
        number ? Attribute(builder.getI64IntegerAttr(number.getInt() + 1))
               : Attribute(builder.getStringAttr("another")));
  }
  if (variant != 0) {
    enter.setLayer(enter.getLayer() + 1);
  }
  return true;
}

/// 0: the number; 1, …: each other placement.
static bool changePlacement(Operation *op, unsigned variant) {
  auto use = dyn_cast<UsePlacementOp>(op);
  if (!use) {
    return false;
  }
  if (variant == 0) {
    use.setLayer(use.getLayer() + 1);
    return true;
  }
  SmallVector<PlacementOp> others;
  for (auto placement : op->getParentOfType<ModuleOp>().getOps<PlacementOp>()) {
    if (placement.getSymName() != *use.getPlacement()) {
      others.push_back(placement);
    }
  }
  if (variant > others.size()) {
    return false;
  }
  use.setPlacement(others[variant - 1].getSymName());
  return true;
}

/// 0: nothing; 1: after the layer; 2: again, at the end.
static bool tellWrong(Operation *op, unsigned variant) {
  auto enter = dyn_cast<EnterLayerOp>(op);
  if (!enter || variant > 2) {
    return false;
  }
  OpBuilder builder(op->getBlock()->getTerminator());
  if (variant == 0) {
    enter.erase();
  } else if (variant == 1) {
    Operation *call = op;
    while (!asLayer(call)) {
      call = call->getNextNode();
    }
    enter->moveAfter(call);
  } else {
    builder.clone(*op);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Blocks and paths
//===----------------------------------------------------------------------===//

/// 0: dropped, what goes in comes out; 1: twice; 2: twice, one on the other.
static bool breakBlock(Operation *op, unsigned variant) {
  func::CallOp call = asBlock(op);
  if (!call || variant > 2) {
    return false;
  }
  if (variant > 0) {
    repeat(call, variant - 1);
    return true;
  }
  call.getResult(0).replaceAllUsesWith(getInput(call).get());
  call.erase();
  return true;
}

/// On one of two paths that all ranks take alike, or in a loop of as many turns
/// everywhere; 0, 2: the call; 1, 3: and what the runtime is told.
static bool putOnSomePaths(Operation *op, unsigned variant) {
  func::CallOp call = asLayer(op);
  if (!call || variant > 3) {
    return false;
  }
  EnterLayerOp enter = getEnter(call);
  OpBuilder builder(call);
  Location loc = call.getLoc();
  if (variant < 2) {
    Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
    putUnder(call, always, getInput(call).get());
  } else {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto loop =
        scf::ForOp::create(builder, loc, zero, one, one, getInput(call).get());
    call.getResult(0).replaceAllUsesWith(loop.getResult(0));
    getInput(call).set(loop.getRegionIterArg(0));
    call->moveBefore(loop.getBody(), loop.getBody()->end());
    builder.setInsertionPointAfter(call);
    scf::YieldOp::create(builder, loc, call.getResult(0));
  }
  if (variant % 2 == 1 && enter) {
    enter->moveBefore(call);
  }
  return true;
}

llvm::ArrayRef<MutationKind> mlir::moe::test::getLayerMutationKinds() {
  static const MutationKind kinds[] = {
      {"drop layer", dropLayer},
      {"double layer", doubleLayer},
      {"swap layers", swapLayers},
      {"renumber layer", renumberLayer},
      {"other placement", changePlacement},
      {"tell another layer", tellWrong},
      {"drop or double block", breakBlock},
      {"layer on some paths", putOnSomePaths},
  };
  return kinds;
}
