// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommunicationMutations.h"

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

//===----------------------------------------------------------------------===//
// Where and how a buffer is touched
//===----------------------------------------------------------------------===//

namespace {
/// A variant by its number: right behind the start or right before the wait, by
/// the buffer's own name or by a view, in the open, in a branch or in a loop.
struct Manner {
  static constexpr unsigned count = 12;

  explicit Manner(unsigned variant)
      : isLate(variant % 2), isView(variant / 2 % 2), around(variant / 4) {}

  bool isLate, isView;
  enum { Nothing, Branch, Loop };
  unsigned around;
};
} // namespace

static comm::WaitOp getWait(comm::StartOp start) {
  return cast<comm::WaitOp>(*start.getPending().user_begin());
}

static Value createView(OpBuilder &builder, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> zeros(type.getRank(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
  return memref::SubViewOp::create(builder, buffer.getLoc(), buffer, zeros,
                                   ones, ones);
}

/// Does something to a buffer between a start and its wait.
static void touch(comm::StartOp start, Value buffer, Manner manner,
                  function_ref<void(OpBuilder &, Value)> act) {
  Location loc = start.getLoc();
  OpBuilder builder(start.getContext());
  if (manner.isLate) {
    builder.setInsertionPoint(getWait(start));
  } else {
    builder.setInsertionPointAfter(start);
  }
  if (manner.around == Manner::Branch) {
    Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
    auto branch = scf::IfOp::create(builder, loc, always);
    builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  } else if (manner.around == Manner::Loop) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto loop = scf::ForOp::create(builder, loc, zero, one, one);
    builder.setInsertionPoint(loop.getBody()->getTerminator());
  }
  act(builder, manner.isView ? createView(builder, buffer) : buffer);
}

static void read(OpBuilder &builder, Value buffer) {
  Location loc = buffer.getLoc();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  memref::LoadOp::create(builder, loc, buffer, SmallVector<Value>(rank, zero));
}

static void write(OpBuilder &builder, Value buffer) {
  Location loc = buffer.getLoc();
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  linalg::FillOp::create(builder, loc, zero, buffer);
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

static bool writeRead(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start) {
    return false;
  }
  SmallVector<Value> reads = start.getCollectiveReads();
  if (variant >= reads.size() * Manner::count) {
    return false;
  }
  touch(start, reads[variant / Manner::count], Manner(variant % Manner::count),
        write);
  return true;
}

static bool readDestination(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start || variant >= Manner::count) {
    return false;
  }
  touch(start, start.getDestination(), Manner(variant), read);
  return true;
}

static bool writeDestination(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start || variant >= Manner::count) {
    return false;
  }
  touch(start, start.getDestination(), Manner(variant), write);
  return true;
}

/// 0, 1, …: what is read, then the destination, before the wait.
static bool freeInFlight(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start) {
    return false;
  }
  SmallVector<Value> buffers = start.getCollectiveReads();
  buffers.push_back(start.getDestination());
  if (variant >= buffers.size()) {
    return false;
  }
  OpBuilder builder(getWait(start));
  memref::DeallocOp::create(builder, op->getLoc(), buffers[variant]);
  return true;
}

static bool dropWait(Operation *op, unsigned variant) {
  auto wait = dyn_cast<comm::WaitOp>(op);
  if (!wait || variant != 0) {
    return false;
  }
  wait.erase();
  return true;
}

static bool doubleWait(Operation *op, unsigned variant) {
  auto wait = dyn_cast<comm::WaitOp>(op);
  if (!wait || variant != 0) {
    return false;
  }
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  builder.clone(*op);
  return true;
}

llvm::ArrayRef<MutationKind> mlir::moe::test::getBufferMutationKinds() {
  static const MutationKind kinds[] = {
      {"write what is sent, or offsets", writeRead},
      {"read destination", readDestination},
      {"write destination", writeDestination},
      {"free what is in flight", freeInFlight},
      {"drop wait", dropWait},
      {"double wait", doubleWait},
  };
  return kinds;
}
