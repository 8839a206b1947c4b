// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How one step in k of a tile gets from global to shared memory: by
// asynchronous copies of 16 bytes, four threads a row. What a row or k has not
// becomes zero.

#ifndef MOE_LIB_TARGET_GPU_STAGELOADER_H
#define MOE_LIB_TARGET_GPU_STAGELOADER_H

#include "BlockTile.h"

namespace mlir::moe {

/// The tile that a block is at.
struct TilePlace {
  /// First row among all rows, and rows from there to the end of the group.
  Value firstRow;
  Value rowsLeft;
  Value firstColumn;
};

class StageLoader {
public:
  StageLoader(const GPUMatmulSpec &spec, const TileShape &shape);

  /// Steps in k.
  int64_t steps() const;

  /// Writes what a thread works out once.
  void prepare(DeviceMath &m, Value thread);

  /// Writes what a thread works out once a tile. `matrices` are packed ones.
  void begin(DeviceMath &m, Value rows, ValueRange matrices,
             const TilePlace &place);

  /// Starts the copies of step `step`, an i32, into the stage at `stage`.
  void copy(DeviceMath &m, Value step, Value stage);

  /// Whether rows can be copied: their elements are aligned to 4 bytes.
  static bool canCopy(const GPUMatmulSpec &spec);

private:
  void copyRows(DeviceMath &m, Value from, Value to, Value stepBytes);
  void copyChunk(DeviceMath &m, Value to, Value from, int64_t bytes,
                 Value sourceBytes);

  TileShape shape;
  /// Bytes of a row, and of a row of a packed matrix.
  int64_t rowBytes;
  int64_t packedBytes;
  int64_t packedRows;
  /// Bytes of one copy of rows.
  int64_t copyBytes;

  // Of the thread: its row of every 32, the place of its chunk in it, and the
  // chunk's place in shared memory.
  Value row;
  Value chunkBytes;
  Value target;
  // Of the tile.
  Value rowSource;
  SmallVector<Value> matrixSources;
  SmallVector<Value> rowIsThere;
  SmallVector<Value> columnIsThere;
};

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_STAGELOADER_H
