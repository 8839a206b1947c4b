// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Epilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::moe;

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

static bool isConstant(Operation &op) {
  return op.getNumResults() == 1 && isConstant(op.getResult(0));
}

static LogicalResult verifyOperation(Operation &op, Block &block) {
  if (!isConstant(op) && !OpTrait::hasElementwiseMappableTraits(&op)) {
    return op.emitError("expected an elementwise operation in an epilogue, but "
                        "got '")
           << op.getName() << "'";
  }
  for (Value operand : op.getOperands()) {
    if (operand.getParentBlock() != &block && !isConstant(operand)) {
      return op.emitError("expected operands of an epilogue to come from it or "
                          "to be constants, but got one of type ")
             << operand.getType();
    }
  }
  return success();
}

LogicalResult mlir::moe::verifyEpilogue(Block &block,
                                        const GroupedMatmulSpec &spec) {
  Operation *parent = block.getParentOp();
  if (static_cast<int64_t>(block.getNumArguments()) != spec.weights) {
    return parent->emitError("expected an epilogue of ")
           << spec.weights << " arguments, but got " << block.getNumArguments();
  }
  for (Type type : block.getArgumentTypes()) {
    if (!type.isF32()) {
      return parent->emitError("expected epilogue arguments of type 'f32', but "
                               "got ")
             << type;
    }
  }
  for (Operation &op : block.without_terminator()) {
    if (failed(verifyOperation(op, block))) {
      return failure();
    }
  }
  Operation *terminator = block.getTerminator();
  if (terminator->getOperandTypes() != TypeRange(spec.outputType)) {
    return terminator->emitError("expected an epilogue to yield ")
           << spec.outputType << ", but got " << terminator->getOperandTypes();
  }
  return success();
}

static Type vectorOf(Type element, int64_t lanes) {
  return VectorType::get({lanes}, element);
}

/// The vector that stands for `scalar`, splatting constants on demand.
static Value lookup(ImplicitLocOpBuilder &b, IRMapping &mapping, Value scalar,
                    int64_t lanes) {
  if (Value mapped = mapping.lookupOrNull(scalar)) {
    return mapped;
  }
  Attribute value;
  bool constant = matchPattern(scalar, m_Constant(&value));
  assert(constant && "checked by verifyEpilogue");
  (void)constant;
  Value splat = arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             cast<ShapedType>(vectorOf(scalar.getType(), lanes)), value));
  mapping.map(scalar, splat);
  return splat;
}

Value mlir::moe::applyEpilogue(ImplicitLocOpBuilder &b, Block *block,
                               ArrayRef<Value> vectors, Type outputType) {
  int64_t lanes = cast<VectorType>(vectors.front().getType()).getDimSize(0);
  if (!block) {
    if (outputType.isF32()) {
      return vectors.front();
    }
    return arith::TruncFOp::create(b, vectorOf(outputType, lanes),
                                   vectors.front());
  }
  IRMapping mapping;
  mapping.map(block->getArguments(), vectors);
  for (Operation &op : block->without_terminator()) {
    if (isConstant(op)) {
      continue;
    }
    OperationState state(op.getLoc(), op.getName());
    for (Value operand : op.getOperands()) {
      state.addOperands(lookup(b, mapping, operand, lanes));
    }
    for (Type type : op.getResultTypes()) {
      state.addTypes(vectorOf(type, lanes));
    }
    state.addAttributes(op.getAttrs());
    Operation *clone = b.create(state);
    mapping.map(op.getResults(), clone->getResults());
  }
  return lookup(b, mapping, block->getTerminator()->getOperand(0), lanes);
}
