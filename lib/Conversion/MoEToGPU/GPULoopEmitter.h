// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of a lowering, shared out over the threads of a grid: an item is a
// thread's, a row a warp's, whose lanes share out the row's parts of 16 bytes.
// Grids of any size are right: each thread, or warp, takes every so many-th
// iteration.

#ifndef MOE_LIB_CONVERSION_MOETOGPU_GPULOOPEMITTER_H
#define MOE_LIB_CONVERSION_MOETOGPU_GPULOOPEMITTER_H

#include "moe/Conversion/MoEToLoops/LoopEmitter.h"

namespace mlir::moe {

class GPULoopEmitter : public LoopEmitter {
public:
  /// Writes before the op, which is in a kernel of blocks of `threads` threads,
  /// a multiple of 32.
  GPULoopEmitter(OpBuilder &builder, Operation *op, int64_t threads)
      : LoopEmitter(builder, op), threads(threads) {}

  void eachItem(Value end, function_ref<void(Value)> body) override;
  void eachRow(Value end, function_ref<void(Value)> body) override;
  void eachPart(Value rows, int64_t lanes,
                function_ref<void(Value, int64_t)> body) override;

  /// In the thread's own memory, aligned for the widest access.
  Value scratch(ArrayRef<int64_t> shape, Type element) override;

  /// Iterations of the outermost `eachItem` or `eachRow` that a block takes at
  /// a time.
  int64_t iterationsPerBlock() const;

  /// `carried = body(i, isIn, carried)` in each lane for its i in [0, end), all
  /// lanes of a warp together: where there are more lanes than i, `isIn` is
  /// false and i is 0. Nothing is called for an `end` of 0.
  using LaneBody = function_ref<SmallVector<Value>(Value, Value, ValueRange)>;
  SmallVector<Value> foldLanes(Value end, ValueRange init, LaneBody body);

  /// This thread's number within its warp, an i32.
  Value lane();
  /// The sum over the warp's lanes, in each of them, of an i32.
  Value warpSum(Value value);
  /// A bit for each of the warp's lanes, an i32.
  Value ballot(Value condition);
  /// What the warp's lanes wrote so far is seen by all of them.
  void syncWarp();
  /// Of a ballot, the bits of the lanes before this one.
  Value bitsBefore(Value bits);
  /// Set bits of an i32.
  Value countBits(Value bits);

protected:
  int64_t partAlignment(Value buffer, int64_t lanes) override;

private:
  /// This thread's number in the grid, and threads in the grid; indices.
  Value threadOfGrid();
  Value threadsOfGrid();

  int64_t threads;
  bool sharesRows = false;
  bool insideRow = false;
};

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_MOETOGPU_GPULOOPEMITTER_H
