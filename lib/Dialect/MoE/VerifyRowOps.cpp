// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the ops that count, place and move rows.

#include "moe/Dialect/MoE/MoE.h"

using namespace mlir;
using namespace mlir::moe;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

// A result as it should be; dynamic extents may be anything.
static RankedTensorType expect(ArrayRef<int64_t> shape, Type element) {
  return RankedTensorType::get(shape, element);
}

// Results on tensors, outs on buffers: as many as `expected`, each compatible.
template <typename OpT>
static LogicalResult verifyProduced(OpT op,
                                    ArrayRef<RankedTensorType> expected) {
  ValueRange produced =
      op.getOuts().empty() ? ValueRange(op.getResults()) : op.getOuts();
  if (produced.size() != expected.size()) {
    return op.emitOpError("expected ")
           << expected.size() << " results, but got " << produced.size();
  }
  for (auto [value, like] : llvm::zip_equal(produced, expected)) {
    ShapedType type = shaped(value);
    if (type.getElementType() != like.getElementType() ||
        failed(verifyCompatibleShape(type.getShape(), like.getShape()))) {
      return op.emitOpError("expected a result like ")
             << like << ", but got " << type;
    }
  }
  return success();
}

// `count + 1`, where it is known.
static int64_t offsetsOf(int64_t count) {
  return ShapedType::isDynamic(count) ? count : count + 1;
}

static constexpr int64_t unknown = ShapedType::kDynamic;

LogicalResult CountChoicesOp::verify() {
  // C1
  Type i32 = IntegerType::get(getContext(), 32);
  int64_t k = shaped(getExpert()).getDimSize(1);
  return verifyProduced(
      *this, {expect({unknown, k, static_cast<int64_t>(getExperts())}, i32)});
}

LogicalResult AssignSlotsOp::verify() {
  // C1
  Type i32 = IntegerType::get(getContext(), 32);
  return verifyProduced(*this, {expect(shaped(getExpert()).getShape(), i32),
                                expect({unknown, unknown}, i32)});
}

LogicalResult CountOffsetsOp::verify() {
  // C1
  Type i32 = IntegerType::get(getContext(), 32);
  ShapedType counts = shaped(getCounts());
  return verifyProduced(*this,
                        {expect({offsetsOf(counts.getDimSize(0))}, i32),
                         expect({offsetsOf(counts.getDimSize(1))}, i32)});
}

LogicalResult SlotPositionsOp::verify() {
  // C1
  return verifyProduced(
      *this, {expect({unknown}, IntegerType::get(getContext(), 32))});
}

LogicalResult SpreadRowsOp::verify() {
  // C1
  ShapedType x = shaped(getX());
  return verifyProduced(
      *this, {expect({unknown, x.getDimSize(1)}, x.getElementType())});
}

LogicalResult PermuteRowsOp::verify() {
  // C1
  ShapedType rows = shaped(getRows());
  return verifyProduced(*this,
                        {expect(rows.getShape(), rows.getElementType())});
}

LogicalResult CombineRowsOp::verify() {
  // C1
  int64_t tokens = shaped(getPosition()).getDimSize(0);
  int64_t columns = shaped(getRows()).getDimSize(1);
  return verifyProduced(
      *this, {expect({tokens, columns}, Float32Type::get(getContext()))});
}
