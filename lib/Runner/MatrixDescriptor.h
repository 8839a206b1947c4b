// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H
#define MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H

#include <cstdint>

namespace moe::runner {

/// A matrix as MLIR's C interface describes it.
struct MatrixDescriptor {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t sizes[2];
  int64_t strides[2];

  /// Row-major, rows back to back.
  static MatrixDescriptor of(void *data, int64_t rows, int64_t columns) {
    return {data, data, 0, {rows, columns}, {columns, 1}};
  }
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H
