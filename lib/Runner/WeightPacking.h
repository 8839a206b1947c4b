// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The right-hand side of a product, as each target wants it.
#ifndef MOE_LIB_RUNNER_WEIGHTPACKING_H
#define MOE_LIB_RUNNER_WEIGHTPACKING_H

#include "moe/Runner/ElementType.h"
#include "moe/Runner/RankPlatform.h"
#include "moe/Target/CPU/PackedLayout.h"

namespace moe::runner {

/// A matrix K x N of a target.
struct WeightPacking {
  ProgramTarget target = ProgramTarget::CPU;
  int64_t k = 0;
  int64_t n = 0;
  ElementType type = ElementType::F32;

  int64_t bytes() const;
  /// Packs all of it, out of a matrix [K, N] or [N, K].
  void pack(const mlir::moe::PackSource &source, bool isInByOut,
            void *packed) const;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_WEIGHTPACKING_H
