// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the ops that count, place and move rows.

#include "ProducedResults.h"

using namespace mlir;
using namespace mlir::moe;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
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
      *this, {{{unknown, k, static_cast<int64_t>(getExperts())}, i32}});
}

LogicalResult AssignSlotsOp::verify() {
  // C1
  Type i32 = IntegerType::get(getContext(), 32);
  return verifyProduced(*this,
                        {{llvm::to_vector(shaped(getExpert()).getShape()), i32},
                         {{unknown, unknown}, i32}});
}

LogicalResult CountOffsetsOp::verify() {
  // C1
  Type i32 = IntegerType::get(getContext(), 32);
  ShapedType counts = shaped(getCounts());
  return verifyProduced(*this, {{{offsetsOf(counts.getDimSize(0))}, i32},
                                {{offsetsOf(counts.getDimSize(1))}, i32}});
}

LogicalResult SlotPositionsOp::verify() {
  // C1
  return verifyProduced(*this,
                        {{{unknown}, IntegerType::get(getContext(), 32)}});
}

LogicalResult SpreadRowsOp::verify() {
  // C1
  ShapedType x = shaped(getX());
  if (failed(verifyProduced(
          *this, {{{unknown, x.getDimSize(1)}, x.getElementType()}}))) {
    return failure();
  }
  // C2
  return verifyShape(*this, "weight", getWeight(),
                     shaped(getPosition()).getShape());
}

LogicalResult GroupedOuterProductOp::verify() {
  // C1
  ShapedType left = shaped(getLeft()), right = shaped(getRight());
  if (failed(verifyProduced(
          *this, {{{unknown, left.getDimSize(1), right.getDimSize(1)},
                   Float32Type::get(getContext())}}))) {
    return failure();
  }
  // C2
  if (failed(verifyShape(*this, "right", getRight(),
                         {left.getDimSize(0), unknown}))) {
    return failure();
  }
  // C3
  Value result = getOuts().empty() ? getResults()[0] : getOuts()[0];
  bool isDynamic = shaped(result).isDynamicDim(0);
  if (isDynamic == static_cast<bool>(getSlots())) {
    return success();
  }
  return emitOpError(isDynamic ? "expected 'slots' for "
                               : "expected no 'slots' for ")
         << result.getType();
}

LogicalResult PermuteRowsOp::verify() {
  // C1
  ShapedType rows = shaped(getRows());
  return verifyProduced(
      *this, {{llvm::to_vector(rows.getShape()), rows.getElementType()}});
}

LogicalResult CombineRowsOp::verify() {
  // C1
  int64_t tokens = shaped(getPosition()).getDimSize(0);
  int64_t columns = shaped(getRows()).getDimSize(1);
  return verifyProduced(*this,
                        {{{tokens, columns}, Float32Type::get(getContext())}});
}
