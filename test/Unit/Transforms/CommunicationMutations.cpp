// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommunicationMutations.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;
using comm::AxisListAttr;
using comm::AxisRefAttr;

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

static comm::CollectiveOpInterface asCollective(Operation *op) {
  return dyn_cast<comm::CollectiveOpInterface>(op);
}

/// The wait of a start; null where the collective is whole.
static comm::WaitOp getWait(Operation *op) {
  auto start = dyn_cast<comm::StartOp>(op);
  return start ? cast<comm::WaitOp>(*start.getPending().user_begin())
               : comm::WaitOp();
}

static Value getArrived(Operation *op) {
  comm::WaitOp wait = getWait(op);
  return wait ? wait->getResult(0) : op->getResult(0);
}

static void eraseCollective(Operation *op) {
  if (comm::WaitOp wait = getWait(op)) {
    wait.erase();
  }
  op->erase();
}

/// A value instead of what arrives.
static bool replaceBy(Operation *op, Value value) {
  Value arrived = getArrived(op);
  if (value.getType() != arrived.getType()) {
    return false;
  }
  arrived.replaceAllUsesWith(value);
  eraseCollective(op);
  return true;
}

static bool dropForDestination(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  return collective && variant == 0 &&
         replaceBy(op, collective.getCollectiveDestination());
}

static bool dropForSource(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  return collective && variant == 0 &&
         replaceBy(op, collective.getCollectiveReads().front());
}

/// 0: a second one whose result nobody takes; 1: one after the other; 2: one
/// more in the opposite group's place, before the first.
static bool duplicate(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  if (!collective || variant > 2) {
    return false;
  }
  comm::WaitOp wait = getWait(op);
  Operation *last = wait ? wait.getOperation() : op;
  OpBuilder builder(op->getContext());
  if (variant == 2) {
    builder.setInsertionPoint(op);
  } else {
    builder.setInsertionPointAfter(last);
  }
  IRMapping mapping;
  if (variant == 1) {
    mapping.map(collective.getCollectiveDestination(), getArrived(op));
  }
  Operation *first = builder.clone(*op, mapping);
  Operation *second = wait ? builder.clone(*wait, mapping) : first;
  if (variant == 1) {
    SmallPtrSet<Operation *, 2> copies{first, second};
    getArrived(op).replaceAllUsesExcept(second->getResult(0), copies);
  }
  return true;
}

/// Two neighbours in each other's place.
static bool swapOrder(Operation *op, unsigned variant) {
  if (!asCollective(op) || variant != 0) {
    return false;
  }
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    if (asCollective(next)) {
      next->moveBefore(op);
      return true;
    }
  }
  return false;
}

/// Two neighbours of one kind send what the other should.
static bool swapSources(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  if (!collective || variant != 0) {
    return false;
  }
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    auto other = asCollective(next);
    if (!other) {
      continue;
    }
    Value first = collective.getCollectiveReads().front();
    Value second = other.getCollectiveReads().front();
    if (first.getType() != second.getType() || first == second) {
      continue;
    }
    op->replaceUsesOfWith(first, second);
    next->replaceUsesOfWith(second, first);
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Other lists of axes: each axis alone, all, all backward, the same backward.
static SmallVector<AxisListAttr> getOtherAxes(Operation *op,
                                              AxisListAttr axes) {
  comm::MeshOp mesh;
  op->getParentOfType<ModuleOp>().walk(
      [&](comm::MeshOp found) { mesh = found; });
  SmallVector<AxisRefAttr> all;
  SmallVector<AxisListAttr> lists;
  MLIRContext *context = op->getContext();
  auto add = [&](ArrayRef<AxisRefAttr> refs) {
    AxisListAttr list = AxisListAttr::get(context, refs);
    if (list != axes && !refs.empty() && !llvm::is_contained(lists, list)) {
      lists.push_back(list);
    }
  };
  for (comm::MeshAxisAttr axis :
       mesh.getAxes().getAsRange<comm::MeshAxisAttr>()) {
    all.push_back(AxisRefAttr::get(context, axis.getName(), 0, 0));
    add(all.back());
  }
  add(all);
  add(SmallVector<AxisRefAttr>(llvm::reverse(all)));
  add(SmallVector<AxisRefAttr>(llvm::reverse(axes.getAxes())));
  return lists;
}

/// Where a rank cuts its part out.
static bool isCut(Operation *op) {
  return isa<comm::LocalOffsetOp>(op) &&
         llvm::any_of(op->getUsers(), llvm::IsaPred<tensor::ExtractSliceOp>);
}

static bool changeAxes(Operation *op, unsigned variant) {
  if (!asCollective(op) && !isa<comm::ShardOffsetsOp>(op) && !isCut(op)) {
    return false;
  }
  auto axes = op->getAttrOfType<AxisListAttr>("axes");
  SmallVector<AxisListAttr> others = getOtherAxes(op, axes);
  if (variant >= others.size()) {
    return false;
  }
  op->setAttr("axes", others[variant]);
  return true;
}

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

static bool exchangeOffsets(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  if (!collective ||
      collective.getCollectiveKind() != comm::CollectiveKind::AllToAllV) {
    return false;
  }
  SmallVector<Value> reads = collective.getCollectiveReads();
  Value send = reads[1];
  Value receive = reads[2];
  // 0: both exchanged; 1, 2: one of them twice.
  Value newSend = variant == 2 ? send : receive;
  Value newReceive = variant == 1 ? receive : send;
  if (variant > 2) {
    return false;
  }
  SmallVector<Operation *> users{op};
  if (comm::WaitOp wait = getWait(op)) {
    users.push_back(wait);
  }
  for (Operation *user : users) {
    for (OpOperand &operand : user->getOpOperands()) {
      if (operand.get() == send) {
        operand.set(newSend);
      } else if (operand.get() == receive) {
        operand.set(newReceive);
      }
    }
  }
  return true;
}

/// Offsets by slot instead of by rank.
static bool takeSlotOffsets(Operation *op, unsigned variant) {
  auto offsets = dyn_cast<CountOffsetsOp>(op);
  if (!offsets || variant != 0 || offsets->getResult(0).use_empty()) {
    return false;
  }
  offsets->getResult(0).replaceAllUsesWith(offsets->getResult(1));
  return true;
}

static bool changeBound(Operation *op, unsigned variant) {
  if (!isa<comm::HostExtentOp, comm::CheckBoundOp>(op) || variant > 1) {
    return false;
  }
  auto bound = op->getAttrOfType<IntegerAttr>("bound");
  op->setAttr("bound", IntegerAttr::get(bound.getType(),
                                        bound.getInt() + (variant ? 1 : -1)));
  return true;
}

static bool dropBound(Operation *op, unsigned variant) {
  if (variant != 0) {
    return false;
  }
  if (auto check = dyn_cast<comm::CheckBoundOp>(op)) {
    check->getResult(0).replaceAllUsesWith(check.getCounts());
  } else if (auto host = dyn_cast<comm::HostExtentOp>(op)) {
    OpBuilder builder(op);
    host.getResult().replaceAllUsesWith(
        arith::ConstantIndexOp::create(builder, op->getLoc(), host.getBound()));
  } else {
    return false;
  }
  op->erase();
  return true;
}

static bool turnPermutation(Operation *op, unsigned variant) {
  auto permute = dyn_cast<PermuteRowsOp>(op);
  if (!permute || variant != 0) {
    return false;
  }
  permute.setInverse(!permute.getInverse());
  return true;
}

//===----------------------------------------------------------------------===//
// In flight
//===----------------------------------------------------------------------===//

static bool dropWait(Operation *op, unsigned variant) {
  auto wait = dyn_cast<comm::WaitOp>(op);
  if (!wait || variant != 0) {
    return false;
  }
  wait->getResult(0).replaceAllUsesWith(wait.getDestination());
  wait.erase();
  return true;
}

/// 0: again, right behind; 1: again, at the end of the block.
static bool doubleWait(Operation *op, unsigned variant) {
  auto wait = dyn_cast<comm::WaitOp>(op);
  if (!wait || variant > 1) {
    return false;
  }
  OpBuilder builder(op->getContext());
  if (variant == 0) {
    builder.setInsertionPointAfter(op);
  } else {
    builder.setInsertionPoint(op->getBlock()->getTerminator());
  }
  builder.clone(*op);
  return true;
}

/// What is in flight instead of what has arrived.
static bool useEarly(Operation *op, unsigned variant) {
  auto wait = dyn_cast<comm::WaitOp>(op);
  if (!wait || variant != 0) {
    return false;
  }
  wait->getResult(0).replaceAllUsesWith(wait.getDestination());
  return true;
}

static bool readInFlight(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start || variant != 0) {
    return false;
  }
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  Value zero = arith::ConstantIndexOp::create(builder, op->getLoc(), 0);
  tensor::ExtractOp::create(builder, op->getLoc(), op->getResult(0),
                            ValueRange{zero, zero});
  return true;
}

/// 0: the destination; 1: the source, as a tensor of its own.
static bool writeInFlight(Operation *op, bool source) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start) {
    return false;
  }
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  Value into = source ? start.getSource() : op->getResult(0);
  Type element = cast<ShapedType>(into.getType()).getElementType();
  Value zero = arith::ConstantOp::create(builder, op->getLoc(),
                                         builder.getZeroAttr(element));
  linalg::FillOp::create(builder, op->getLoc(), zero, into);
  return true;
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

/// Whether this rank is the first over the axes.
static Value isFirst(OpBuilder &builder, Operation *op, AxisListAttr axes,
                     FlatSymbolRefAttr mesh) {
  Location loc = op->getLoc();
  Value rank =
      comm::RankOp::create(builder, loc, builder.getIndexType(), axes, mesh);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rank,
                               zero);
}

void mlir::moe::test::putUnder(Operation *op, Value condition,
                               Value otherwise) {
  OpBuilder builder(op);
  auto branch =
      scf::IfOp::create(builder, op->getLoc(),
                        TypeRange(op->getResultTypes()).take_front(), condition,
                        /*withElseRegion=*/true);
  op->getResult(0).replaceAllUsesWith(branch.getResult(0));
  op->moveBefore(branch.thenBlock(), branch.thenBlock()->end());
  builder.setInsertionPointAfter(op);
  scf::YieldOp::create(builder, op->getLoc(), op->getResult(0));
  builder.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(builder, op->getLoc(), otherwise);
}

static bool putUnderCondition(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  if (!collective || variant != 0) {
    return false;
  }
  OpBuilder builder(op);
  Value first =
      isFirst(builder, op, collective.getAxesAttr(), collective.getMeshAttr());
  // Of two parts, the second.
  if (comm::WaitOp wait = getWait(op)) {
    putUnder(wait, first, wait.getDestination());
  } else {
    putUnder(op, first, collective.getCollectiveDestination());
  }
  return true;
}

static bool putIntoLoop(Operation *op, unsigned variant) {
  auto collective = asCollective(op);
  if (!collective || isa<comm::StartOp>(op) || variant != 0) {
    return false;
  }
  OpBuilder builder(op);
  Location loc = op->getLoc();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value turns =
      comm::RankOp::create(builder, loc, builder.getIndexType(),
                           collective.getAxesAttr(), collective.getMeshAttr());
  Value destination = collective.getCollectiveDestination();
  auto loop = scf::ForOp::create(builder, loc, zero, turns, one, destination);
  op->getResult(0).replaceAllUsesWith(loop.getResult(0));
  op->replaceUsesOfWith(destination, loop.getRegionIterArg(0));
  op->moveBefore(loop.getBody(), loop.getBody()->end());
  builder.setInsertionPointAfter(op);
  scf::YieldOp::create(builder, loc, op->getResult(0));
  return true;
}

/// A call of a function that communicates.
static bool putCallUnderCondition(Operation *op, unsigned variant) {
  auto call = dyn_cast<func::CallOp>(op);
  if (!call || call.getNumResults() != 1 || variant != 0) {
    return false;
  }
  auto callee = op->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(
      call.getCallee());
  comm::CollectiveOpInterface inside;
  callee.walk([&](comm::CollectiveOpInterface found) { inside = found; });
  if (!inside) {
    return false;
  }
  OpBuilder builder(op);
  putUnder(op, isFirst(builder, op, inside.getAxesAttr(), inside.getMeshAttr()),
           call.getOperands().back());
  return true;
}

//===----------------------------------------------------------------------===//
// All kinds
//===----------------------------------------------------------------------===//

llvm::ArrayRef<MutationKind> mlir::moe::test::getMutationKinds() {
  static const MutationKind kinds[] = {
      {"drop, destination instead", dropForDestination},
      {"drop, own part instead", dropForSource},
      {"duplicate", duplicate},
      {"swap places", swapOrder},
      {"swap sources", swapSources},
      {"other axes", changeAxes},
      {"exchange counts", exchangeOffsets},
      {"offsets by slot", takeSlotOffsets},
      {"other bound", changeBound},
      {"drop bound", dropBound},
      {"turn permutation", turnPermutation},
      {"drop wait", dropWait},
      {"double wait", doubleWait},
      {"use before wait", useEarly},
      {"read destination in flight", readInFlight},
      {"write destination in flight",
       [](Operation *op, unsigned variant) {
         return variant == 0 && writeInFlight(op, /*source=*/false);
       }},
      {"write source in flight",
       [](Operation *op, unsigned variant) {
         return variant == 0 && writeInFlight(op, /*source=*/true);
       }},
      {"under a rank's condition", putUnderCondition},
      {"in a rank's loop", putIntoLoop},
      {"call under a rank's condition", putCallUnderCondition},
  };
  return kinds;
}
