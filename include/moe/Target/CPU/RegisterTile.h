// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The innermost part of a matrix product: some rows times one panel of packed
// weights, with all sums in registers. How that is done is a strategy, so that
// a target with tile registers brings its own; the loops around it, the
// epilogue and the stores are the same for all.

#ifndef MOE_TARGET_CPU_REGISTERTILE_H
#define MOE_TARGET_CPU_REGISTERTILE_H

#include "moe/Target/CPU/GroupedMatmul.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <memory>

namespace mlir::moe {

/// What one tile reads and writes.
struct TileOperands {
  /// memref<?xKxT>, and the tile's first row in it.
  Value rows;
  Value firstRow;
  /// One panel, of `panelType`.
  Value panel;
  /// memref<maxRows x 32 x f32>: where the sums go.
  Value sums;
};

class RegisterTile {
public:
  virtual ~RegisterTile();

  /// Most rows of one tile.
  virtual int64_t maxRows() const = 0;

  /// Emits the sums of `rows` (1 to `maxRows()`) rows and of all columns of the
  /// panel. For each element the additions and their order are the same
  /// whatever `rows` is.
  virtual void emit(ImplicitLocOpBuilder &builder, const TileOperands &operands,
                    int64_t rows) const = 0;

  /// The best tile for the target.
  static std::unique_ptr<RegisterTile> create(int64_t k, Type inputType,
                                              const CPUTarget &target);
};

/// A panel as a kernel sees it: memref<panelRows x 32 x cell>, a cell being
/// f32, or an i32 that holds two bf16.
MemRefType panelType(int64_t k, Type inputType);

/// Where a tile leaves its sums.
MemRefType sumsType(const RegisterTile &tile, MLIRContext *context);

/// The function of `module` that computes one tile of any height; made on first
/// use, shared by all products of the same k and type:
///
///   @moe_tile_<type>_k<K>(%rows: memref<?xKxT>, %first_row: index,
///                         %height: index, %panel: !llvm.ptr,
///                         %sums: memref<maxRows x 32 x f32>)
func::FuncOp getOrBuildTileFunction(ModuleOp module, int64_t k, Type inputType,
                                    const RegisterTile &tile);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_REGISTERTILE_H
