// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg ops and single stores: a thread an element of the result, which it
// sums in the order of the loops.

#include "GPULoopEmitter.h"
#include "Lowerings.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::moe;

static Value cloneConstant(OpBuilder &b, Value value) {
  return b.clone(*value.getDefiningOp())
      ->getResult(cast<OpResult>(value).getResultNumber());
}

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

namespace {

/// Writes the loops of a linalg op into a kernel.
class ElementLoops {
public:
  ElementLoops(linalg::LinalgOp op, KernelBuilder &kernel)
      : op(op), kernel(kernel) {}

  LogicalResult build();
  const Grid &getGrid() const { return grid; }

private:
  LogicalResult addOperands();
  LogicalResult mapCaptures();
  /// Extent of a loop, in the kernel or on the host.
  Value extentOf(unsigned loop, bool onHost);
  void emitElement(Value point);
  Value initialValue(OpOperand &init);
  SmallVector<Value> emitReduction(unsigned next, ValueRange sums);
  SmallVector<Value> emitBody(ValueRange sums);
  SmallVector<Value> indicesOf(OpOperand &operand);

  linalg::LinalgOp op;
  KernelBuilder &kernel;
  std::optional<GPULoopEmitter> e;
  Grid grid;
  /// Operands and captured values, in the kernel.
  IRMapping seen;
  /// Where the loops are.
  SmallVector<Value> at;
};

} // namespace

LogicalResult ElementLoops::addOperands() {
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    OpBuilder body = kernel.body();
    Value inKernel;
    if (isa<MemRefType>(value.getType())) {
      inKernel = kernel.addBuffer(value);
      if (!inKernel) {
        return failure();
      }
    } else if (isConstant(value)) {
      inKernel = cloneConstant(body, value);
    } else {
      return op->emitOpError("cannot become a kernel: expected operands that "
                             "are buffers or constants, but got one of type ")
             << value.getType();
    }
    seen.map(value, inKernel);
  }
  return success();
}

LogicalResult ElementLoops::mapCaptures() {
  OpBuilder body = kernel.body();
  Block *block = op.getBlock();
  for (Operation &inner : *block) {
    for (Value operand : inner.getOperands()) {
      if (operand.getParentBlock() == block || seen.contains(operand)) {
        continue;
      }
      if (!isConstant(operand)) {
        return inner.emitOpError("cannot be part of a kernel: expected a "
                                 "constant from outside, but got a value of "
                                 "type ")
               << operand.getType();
      }
      seen.map(operand, cloneConstant(body, operand));
    }
  }
  return success();
}

Value ElementLoops::extentOf(unsigned loop, bool onHost) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, result] : llvm::enumerate(map.getResults())) {
      auto expression = dyn_cast<AffineDimExpr>(result);
      if (!expression || expression.getPosition() != loop) {
        continue;
      }
      if (!onHost) {
        return e->extent(seen.lookup(operand.get()), dim);
      }
      OpBuilder host(op);
      return hostExtent(host, op.getLoc(), operand.get(), dim);
    }
  }
  return {};
}

SmallVector<Value> ElementLoops::indicesOf(OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  return *affine::expandAffineMap(e->b, e->b.getLoc(), map, at);
}

SmallVector<Value> ElementLoops::emitBody(ValueRange sums) {
  IRMapping mapping(seen);
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = seen.lookup(input->get());
    if (isa<MemRefType>(value.getType())) {
      value = e->load(value, indicesOf(*input));
    }
    mapping.map(op.getMatchingBlockArgument(input), value);
  }
  for (auto [i, sum] : llvm::enumerate(sums)) {
    mapping.map(op.getMatchingBlockArgument(op.getDpsInitOperand(i)), sum);
  }
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), at[index.getDim()]);
    } else {
      e->b.clone(inner, mapping);
    }
  }
  return llvm::map_to_vector(
      op.getBlock()->getTerminator()->getOperands(),
      [&](Value value) { return mapping.lookupOrDefault(value); });
}

/// The loops that sum, from number `next` on, around the body.
SmallVector<Value> ElementLoops::emitReduction(unsigned next, ValueRange sums) {
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  while (next < kinds.size() && kinds[next] == utils::IteratorType::parallel) {
    ++next;
  }
  if (next == kinds.size()) {
    return emitBody(sums);
  }
  return e->fold(e->index(0), extentOf(next, /*onHost=*/false), sums,
                 [&](Value i, ValueRange carried) {
                   at[next] = i;
                   return emitReduction(next + 1, carried);
                 });
}

/// What a result's element was before, where that is asked for: often nothing
/// has been written there.
Value ElementLoops::initialValue(OpOperand &init) {
  Value buffer = seen.lookup(init.get());
  if (op.payloadUsesValueFromOperand(&init)) {
    return e->load(buffer, indicesOf(init));
  }
  return arith::ConstantOp::create(e->b, e->b.getZeroAttr(elementType(buffer)));
}

/// The element of each result that belongs to point number `point` of the
/// parallel loops, the last of which goes fastest.
void ElementLoops::emitElement(Value point) {
  SmallVector<unsigned> parallel;
  op.getParallelDims(parallel);
  for (unsigned loop : llvm::reverse(parallel)) {
    if (loop == parallel.front()) {
      at[loop] = point;
      break;
    }
    Value extent = extentOf(loop, /*onHost=*/false);
    at[loop] = arith::RemUIOp::create(e->b, point, extent);
    point = arith::DivUIOp::create(e->b, point, extent);
  }
  SmallVector<Value> sums;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    sums.push_back(initialValue(init));
  }
  SmallVector<Value> results = emitReduction(0, sums);
  for (auto [i, result] : llvm::enumerate(results)) {
    OpOperand &init = *op.getDpsInitOperand(i);
    memref::StoreOp::create(e->b, result, seen.lookup(init.get()),
                            indicesOf(init));
  }
}

LogicalResult ElementLoops::build() {
  if (failed(addOperands()) || failed(mapCaptures())) {
    return failure();
  }
  OpBuilder body = kernel.body();
  Operation *end = body.getInsertionPoint()->getBlock()->getTerminator();
  e.emplace(body, end, blockThreads);
  at.resize(op.getNumLoops());
  OpBuilder host(op);
  Value points = e->index(1);
  grid.iterations = arith::ConstantIndexOp::create(host, op.getLoc(), 1);
  SmallVector<unsigned> parallel;
  op.getParallelDims(parallel);
  for (unsigned loop : parallel) {
    Value extent = extentOf(loop, /*onHost=*/true);
    if (!extent) {
      return op->emitOpError(
                 "cannot become a kernel: expected an operand whose "
                 "extent is that of loop ")
             << loop;
    }
    grid.iterations =
        host.createOrFold<arith::MulIOp>(op.getLoc(), grid.iterations, extent);
    points = e->b.createOrFold<arith::MulIOp>(points,
                                              extentOf(loop, /*onHost=*/false));
  }
  e->eachItem(points, [&](Value point) { emitElement(point); });
  grid.iterationsPerBlock = e->iterationsPerBlock();
  return success();
}

LogicalResult mlir::moe::convertElements(linalg::LinalgOp op,
                                         KernelLibrary &library) {
  KernelBuilder kernel(library, op, blockThreads);
  ElementLoops loops(op, kernel);
  if (failed(loops.build())) {
    return failure();
  }
  std::string name = ("moe_" + op->getName().stripDialect() + "_").str();
  kernel.launch(name + describeShape(op.getDpsInits()[0]), loops.getGrid());
  op->erase();
  return success();
}

LogicalResult mlir::moe::convertStores(ArrayRef<memref::StoreOp> stores,
                                       KernelLibrary &library) {
  memref::StoreOp last = stores.back();
  KernelBuilder kernel(library, last, warpThreads);
  Value buffer = kernel.addBuffer(last.getMemRef());
  if (!buffer) {
    return failure();
  }
  SmallVector<SmallVector<Value>> places;
  SmallVector<Value> values;
  auto inKernel = [&](Value value) {
    OpBuilder body = kernel.body();
    return isConstant(value) ? cloneConstant(body, value)
                             : kernel.addNumber(value);
  };
  for (memref::StoreOp store : stores) {
    OpBuilder host(last);
    Value value = store.getValueToStore();
    if (!isConstant(value)) {
      if (!value.getType().isInteger()) {
        return store.emitOpError("cannot become a kernel: expected a constant "
                                 "or an integer, but got ")
               << value.getType();
      }
      value = arith::ExtSIOp::create(host, store.getLoc(), host.getI64Type(),
                                     value);
    }
    values.push_back(inKernel(value));
    places.push_back(llvm::map_to_vector(store.getIndices(), inKernel));
  }
  ImplicitLocOpBuilder b(last.getLoc(), kernel.body());
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread,
                                        arith::ConstantIndexOp::create(b, 0));
  auto branch = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  for (auto [value, place] : llvm::zip_equal(values, places)) {
    if (value.getType() != element) {
      value = arith::TruncIOp::create(b, element, value);
    }
    memref::StoreOp::create(b, value, buffer, place);
  }
  kernel.launch("moe_store_" + describeShape(last.getMemRef()), Grid::fixed(1));
  for (memref::StoreOp store : stores) {
    store.erase();
  }
  return success();
}
