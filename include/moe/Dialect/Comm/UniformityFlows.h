// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How an operation says what goes into its results, and up to which differences
// between ranks.

#ifndef MOE_DIALECT_COMM_UNIFORMITYFLOWS_H
#define MOE_DIALECT_COMM_UNIFORMITYFLOWS_H

#include "moe/Dialect/Comm/CommAttributes.h"

namespace mlir::comm {

/// What of a value: ranks may hold tensors of equal extents with other
/// contents. Scalars and handles have contents only.
enum class Aspect { Contents, Extents };

/// Takes what goes into the results of an operation.
class UniformityFlows {
public:
  virtual ~UniformityFlows() = default;

  /// `aspect` of `to` differs between ranks of other coordinates on `axes`
  /// (null: on all axes), whatever goes into it.
  virtual void addRank(Value to, Aspect aspect, AxisListAttr axes) = 0;

  /// `what` of `from` goes into `aspect` of `to`. Differences over `equalized`
  /// (null: none) do not pass.
  virtual void add(Value to, Aspect aspect, Value from, Aspect what,
                   AxisListAttr equalized = {}) = 0;

  /// The contents of each result are made of the contents and the extents of
  /// all operands.
  void addContents(Operation *op);
};

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_UNIFORMITYFLOWS_H
