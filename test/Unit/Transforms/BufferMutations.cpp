// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommunicationMutations.h"

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

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

//===----------------------------------------------------------------------===//
// Behind the back of names
//===----------------------------------------------------------------------===//

/// The allocation that a buffer is a view of; null for an argument.
static memref::AllocOp getAllocation(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    buffer = view.getViewSource();
  }
  return buffer.getDefiningOp<memref::AllocOp>();
}

/// A global instead of an allocation.
static memref::GlobalOp makeGlobal(memref::AllocOp allocation) {
  MemRefType type = allocation.getType();
  SmallVector<int64_t> shape(type.getShape());
  llvm::replace(shape, ShapedType::kDynamic, int64_t(16));
  auto fixed = MemRefType::get(shape, type.getElementType());
  Location loc = allocation.getLoc();
  OpBuilder builder(allocation->getParentOfType<ModuleOp>().getBodyRegion());
  auto global = memref::GlobalOp::create(
      builder, loc, "reached", builder.getStringAttr("private"), fixed,
      builder.getUnitAttr(), /*constant=*/false, /*alignment=*/IntegerAttr());
  builder.setInsertionPoint(allocation);
  Value buffer =
      memref::GetGlobalOp::create(builder, loc, fixed, global.getSymName());
  for (Operation *user : llvm::make_early_inc_range(allocation->getUsers())) {
    if (isa<memref::DeallocOp>(user)) {
      user->erase();
    }
  }
  allocation.replaceAllUsesWith(
      memref::CastOp::create(builder, loc, type, buffer).getResult());
  allocation.erase();
  return global;
}

/// A function that does something to a global; `depth` calls lead there.
static func::FuncOp makeToucher(memref::GlobalOp global, unsigned depth,
                                function_ref<void(OpBuilder &, Value)> act) {
  Location loc = global.getLoc();
  OpBuilder builder(global);
  auto function =
      func::FuncOp::create(builder, loc, "touch" + Twine(depth).str(),
                           builder.getFunctionType({}, {}));
  function.setPrivate();
  builder.setInsertionPointToEnd(function.addEntryBlock());
  if (depth > 1) {
    func::CallOp::create(builder, loc, makeToucher(global, depth - 1, act));
  } else {
    act(builder, memref::GetGlobalOp::create(builder, loc, global.getType(),
                                             global.getSymName()));
  }
  func::ReturnOp::create(builder, loc);
  return function;
}

/// What is sent is written, or what arrives read or written, by a function that
/// is given nothing.
static bool touchUngiven(Operation *op, unsigned variant) {
  auto start = dyn_cast<comm::StartOp>(op);
  if (!start) {
    return false;
  }
  SmallVector<std::pair<Value, decltype(&read)>> touched;
  for (Value sent : start.getCollectiveReads()) {
    touched.push_back({sent, write});
  }
  touched.push_back({start.getDestination(), read});
  touched.push_back({start.getDestination(), write});
  llvm::erase_if(touched,
                 [](auto entry) { return !getAllocation(entry.first); });
  constexpr unsigned depths = 2;
  if (variant >= touched.size() * depths * Manner::count) {
    return false;
  }
  auto [buffer, act] = touched[variant % touched.size()];
  variant /= touched.size();
  memref::GlobalOp global = makeGlobal(getAllocation(buffer));
  func::FuncOp toucher = makeToucher(global, 1 + variant % depths, act);
  touch(start, start.getDestination(), Manner(variant / depths),
        [&](OpBuilder &builder, Value) {
          func::CallOp::create(builder, start.getLoc(), toucher);
        });
  return true;
}

//===----------------------------------------------------------------------===//
// Conditions that are read from a buffer
//===----------------------------------------------------------------------===//

static Value createIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// A function that stores a number in a buffer.
static func::FuncOp makeStore(ModuleOp module, MemRefType type) {
  OpBuilder builder(module.getBodyRegion());
  Location loc = module.getLoc();
  auto function = func::FuncOp::create(
      builder, loc, "store",
      builder.getFunctionType({type, builder.getIndexType()}, {}));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  memref::StoreOp::create(builder, loc, body->getArgument(1),
                          body->getArgument(0), createIndex(builder, loc, 0));
  func::ReturnOp::create(builder, loc);
  return function;
}

/// A number that varies over the group of a collective, read from a buffer.
/// `isImplicit`: equal numbers are stored, but not by every rank; `byCall`: by
/// a function.
static Value loadVarying(OpBuilder &builder, comm::CollectiveOpInterface op,
                         bool isImplicit, bool byCall) {
  Location loc = op->getLoc();
  auto type = MemRefType::get({1}, builder.getIndexType());
  Value buffer = memref::AllocaOp::create(builder, loc, type);
  Value zero = createIndex(builder, loc, 0);
  auto store = [&](Value value) {
    if (byCall) {
      func::CallOp::create(builder, loc,
                           makeStore(op->getParentOfType<ModuleOp>(), type),
                           ValueRange{buffer, value});
    } else {
      memref::StoreOp::create(builder, loc, value, buffer, zero);
    }
  };
  Value rank = comm::RankOp::create(builder, loc, builder.getIndexType(),
                                    op.getAxesAttr(), op.getMeshAttr());
  if (isImplicit) {
    memref::StoreOp::create(builder, loc, zero, buffer, zero);
    Value isFirst = arith::CmpIOp::create(builder, loc,
                                          arith::CmpIPredicate::eq, rank, zero);
    auto branch = scf::IfOp::create(builder, loc, isFirst);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    store(createIndex(builder, loc, 1));
  } else {
    store(rank);
  }
  return memref::LoadOp::create(builder, loc, buffer, zero);
}

static bool decideByBuffer(Operation *op, unsigned variant) {
  auto collective = dyn_cast<comm::CollectiveOpInterface>(op);
  if (!collective || isa<comm::StartOp>(op) || variant >= 8) {
    return false;
  }
  OpBuilder builder(op);
  Location loc = op->getLoc();
  Value loaded = loadVarying(builder, collective, /*isImplicit=*/variant & 1,
                             /*byCall=*/variant & 2);
  Value zero = createIndex(builder, loc, 0);
  if (variant & 4) {
    auto loop = scf::ForOp::create(builder, loc, zero, loaded,
                                   createIndex(builder, loc, 1));
    op->moveBefore(loop.getBody()->getTerminator());
  } else {
    Value condition = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, loaded, zero);
    auto branch = scf::IfOp::create(builder, loc, condition);
    op->moveBefore(branch.thenBlock()->getTerminator());
  }
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
      {"touch by a global's name", touchUngiven},
      {"decided by what a buffer holds", decideByBuffer},
      {"drop wait", dropWait},
      {"double wait", doubleWait},
  };
  return kinds;
}
