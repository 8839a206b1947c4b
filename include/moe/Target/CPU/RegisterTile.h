// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The innermost part of a matrix product: some rows times one panel of packed
// weights, over a stretch of k, with all sums in registers. How that is done is
// a strategy, so that a target with tile registers brings its own; the loops
// around it, the epilogue and the stores are the same for all.

#ifndef MOE_TARGET_CPU_REGISTERTILE_H
#define MOE_TARGET_CPU_REGISTERTILE_H

#include "moe/Target/CPU/GroupedMatmul.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <memory>

namespace mlir::moe {

/// What one tile reads and writes.
struct TileOperands {
  /// memref<?xKxR> with R = `rowType()`, and the tile's first row in it.
  Value rows;
  Value firstRow;
  /// One panel, of `panelType`.
  Value panel;
  /// memref<?x32xf32>: where the sums are, and go; and the tile's first row.
  Value sums;
  Value firstSum;
  /// Panel rows [begin, end) are added.
  Value begin;
  Value end;
};

class RegisterTile {
public:
  virtual ~RegisterTile();

  /// Most rows of one tile.
  virtual int64_t maxRows() const = 0;

  /// The type that rows must have: the input type, or f32 where bf16 has to be
  /// widened.
  virtual Type rowType() const = 0;

  /// Emits sums += rows · panel, for `rows` (1 to `maxRows()`) rows and all
  /// columns of the panel. For each element the additions and their order are
  /// the same whatever `rows` is and wherever k is cut.
  virtual void emit(ImplicitLocOpBuilder &builder, const TileOperands &operands,
                    int64_t rows) const = 0;

  /// The best tile for the target.
  static std::unique_ptr<RegisterTile> create(int64_t k, Type inputType,
                                              const CPUTarget &target);
};

/// A panel as a kernel sees it: memref<panelRows x 32 x cell>, a cell being
/// f32, or an i32 that holds two bf16.
MemRefType panelType(int64_t k, Type inputType);

/// The function of `module` that computes one tile of any height; made on first
/// use, shared by all products of the same k and type:
///
///   @moe_tile_<type>_k<K>(%height: index, %rows: memref<?xKxR>,
///       %first_row: index, %panel: !llvm.ptr, %sums: memref<?x32xf32>,
///       %first_sum: index, %begin: index, %end: index)
func::FuncOp getOrBuildTileFunction(ModuleOp module, int64_t k, Type inputType,
                                    const RegisterTile &tile);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_REGISTERTILE_H
