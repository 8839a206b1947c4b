// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the lowerings write loops: a few words for what they all say. Iterations
// that do not need each other are named as such, so that a target may run them
// side by side.

#ifndef MOE_CONVERSION_MOETOLOOPS_LOOPEMITTER_H
#define MOE_CONVERSION_MOETOLOOPS_LOOPEMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::moe {

/// Writes loops before an op. Indices are `index`; integers in memory i32;
/// numbers are computed in f32 and rounded when they are stored.
class LoopEmitter {
public:
  LoopEmitter(OpBuilder &builder, Operation *op)
      : b(op->getLoc(), builder), op(op) {}
  virtual ~LoopEmitter();

  ImplicitLocOpBuilder b;

  Value index(int64_t value);
  Value i32(int32_t value);
  Value f32(double value);

  /// Extent of `buffer` along `dim`: a constant where it is static.
  Value extent(Value buffer, int64_t dim);

  /// An element as it is.
  Value load(Value buffer, ValueRange at);
  /// A number, extended to f32.
  Value loadF32(Value buffer, ValueRange at);
  /// An i32 as an index; only for what is not negative.
  Value loadIndex(Value buffer, ValueRange at);
  /// Rounds an f32 to the buffer's element type; casts an index to its integer.
  void store(Value value, Value buffer, ValueRange at);
  /// `lanes` elements of a row as they are, from a multiple of `lanes` on.
  Value loadPart(Value buffer, ValueRange at, int64_t lanes);
  /// Rounds f32 elements to the buffer's element type.
  void storePart(Value part, Value buffer, ValueRange at);
  Value splat(Value value, int64_t lanes);
  /// Writes `value` into all of a buffer of rank 1.
  void fill(Value buffer, Value value);

  /// f32 from a scalar or vector of a narrower type, and back.
  Value toF32(Value value);
  Value fromF32(Value value, Type element);

  Value add(Value a, Value c) { return arith::AddIOp::create(b, a, c); }
  Value compare(arith::CmpIPredicate predicate, Value a, Value c) {
    return arith::CmpIOp::create(b, predicate, a, c);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value c) {
    return arith::CmpFOp::create(b, predicate, a, c);
  }
  /// Whether an i32 is an expert or a place, and not -1.
  Value isSome(Value value);

  /// `body(i)` for i in [begin, end).
  void each(Value begin, Value end, function_ref<void(Value)> body,
            int64_t step = 1);
  void each(Value end, function_ref<void(Value)> body) {
    each(index(0), end, body);
  }

  /// `carried = body(i, carried)` for i in [begin, end).
  using FoldBody = function_ref<SmallVector<Value>(Value, ValueRange)>;
  SmallVector<Value> fold(Value begin, Value end, ValueRange init,
                          FoldBody body);
  /// The same for one value.
  Value fold(Value end, Value init, function_ref<Value(Value, Value)> body);

  /// `body(i)` for i in [0, end), of which no iteration reads or writes what
  /// another one writes. What is in the body runs in order.
  virtual void eachItem(Value end, function_ref<void(Value)> body);
  /// The same for rows: the parts that `eachPart` goes over in the body do not
  /// need each other either, and nothing outside of them writes but to
  /// `scratch`.
  virtual void eachRow(Value end, function_ref<void(Value)> body);

  /// `body(at, n)` for parts of a row of `rows`, whose columns are static: n =
  /// `lanes` elements, a power of two, or what else suits the target; what is
  /// left comes in parts of smaller powers.
  virtual void eachPart(Value rows, int64_t lanes,
                        function_ref<void(Value, int64_t)> body);

  void when(Value condition, function_ref<void()> body);
  /// The values of one of two branches.
  using Branch = function_ref<SmallVector<Value>()>;
  SmallVector<Value> choose(Value condition, TypeRange types, Branch then,
                            Branch otherwise);

  /// A buffer on the stack of the function; static sizes.
  virtual Value scratch(ArrayRef<int64_t> shape, Type element);

protected:
  /// The alignment in bytes that accesses to `lanes` elements of a row may rely
  /// on; 0: that of one element.
  virtual int64_t partAlignment(Value buffer, int64_t lanes);
  /// `body(i)` for i in [begin, end) by steps of a value.
  void eachBy(Value begin, Value end, Value step,
              function_ref<void(Value)> body);

private:
  Operation *op;
};

/// Static extent of a buffer.
inline int64_t staticExtent(Value buffer, int64_t dim) {
  return cast<MemRefType>(buffer.getType()).getDimSize(dim);
}

inline Type elementType(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType();
}

} // namespace mlir::moe

#endif // MOE_CONVERSION_MOETOLOOPS_LOOPEMITTER_H
