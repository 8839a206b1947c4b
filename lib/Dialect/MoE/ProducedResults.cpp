// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProducedResults.h"

using namespace mlir;
using namespace mlir::moe;

// `[?, 8]`
static std::string print(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "[";
  llvm::interleaveComma(shape, stream, [&](int64_t extent) {
    ShapedType::isDynamic(extent) ? stream << "?" : stream << extent;
  });
  stream << "]";
  return text;
}

static bool isLike(ShapedType type, const ExpectedResult &expected) {
  Type element = type.getElementType();
  bool fits = expected.element
                  ? element == expected.element
                  : isa<Float32Type, BFloat16Type, Float16Type>(element);
  return fits &&
         succeeded(verifyCompatibleShape(type.getShape(), expected.shape));
}

LogicalResult mlir::moe::verifyProduced(BufferFormOpInterface op,
                                        ArrayRef<ExpectedResult> expected) {
  SmallVector<Value> produced(op->getResults());
  MutableOperandRange outs = op.getOutsMutable();
  if (!outs.empty()) {
    produced = llvm::map_to_vector(
        outs, [](OpOperand &operand) { return operand.get(); });
  }
  if (produced.size() != expected.size()) {
    return op->emitOpError("expected ")
           << expected.size() << " results, but got " << produced.size();
  }
  for (auto [index, value] : llvm::enumerate(produced)) {
    auto type = cast<ShapedType>(value.getType());
    const ExpectedResult &like = expected[index];
    if (isLike(type, like)) {
      continue;
    }
    InFlightDiagnostic diagnostic = op->emitOpError("expected result ")
                                    << index << " to be " << print(like.shape)
                                    << " of ";
    like.element ? diagnostic << like.element
                 : diagnostic << "f32, bf16 or f16";
    return diagnostic << ", but got " << type;
  }
  return success();
}

LogicalResult mlir::moe::verifyShape(Operation *op, StringRef name,
                                     Value operand, ArrayRef<int64_t> shape) {
  if (!operand) {
    return success();
  }
  auto type = cast<ShapedType>(operand.getType());
  if (succeeded(verifyCompatibleShape(type.getShape(), shape))) {
    return success();
  }
  return op->emitOpError("expected ")
         << name << " to be " << print(shape) << ", but got " << type;
}

LogicalResult mlir::moe::verifyBufferForm(Operation *op) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  bool onTensors = llvm::any_of(types, llvm::IsaPred<TensorType>);
  bool onBuffers = llvm::any_of(types, llvm::IsaPred<BaseMemRefType>);
  return onTensors && onBuffers
             ? op->emitOpError("expected tensors or buffers, but got both")
             : success();
}
