// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random weights and tokens that anybody can compute again: element i of the
// tensor of a given name depends on (seed, name, shape, i) alone.
// docs/RandomData.md states the formula and test vectors.
#ifndef MOE_RUNNER_RANDOMTENSOR_H
#define MOE_RUNNER_RANDOMTENSOR_H

#include "moe/Runner/ElementType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace moe::runner {

/// A tensor whose elements are computed when asked for. Safe to use from
/// several threads at once; cheap to copy.
class RandomTensor {
public:
  /// The weight tensor that a checkpoint calls `name`.
  RandomTensor(llvm::StringRef name, uint64_t seed,
               llvm::ArrayRef<int64_t> shape);

  /// The tokens that are used when no input is given: [tokens, hidden].
  static RandomTensor tokens(uint64_t seed);

  /// The 64 random bits of element `index` (row-major).
  uint64_t bits(int64_t index) const;
  /// The element in f32, before it is rounded to a narrower type.
  float value(int64_t index) const;
  /// Elements [first, first + count) as F32, BF16 or F16. Independent ranges
  /// may be filled by several threads.
  void fill(int64_t first, int64_t count, ElementType type,
            void *destination) const;

private:
  RandomTensor(uint64_t key, float scale, float offset)
      : key(key), scale(scale), offset(offset) {}

  uint64_t key;
  /// value = offset + u * scale, u in [-1, 1).
  float scale;
  float offset;
};

} // namespace moe::runner

#endif // MOE_RUNNER_RANDOMTENSOR_H
