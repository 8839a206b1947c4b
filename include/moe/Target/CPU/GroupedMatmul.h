// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ragged grouped matrix product of the CPU target:
//
//   out[r, n] = epilogue(acc_1[r, n], …, acc_w[r, n])
//   acc_i[r, n] = Σ_k rows[r, k] · B_i,s[k, n]        offsets[s] ≤ r <
//   offsets[s + 1]
//
// in f32, k ascending, one chain of additions an element, whatever the number
// of rows, the tile that a row falls in, or the thread: see
// docs/Rationale/RegisterTile.md.

#ifndef MOE_TARGET_CPU_GROUPEDMATMUL_H
#define MOE_TARGET_CPU_GROUPEDMATMUL_H

#include "moe/Target/CPU/CPUTarget.h"
#include "moe/Target/CPU/PackedLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::moe {

/// What one generated function computes. Types are f32 or bf16.
struct GroupedMatmulSpec {
  /// Columns of `rows` and of `out`.
  int64_t k = 0;
  int64_t n = 0;
  /// Element type of rows and packed weights, and of the output.
  Type inputType;
  Type outputType;
  /// Weight tables that share the rows (gate and up: 2).
  int64_t weights = 1;
};

/// Adds to `module` the private function
///
///   @name(%rows: memref<?xKxT>, %weights…: !llvm.ptr, %offsets: memref<?xi32>,
///         %out: memref<?xNxU>, %panel_begin: index, %panel_end: index)
///
/// Each `!llvm.ptr` is a table of pointers to packed matrices (PackedLayout.h),
/// one a group; a group without rows is not looked up. Panels (of 32 columns)
/// from `%panel_begin` up to `%panel_end` are computed, all of them for 0 and
/// `groupedMatmulLayout(spec).panels()`; calls with disjoint ranges may run at
/// once. Rows beyond the last offset are neither read nor written.
///
/// `epilogue` (null: none) is a block of `weights` f32 arguments whose
/// terminator's one operand is of the output type; its ops are elementwise
/// (arith, math). Values from outside must be constants. It is cloned, not
/// moved. Returns null after an error, reported at the epilogue.
func::FuncOp buildGroupedMatmul(ModuleOp module, StringRef name,
                                const GroupedMatmulSpec &spec, Block *epilogue,
                                const CPUTarget &target);

/// How each of its weight matrices is packed.
PackedLayout groupedMatmulLayout(const GroupedMatmulSpec &spec);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_GROUPEDMATMUL_H
