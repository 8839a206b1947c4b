// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The best k of some candidates.
//
// The k best so far stand in one vector, in descending order. A candidate that
// beats the last one goes in between: every lane compares at once, and those
// that lose take their neighbour. Places that are still free hold a NaN, which
// every candidate beats by the unordered comparison; candidates are never NaN
// (one that was counts as -inf), so that every place is filled, whatever the
// numbers are. Equal candidates stay in the order in which they came.
// Example, k = 3: [5, 2, NaN], candidate 3: [5, 3, 2]; candidate 2: [5, 3, 2].

#ifndef MOE_LIB_CONVERSION_MOETOLOOPS_SORTEDLIST_H
#define MOE_LIB_CONVERSION_MOETOLOOPS_SORTEDLIST_H

#include "moe/Conversion/MoEToLoops/LoopEmitter.h"

namespace mlir::moe {

/// The best candidates in descending order, equal ones by index.
struct Best {
  /// vector<k x f32>
  Value values;
  /// vector<k x i32>
  Value indices;
};

/// The value of a candidate, f32, for its index.
using CandidateFn = function_ref<Value(Value)>;

/// The best `k` among `count` >= k candidates.
Best emitBest(LoopEmitter &e, int64_t k, int64_t count, CandidateFn candidate);

/// The best one among `count` >= 2 candidates other than `excluded` (i32).
Best emitBestExcept(LoopEmitter &e, int64_t count, CandidateFn candidate,
                    Value excluded);

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_MOETOLOOPS_SORTEDLIST_H
