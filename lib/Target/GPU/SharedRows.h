// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of 64 bytes in shared memory: one step in k of a tile, four chunks of 16
// bytes a row. Chunk c of row r is at
//
//   64 · r + 16 · (c xor (r / 2 mod 4))
//
// Two rows share a line of 128 bytes, which is all banks once. Eight rows that
// follow one another, read at one c, are in eight different parts of a line: c
// xor 0, 1, 2, 3, each once in either half. So ldmatrix, and eight threads that
// read 16 bytes each, have no conflicts; copies write whole rows and have none
// either. Sixteen rows further on everything is the same, so that a thread's
// addresses differ by constants, and its chunk c xor 2 is the address xor 32.

#ifndef MOE_LIB_TARGET_GPU_SHAREDROWS_H
#define MOE_LIB_TARGET_GPU_SHAREDROWS_H

#include "DeviceMath.h"

namespace mlir::moe {

struct SharedRows {
  static constexpr int64_t rowBytes = 64;
  static constexpr int64_t chunkBytes = 16;
  static constexpr int64_t chunks = rowBytes / chunkBytes;
  /// Rows after which the places of chunks repeat.
  static constexpr int64_t period = 8;

  /// Byte offset of a chunk, both i32.
  static Value offset(DeviceMath &m, Value row, Value chunk) {
    Value turn = m.rem(m.div(row, 2), chunks);
    Value place = m.bitXor(chunk, turn);
    return m.add(m.mul(row, rowBytes), m.mul(place, chunkBytes));
  }
};

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_SHAREDROWS_H
