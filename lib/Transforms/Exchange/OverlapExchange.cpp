// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Exchange/Passes.h"

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {
#define GEN_PASS_DEF_OVERLAPEXCHANGEPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

// Whether an operation may change its place among others: it touches neither
// the network nor any memory.
static bool isMovable(Operation *op) {
  return op->getNumRegions() == 0 ||
                 op->getName().getStringRef().starts_with("linalg.")
             ? isMemoryEffectFree(op)
             : false;
}

/// What can stand between an exchange and the first use of what arrives:
/// later operations of the block, in order, that need neither the exchange nor
/// anything that stays behind.
static SmallVector<Operation *> findIndependent(comm::AllToAllVOp exchange) {
  SmallPtrSet<Operation *, 16> behind{exchange};
  SmallVector<Operation *> independent;
  for (Operation *op = exchange->getNextNode();
       op && !op->hasTrait<OpTrait::IsTerminator>(); op = op->getNextNode()) {
    bool needsBehind = !isMovable(op);
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *source = operand.getDefiningOp();
        needsBehind |= source && behind.contains(source);
      }
    });
    if (needsBehind) {
      behind.insert(op);
    } else {
      independent.push_back(op);
    }
  }
  return independent;
}

static bool isWork(Operation *op) {
  return op->getName().getStringRef().starts_with("linalg.") ||
         isa<GroupedMatmulOp>(op);
}

// Splits the exchange; the wait comes right after `independent`.
static void split(comm::AllToAllVOp exchange,
                  ArrayRef<Operation *> independent) {
  OpBuilder builder(exchange);
  Location loc = exchange.getLoc();
  Value offsets[] = {exchange.getSendOffsets(), exchange.getReceiveOffsets()};
  Type type = exchange.getDestination().getType();
  auto start = comm::StartOp::create(
      builder, loc, TypeRange{type},
      comm::PendingType::get(builder.getContext()),
      comm::CollectiveKindAttr::get(builder.getContext(),
                                    comm::CollectiveKind::AllToAllV),
      exchange.getSource(), offsets, exchange.getDestination(),
      comm::ReductionKindAttr(), exchange.getAxesAttr(),
      exchange.getMeshAttr());
  Operation *last = PhaseOp::create(builder, loc, PhaseKind::Shared);
  for (Operation *op : independent) {
    op->moveAfter(last);
    last = op;
  }
  builder.setInsertionPointAfter(last);
  PhaseOp::create(builder, loc, PhaseKind::Exchange);
  SmallVector<Value> reads = start.getCollectiveReads();
  auto wait =
      comm::WaitOp::create(builder, loc, TypeRange{type}, start.getPending(),
                           reads, start->getResult(0));
  exchange->getResult(0).replaceAllUsesWith(wait->getResult(0));
  exchange.erase();
}

namespace {
struct OverlapExchangePass
    : public mlir::moe::impl::OverlapExchangePassBase<OverlapExchangePass> {
  void runOnOperation() override {
    SmallVector<comm::AllToAllVOp> exchanges;
    getOperation().walk([&](comm::AllToAllVOp op) { exchanges.push_back(op); });
    for (comm::AllToAllVOp exchange : exchanges) {
      SmallVector<Operation *> independent = findIndependent(exchange);
      if (llvm::any_of(independent, isWork)) {
        split(exchange, independent);
      }
    }
  }
};
} // namespace
