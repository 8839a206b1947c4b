// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToLoops/LoopEmitter.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::moe;

LoopEmitter::~LoopEmitter() = default;

Value LoopEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value LoopEmitter::i32(int32_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
}

Value LoopEmitter::f32(double value) {
  return arith::ConstantOp::create(
      b, b.getF32FloatAttr(static_cast<float>(value)));
}

Value LoopEmitter::extent(Value buffer, int64_t dim) {
  int64_t size = staticExtent(buffer, dim);
  if (!ShapedType::isDynamic(size)) {
    return index(size);
  }
  return memref::DimOp::create(b, buffer, dim);
}

Value LoopEmitter::load(Value buffer, ValueRange at) {
  return memref::LoadOp::create(b, buffer, at);
}

Value LoopEmitter::loadF32(Value buffer, ValueRange at) {
  return toF32(load(buffer, at));
}

Value LoopEmitter::loadPart(Value buffer, ValueRange at, int64_t lanes) {
  return vector::LoadOp::create(
      b, VectorType::get({lanes}, elementType(buffer)), buffer, at,
      /*nontemporal=*/false, llvm::MaybeAlign(partAlignment(buffer, lanes)));
}

void LoopEmitter::storePart(Value part, Value buffer, ValueRange at) {
  if (getElementTypeOrSelf(part.getType()).isF32()) {
    part = fromF32(part, elementType(buffer));
  }
  int64_t lanes = cast<VectorType>(part.getType()).getNumElements();
  vector::StoreOp::create(b, part, buffer, at, /*nontemporal=*/false,
                          llvm::MaybeAlign(partAlignment(buffer, lanes)));
}

int64_t LoopEmitter::partAlignment(Value, int64_t) { return 0; }

Value LoopEmitter::splat(Value value, int64_t lanes) {
  return vector::BroadcastOp::create(
      b, VectorType::get({lanes}, value.getType()), value);
}

Value LoopEmitter::loadIndex(Value buffer, ValueRange at) {
  return arith::IndexCastOp::create(b, b.getIndexType(), load(buffer, at));
}

void LoopEmitter::store(Value value, Value buffer, ValueRange at) {
  Type element = elementType(buffer);
  if (value.getType().isIndex() && !element.isIndex()) {
    value = arith::IndexCastOp::create(b, element, value);
  } else if (value.getType().isF32()) {
    value = fromF32(value, element);
  }
  memref::StoreOp::create(b, value, buffer, at);
}

void LoopEmitter::fill(Value buffer, Value value) {
  each(extent(buffer, 0), [&](Value i) { store(value, buffer, i); });
}

/// `type`, or a vector of its shape, with other elements.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

Value LoopEmitter::toF32(Value value) {
  Type type = value.getType();
  if (getElementTypeOrSelf(type).isF32()) {
    return value;
  }
  return arith::ExtFOp::create(b, withElement(type, b.getF32Type()), value);
}

Value LoopEmitter::fromF32(Value value, Type element) {
  if (element.isF32()) {
    return value;
  }
  return arith::TruncFOp::create(b, withElement(value.getType(), element),
                                 value);
}

Value LoopEmitter::isSome(Value value) {
  return compare(arith::CmpIPredicate::sge, value, i32(0));
}

void LoopEmitter::each(Value begin, Value end, function_ref<void(Value)> body,
                       int64_t step) {
  eachBy(begin, end, index(step), body);
}

void LoopEmitter::eachBy(Value begin, Value end, Value step,
                         function_ref<void(Value)> body) {
  scf::ForOp loop = scf::ForOp::create(b, begin, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value> LoopEmitter::fold(Value begin, Value end, ValueRange init,
                                     FoldBody body) {
  scf::ForOp loop = scf::ForOp::create(b, begin, end, index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

Value LoopEmitter::fold(Value end, Value init,
                        function_ref<Value(Value, Value)> body) {
  return fold(index(0), end, init,
              [&](Value i, ValueRange carried) -> SmallVector<Value> {
                return {body(i, carried[0])};
              })[0];
}

void LoopEmitter::eachItem(Value end, function_ref<void(Value)> body) {
  each(end, body);
}

void LoopEmitter::eachRow(Value end, function_ref<void(Value)> body) {
  each(end, body);
}

void LoopEmitter::eachPart(Value rows, int64_t lanes,
                           function_ref<void(Value, int64_t)> body) {
  int64_t extent =
      staticExtent(rows, cast<MemRefType>(rows.getType()).getRank() - 1);
  int64_t whole = extent - extent % lanes;
  if (whole != 0) {
    each(index(0), index(whole), [&](Value at) { body(at, lanes); }, lanes);
  }
  int64_t at = whole;
  for (int64_t part = lanes / 2; part != 0; part /= 2) {
    if ((extent - whole) & part) {
      body(index(at), part);
      at += part;
    }
  }
}

void LoopEmitter::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value> LoopEmitter::choose(Value condition, TypeRange types,
                                       Branch then, Branch otherwise) {
  auto branch = scf::IfOp::create(b, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, then());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise());
  return branch.getResults();
}

Value LoopEmitter::scratch(ArrayRef<int64_t> shape, Type element) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  assert(function && "loops are written inside a function");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getFunctionBody().front());
  return memref::AllocaOp::create(b, MemRefType::get(shape, element));
}
