// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes that the verifiers of operations with a buffer form expect.

#ifndef MOE_LIB_DIALECT_MOE_PRODUCEDRESULTS_H
#define MOE_LIB_DIALECT_MOE_PRODUCEDRESULTS_H

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {

/// A result as it should be. Dynamic extents may be anything.
struct ExpectedResult {
  SmallVector<int64_t> shape;
  /// Null: f32, bf16 or f16.
  Type element;
};

/// Checks what an operation produces: its results on tensors, its outs on
/// buffers.
LogicalResult verifyProduced(BufferFormOpInterface op,
                             ArrayRef<ExpectedResult> expected);

/// Checks the shape of an operand that may be absent.
LogicalResult verifyShape(Operation *op, StringRef name, Value operand,
                          ArrayRef<int64_t> shape);

} // namespace mlir::moe

#endif // MOE_LIB_DIALECT_MOE_PRODUCEDRESULTS_H
