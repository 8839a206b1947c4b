// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The innermost part of a product on a GPU: what a block does with one step in
// k of its tile, which lies in shared memory, with all sums in registers. How
// that is done is a strategy, so that chips with other tensor cores bring their
// own; the schedule, the copies, the epilogue and the stores are the same for
// all.

#ifndef MOE_LIB_TARGET_GPU_BLOCKTILE_H
#define MOE_LIB_TARGET_GPU_BLOCKTILE_H

#include "SharedRows.h"

#include "moe/Target/GPU/GroupedMatmul.h"

#include <memory>

namespace mlir::moe {

/// The part of the output that a block computes at a time.
struct TileShape {
  int64_t rows = 0;
  /// Columns of each of the products that share the rows.
  int64_t columns = 0;
  int64_t weights = 1;
  /// Steps in k that are in shared memory at a time.
  int64_t stages = 0;

  /// One stage: the rows, then the columns of each matrix.
  int64_t sharedRows() const { return rows + weights * columns; }
  int64_t stageBytes() const { return sharedRows() * SharedRows::rowBytes; }
  int64_t sharedBytes() const { return stages * stageBytes(); }
};

/// Neighbouring elements of the output in one thread.
struct TileRun {
  /// Place of the first, from the thread's first row and column.
  int64_t row = 0;
  int64_t column = 0;
  /// For each weight table, where the elements' sums are.
  SmallVector<SmallVector<int64_t>> sums;
};

class BlockTile {
public:
  static constexpr int64_t threads = 128;
  static constexpr int64_t warps = threads / 32;

  virtual ~BlockTile();

  const TileShape &getShape() const { return shape; }
  /// f32 sums of a thread.
  virtual int64_t sumsPerThread() const = 0;

  /// Writes what a thread works out once. `thread` is its i32 number.
  virtual void prepare(DeviceMath &m, Value thread) = 0;

  /// Returns sums + rows · columns of the stage that starts at `stage`, in
  /// ascending order of k. Each element's additions are the same wherever in a
  /// tile of whatever shape it is.
  virtual SmallVector<Value> multiply(DeviceMath &m, Value stage,
                                      ValueRange sums) = 0;

  /// The thread's first row and column in the tile, i32.
  Value getFirstRow() const { return firstRow; }
  Value getFirstColumn() const { return firstColumn; }

  /// All runs of a thread, rows outermost.
  virtual SmallVector<TileRun> runs() const = 0;

  /// The tile for a product.
  static std::unique_ptr<BlockTile> create(const GPUMatmulSpec &spec);

protected:
  explicit BlockTile(const TileShape &shape) : shape(shape) {}
  TileShape shape;
  Value firstRow;
  Value firstColumn;
};

// MmaSyncTile.cpp: bf16 on tensor cores, by mma.sync m16n8k16.
std::unique_ptr<BlockTile> createMmaSyncTile(const GPUMatmulSpec &spec);
// FmaTile.cpp: f32 by fused multiply-adds.
std::unique_ptr<BlockTile> createFmaTile(const GPUMatmulSpec &spec);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_BLOCKTILE_H
