// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the token-wise parts of a model as linalg on tensors. Arithmetic is in
// f32; what is rounded to the model's dtype, and when, is each member's
// promise.

#ifndef MOE_LIB_IMPORT_TENSORPROGRAM_H
#define MOE_LIB_IMPORT_TENSORPROGRAM_H

#include "Family.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace mlir::moe {

/// Which of the result's dimensions an elementwise input has.
enum class Spread { Both, Rows, Columns, RowsTimesOne };

struct ElementwiseInput {
  Value value;
  Spread spread = Spread::Both;
};

/// The token-wise part of one block of operations.
class TensorProgram {
public:
  /// All tensors have the rows of `tokens`, and extents and constants are
  /// written where the builder is: use it for one block only.
  TensorProgram(OpBuilder &builder, FloatType dtype, Value tokens);

  /// A location that names the value of an operation.
  Location named(StringRef name);

  /// `x · weightᵀ`, accumulated in f32: [T, K] x [N, K] -> [T, N] f32.
  Value multiply(StringRef name, Value x, Value weight);

  /// `values` in the model's dtype; itself where it is already.
  Value round(StringRef name, Value values);
  /// `values` rounded to the model's dtype and back to f32.
  Value roundInF32(StringRef name, Value values);

  /// `round(gamma * round(x / sqrt(mean(x²) + epsilon)))`.
  Value normalize(StringRef name, Value x, Value gamma, double epsilon);

  /// `round(act(gate) * up)`, or `round(act(up))` without a gate.
  Value activate(StringRef name, Activation activation, Value gate, Value up);

  /// `round(a + b)`; either may be f32.
  Value add(StringRef name, Value a, Value b);

  /// `round(round(sigmoid(round(logits))) * rows)`, logits [T, 1].
  Value gateBySigmoid(StringRef name, Value logits, Value rows);

private:
  using Body =
      llvm::function_ref<Value(OpBuilder &, Location, ArrayRef<Value> inputs)>;

  /// One result element for each token and column; the body works on f32
  /// and its result is converted to `element`.
  Value elementwise(StringRef name, int64_t columns, Type element,
                    ArrayRef<ElementwiseInput> inputs, Body body);
  /// `[T]`, or `[T, columns]`.
  Value empty(ArrayRef<int64_t> columns, Type element);
  Value zeros(ArrayRef<int64_t> columns);
  Value finish(linalg::GenericOp op, StringRef name);
  Value sumOfSquares(Value x);
  Value inverseRoot(Value sum, int64_t columns, double epsilon);

  OpBuilder &builder;
  FloatType dtype;
  OpFoldResult extent;
  Value zero;
};

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_TENSORPROGRAM_H
