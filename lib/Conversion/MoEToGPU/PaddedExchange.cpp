// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exchanges of which the host does not know how many rows travel.
//
// A library of collectives wants the numbers from the host; equal parts need
// none. So where buffers have static bounds, each peer's part is padded to what
// a rank can send to one, `rowsPerPeer`: no more than it sends in all, and no
// more than a rank takes. Padding is zero: what travels is always the same for
// the same rows.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

using namespace mlir;
using namespace mlir::moe;

namespace {

/// The equal parts that take the place of ragged ones.
struct PaddedParts {
  int64_t ranks = 0;
  int64_t rowsPerPeer = 0;
  MemRefType type;
};

enum class Direction { Pad, Unpad };

} // namespace

static std::optional<PaddedParts> planParts(comm::CollectiveOpInterface op) {
  auto source =
      cast<MemRefType>(withoutCasts(op.getCollectiveReads()[0]).getType());
  auto destination =
      cast<MemRefType>(withoutCasts(op.getCollectiveDestination()).getType());
  if (!source.hasStaticShape() || !destination.hasStaticShape() ||
      source.getRank() != 2) {
    return std::nullopt;
  }
  PaddedParts parts;
  parts.ranks = comm::getGroupSize(op, op.getMeshAttr(), op.getAxesAttr());
  parts.rowsPerPeer = std::min(source.getDimSize(0), destination.getDimSize(0));
  parts.type =
      MemRefType::get({parts.ranks * parts.rowsPerPeer, source.getDimSize(1)},
                      source.getElementType());
  return parts;
}

static constexpr int64_t bytesOfPart = 16;

/// Row `toRow` of `to` becomes row `fromRow` of `from`, or zero without one.
static void writeRow(GPULoopEmitter &e, Value from, Value fromRow, Value to,
                     Value toRow) {
  Type element = elementType(to);
  int64_t lanes = bytesOfPart * 8 / element.getIntOrFloatBitWidth();
  e.eachPart(to, lanes, [&](Value at, int64_t lanes) {
    auto type = VectorType::get({lanes}, element);
    Value part =
        from
            ? e.loadPart(from, {fromRow, at}, lanes)
            : arith::ConstantOp::create(e.b, e.b.getZeroAttr(type)).getResult();
    e.storePart(part, to, {toRow, at});
  });
}

/// A warp a row of the equal parts.
static void emitRows(GPULoopEmitter &e, const PaddedParts &parts,
                     Direction direction, Value ragged, Value offsets,
                     Value padded) {
  Value perPeer = e.index(parts.rowsPerPeer);
  e.eachRow(e.index(parts.type.getDimSize(0)), [&](Value row) {
    Value peer = arith::DivUIOp::create(e.b, row, perPeer);
    Value i = arith::RemUIOp::create(e.b, row, perPeer);
    Value begin = e.loadIndex(offsets, peer);
    Value end = e.loadIndex(offsets, e.add(peer, e.index(1)));
    Value place = e.add(begin, i);
    Value isThere = e.compare(arith::CmpIPredicate::slt, place, end);
    if (direction == Direction::Unpad) {
      return e.when(isThere, [&] { writeRow(e, padded, row, ragged, place); });
    }
    e.when(isThere, [&] { writeRow(e, ragged, place, padded, row); });
    Value isPadding = e.compare(arith::CmpIPredicate::sge, place, end);
    e.when(isPadding, [&] { writeRow(e, Value(), Value(), padded, row); });
  });
}

/// Launches a kernel where `op` is.
static LogicalResult launchRows(Operation *op, KernelLibrary &library,
                                const PaddedParts &parts, Direction direction,
                                Value ragged, Value offsets, Value padded) {
  KernelBuilder kernel(library, op, blockThreads);
  Value inKernel = kernel.addBuffer(ragged);
  Value offsetsInKernel = kernel.addBuffer(offsets);
  Value paddedInKernel = kernel.addBuffer(padded);
  if (!inKernel || !offsetsInKernel) {
    return failure();
  }
  OpBuilder body = kernel.body();
  GPULoopEmitter e(body, body.getInsertionBlock()->getTerminator(),
                   blockThreads);
  emitRows(e, parts, direction, inKernel, offsetsInKernel, paddedInKernel);
  OpBuilder host(op);
  Value rows = arith::ConstantIndexOp::create(host, op->getLoc(),
                                              parts.type.getDimSize(0));
  StringRef name =
      direction == Direction::Pad ? "moe_pad_rows_" : "moe_unpad_rows_";
  kernel.launch(name.str() + describeShape(padded),
                Grid{rows, e.iterationsPerBlock()});
  return success();
}

static Value allocate(OpBuilder &b, Operation *op, MemRefType type) {
  return memref::AllocOp::create(b, op->getLoc(), type,
                                 b.getI64IntegerAttr(64));
}

LogicalResult mlir::moe::padExchange(comm::AllToAllVOp op,
                                     KernelLibrary &library) {
  std::optional<PaddedParts> parts = planParts(op);
  if (!parts) {
    return success();
  }
  OpBuilder b(op);
  Value sent = allocate(b, op, parts->type);
  Value received = allocate(b, op, parts->type);
  if (failed(launchRows(op, library, *parts, Direction::Pad, op.getSource(),
                        op.getSendOffsets(), sent))) {
    return failure();
  }
  comm::AllToAllOp::create(b, op.getLoc(), TypeRange(), sent, received,
                           op.getAxesAttr(), op.getMeshAttr());
  memref::DeallocOp::create(b, op.getLoc(), sent);
  if (failed(launchRows(op, library, *parts, Direction::Unpad,
                        op.getDestination(), op.getReceiveOffsets(),
                        received))) {
    return failure();
  }
  memref::DeallocOp::create(b, op.getLoc(), received);
  op.erase();
  return success();
}

LogicalResult mlir::moe::padExchange(comm::StartOp op, KernelLibrary &library) {
  // A ticket that branches or loops carry is waited for with the same buffers;
  // but where, and how often, is not seen from here.
  auto wait = op.getPending().hasOneUse()
                  ? dyn_cast<comm::WaitOp>(*op.getPending().user_begin())
                  : comm::WaitOp();
  std::optional<PaddedParts> parts = planParts(op);
  if (op.getKind() != comm::CollectiveKind::AllToAllV || !parts || !wait ||
      wait->getBlock() != op->getBlock()) {
    return success();
  }
  OpBuilder b(op);
  Value sent = allocate(b, op, parts->type);
  Value received = allocate(b, op, parts->type);
  if (failed(launchRows(op, library, *parts, Direction::Pad, op.getSource(),
                        op.getOffsets()[0], sent))) {
    return failure();
  }
  auto start = comm::StartOp::create(
      b, op.getLoc(), op->getResultTypes(),
      comm::CollectiveKindAttr::get(op.getContext(),
                                    comm::CollectiveKind::AllToAll),
      sent, ValueRange(), received, comm::ReductionKindAttr(), op.getAxesAttr(),
      op.getMeshAttr());
  b.setInsertionPoint(wait);
  comm::WaitOp::create(b, wait.getLoc(), TypeRange(), start.getPending(),
                       ValueRange{sent}, received);
  memref::DeallocOp::create(b, wait.getLoc(), sent);
  if (failed(launchRows(wait, library, *parts, Direction::Unpad,
                        op.getDestination(), op.getOffsets()[1], received))) {
    return failure();
  }
  memref::DeallocOp::create(b, wait.getLoc(), received);
  wait.erase();
  op.erase();
  return success();
}
