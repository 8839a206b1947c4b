// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H
#define MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H

#include "moert/compiled.h"

namespace moe::runner {

/// A matrix as compiled code takes it: row-major, rows back to back.
inline moert_matrix describeMatrix(void *data, int64_t rows, int64_t columns) {
  return {data, data, 0, {rows, columns}, {columns, 1}};
}

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_MATRIXDESCRIPTOR_H
