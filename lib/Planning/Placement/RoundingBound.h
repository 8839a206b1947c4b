//===- RoundingBound.h - What no placement can beat, in points --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The *rounding* argument of a lower bound by load, for ranks of at most two
// slots. Suppose that no rank serves more than T. Parts of experts are worth
// points by their load x: 1 + the number of steps a with a ≤ x while x ≤ T / 2,
// and 2k less what T − x is worth above that, where k is 1 + the number of
// steps. Two parts of T together are then worth at most 2k. An expert's parts
// are worth at least what the cheapest way to cut it up is. Where experts need
// more points than ranks have, T is too small.
//
// The points are those of a dual solution of the linear program over all ways
// to fill a rank, and for as many steps as loads have values the best ones
// prove what that program does. A few steps come near it
// (docs/Rationale/placement.md).
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_ROUNDINGBOUND_H
#define MOE_LIB_PLANNING_PLACEMENT_ROUNDINGBOUND_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace moe::planning {

/// Loads at which parts of experts become worth a point more, ascending, at
/// most half of the limit that they are for.
using RoundingSteps = llvm::SmallVector<double, 4>;

struct RoundingProof {
  /// No placement has a largest load below it.
  double limit = 0;
  RoundingSteps steps;
};

/// Looks for steps that prove more than `limit`, which is above 0; without
/// steps and with `limit` itself where none do. `weights` are the experts'
/// loads, descending; ranks have one or two slots. Takes a few hundred sums of
/// points, each some binary searches over the weights.
RoundingProof proveByRounding(llvm::ArrayRef<double> weights,
                              int64_t ranksOfTwo, int64_t ranksOfOne,
                              double limit);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_ROUNDINGBOUND_H
