// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reduction.h - Reducing over ranks ------------------------*- C++ -*-===//

#ifndef MOERT_CORE_REDUCTION_H
#define MOERT_CORE_REDUCTION_H

#include "moert/moert.h"

namespace moert {

/// Reduces `count` elements: sources[0][i], sources[1][i] … from left to right,
/// floating types in f32, rounded once. All results of a block of elements are
/// computed before the first is stored, so a destination may equal a source.
/// Every one of the destinations receives the result.
void reduce(const char *const *sources, int32_t sourceCount,
            char *const *destinations, int32_t destinationCount, int64_t count,
            moert_dtype dtype, moert_reduction reduction);

} // namespace moert

#endif // MOERT_CORE_REDUCTION_H
