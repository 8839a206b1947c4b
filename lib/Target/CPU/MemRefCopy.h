// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a `memref.copy` between strided buffers calls.

#ifndef MOE_LIB_TARGET_CPU_MEMREFCOPY_H
#define MOE_LIB_TARGET_CPU_MEMREFCOPY_H

#include <cstdint>

namespace mlir::moe {

/// A memref of any rank, as compiled code passes it.
struct UnrankedMemRef {
  int64_t rank;
  void *descriptor;
};

/// Copies `source` to `target`, which has the same shape.
extern "C" void moeMemRefCopy(int64_t elementBytes,
                              const UnrankedMemRef *source,
                              const UnrankedMemRef *target);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_CPU_MEMREFCOPY_H
