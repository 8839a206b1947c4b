// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_EXCHANGE_OPS
#define MOE_EXCHANGE_OPS

include "moe/MoEExpertOps.td"

// Written by hand in a planned program, they are partitioned as moe.experts is.
defvar MoE_Partitionable = [DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
                            DeclareOpInterfaceMethods<Comm_PartitionOpInterface>,
                            DeclareOpInterfaceMethods<MemoryEffectsOpInterface>];

def MoE_DispatchLayoutOp : MoE_Op<"dispatch_layout", !listconcat(MoE_Partitionable, [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>])> {
  let summary = "decides how an assignment's rows travel, and counts them";
  let description = [{
    Owns the exchange of counts. One layout serves the dispatch and the combine
    of a layer.

    Semantics: assignment (t, j) goes to the slot that the placement names for
    expert[t, j], this rank and global token `first_token + t`; rows of a slot
    keep the order (t, j).

    Lifespan: created by `moe-partition`, or written by hand in a planned program
    whose exchanges are not those of `moe.experts`, such as a backward pass;
    removed by `moe-insert-all-to-all`. In a planned program `expert` are the
    choices of all tokens.

    Constraints:
    - C1: axes, mesh and exchange exist.
    - C2: the layout is of as many ranks as the group has.

    Example:
    ```mlir
    %l = moe.dispatch_layout %expert placed by %p from_token %t0 over {"ep"} of @mesh exchange @x0
        : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> !moe.layout<4 ranks x 2 slots>
    ```
  }];
  let arguments = (ins 2DTensorOf<[I32]>:$expert, MoE_PlacementRefType:$placement,
      Index:$first_token, Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh,
      FlatSymbolRefAttr:$exchange);
  let results = (outs MoE_LayoutType:$layout);
  let assemblyFormat = [{
    $expert `placed` `by` $placement `from_token` $first_token `over` custom<Axes>($axes)
    `of` $mesh `exchange` $exchange attr-dict `:` functional-type(operands, results)
  }];
}

def MoE_DispatchOp : MoE_Op<"dispatch", MoE_Partitionable> {
  let summary = "rows to their experts";
  let description = [{
    Semantics: the rows that arrive at this rank's slots, slot by slot, within
    a slot by source rank and then (t, j); and where each slot begins. The row of
    assignment (t, j) is `x[t]`, or with weights `w[t, j] * x[t]`, multiplied in
    f32 and rounded to x's element type: the transpose of `moe.combine` with the
    same weights, or with weights 1.

    Lifespan: as `moe.dispatch_layout`.

    Constraints:
    - C1: rows have x's columns and element type.
    - C2: the weight is of x's tokens.

    Example:
    ```mlir
    %rows, %offsets = moe.dispatch %x by %l : (tensor<?x64xbf16>, !moe.layout<4 ranks x 2 slots>) -> (tensor<?x64xbf16>, tensor<?xi32>)
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32, BF16, F16]>:$x, MoE_LayoutType:$layout,
      Optional<MoE_Scores>:$weight);
  let results = (outs 2DTensorOf<[F32, BF16, F16]>:$rows, 1DTensorOf<[I32]>:$offsets);
  let assemblyFormat = [{
    $x `by` $layout (`weighted` `by` $weight^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def MoE_CombineOp : MoE_Op<"combine", MoE_Partitionable> {
  let summary = "results home to their tokens, weighted and summed";
  let description = [{
    Semantics: rows travel back; `y[t] = (w[t,0] * r_0 + w[t,1] * r_1) + …` in
    f32, unfused, left to right. A choice without an expert adds `w * dropped[t]`
    where `dropped` is given, nothing otherwise.

    Lifespan: as `moe.dispatch_layout`.

    Constraints:
    - C1: the result has the rows' columns and the weight's tokens.

    Example:
    ```mlir
    %y = moe.combine %rows weighted by %w by %l : (tensor<?x64xbf16>, tensor<?x2xf32>, !moe.layout<4 ranks x 2 slots>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32, BF16, F16]>:$rows, MoE_Scores:$weight,
      MoE_LayoutType:$layout, Optional<AnyRankedTensor>:$dropped);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $rows `weighted` `by` $weight `by` $layout (`dropped` $dropped^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def MoE_AssignSlotsOp : MoE_BufferFormOp<"assign_slots"> {
  let summary = "the place of each assignment among the rows that are sent";
  let description = [{
    A counting sort, linear in assignments plus slots.

    Semantics: assignments ordered by (destination rank, slot, t, j);
    `position[t, j]` is the place of (t, j), -1 without an expert;
    `counts[r, s]` how many go to slot s of rank r.

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: the results are position [T, K] and counts [n, S].

    Example:
    ```mlir
    %position, %counts = moe.assign_slots %expert placed by %p from_token %t0
        : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> (tensor<?x2xi32>, tensor<4x2xi32>)
    ```
  }];
  let arguments = (ins MoE_Choices:$expert, MoE_PlacementRefType:$placement, Index:$first_token,
                       Variadic<AnyMemRef>:$outs);
  let assemblyFormat = [{
    $expert `placed` `by` $placement `from_token` $first_token (`into` $outs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def MoE_PlacementTableOp : MoE_Op<"placement_table", [Pure]> {
  let summary = "the table behind a placement";
  let description = [{
    Semantics: `table[c, e] = rank * S + slot` where this rank's token of class
    c (global token index mod 64) finds expert e.

    Lifespan: created when `moe.assign_slots` becomes loops; lowered to the
    pointer of the handle.

    Constraints:
    - C1: the table is `memref<64 x E x i32>`.

    Example:
    ```mlir
    %t = moe.placement_table %p : !moe.placement_ref<8 experts> -> memref<64x8xi32>
    ```
  }];
  let arguments = (ins MoE_PlacementRefType:$placement);
  let results = (outs MemRefRankOf<[I32], [2]>:$table);
  let assemblyFormat = "$placement attr-dict `:` qualified(type($placement)) `->` type($table)";
  let hasVerifier = 1;
}

def MoE_CountOffsetsOp : MoE_BufferFormOp<"count_offsets"> {
  let summary = "offsets of rows sorted by rank and by slot";
  let description = [{
    Semantics: from counts [n, S]: `by_rank[r]` is the number of rows of ranks
    before r (length n + 1); `by_slot[s]` the number of rows of slots before s
    (length S + 1).

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: the results are by_rank [n + 1] and by_slot [S + 1].

    Example:
    ```mlir
    %by_rank, %by_slot = moe.count_offsets %counts : (tensor<4x2xi32>) -> (tensor<?xi32>, tensor<?xi32>)
    ```
  }];
  let arguments = (ins MoE_Choices:$counts, Variadic<AnyMemRef>:$outs);
  let assemblyFormat = "$counts (`into` $outs^)? attr-dict `:` functional-type(operands, results)";
}

def MoE_SlotPositionsOp : MoE_BufferFormOp<"slot_positions"> {
  let summary = "the place of each arrived row among rows sorted by slot";
  let description = [{
    Semantics: arrived rows are ordered by (source rank, slot); `result[i]` is
    the place of row i in the order (slot, source rank). Entries beyond the sum
    of counts are not written.

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: one result, [extent].

    Example:
    ```mlir
    %q = moe.slot_positions %counts extent %n : (tensor<4x2xi32>, index) -> tensor<?xi32>
    ```
  }];
  let arguments = (ins MoE_Choices:$counts, Index:$extent, Variadic<AnyMemRef>:$outs);
  let assemblyFormat = "$counts `extent` $extent (`into` $outs^)? attr-dict `:` functional-type(operands, results)";
}

def MoE_SpreadRowsOp : MoE_BufferFormOp<"spread_rows", [AttrSizedOperandSegments]> {
  let summary = "each token's row to the places of its assignments";
  let description = [{
    Semantics: `result[position[t, j]] = x[t]`, or `w[t, j] * x[t]` with weights
    (in f32, rounded to x's element type), where `position[t, j] >= 0`; T * K
    rows, of which those without an assignment are not written.

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: one result of x's columns and element type.
    - C2: the weight is of the position's shape.

    Example:
    ```mlir
    %rows = moe.spread_rows %x to %position : (tensor<?x64xbf16>, tensor<?x2xi32>) -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins MoE_Rows:$x, MoE_Choices:$position, Optional<MoE_Scores>:$weight,
                       Variadic<AnyMemRef>:$outs);
  let assemblyFormat = [{
    $x `to` $position (`weighted` `by` $weight^)? (`into` $outs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def MoE_PermuteRowsOp : MoE_BufferFormOp<"permute_rows"> {
  let summary = "rows to other places, or back";
  let description = [{
    Semantics: `result[index[i]] = rows[i]`, or with `inverse`
    `result[i] = rows[index[i]]`, for `i < offsets[last]`; other rows are not
    written.

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: one result of the rows' shape and element type.

    Example:
    ```mlir
    %sorted = moe.permute_rows %rows to %q up_to %offsets : (tensor<?x64xbf16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins MoE_Rows:$rows, MoE_RowOffsets:$index, MoE_RowOffsets:$offsets,
                       Variadic<AnyMemRef>:$outs, UnitAttr:$inverse);
  let assemblyFormat = [{
    (`inverse` $inverse^)? $rows `to` $index `up_to` $offsets (`into` $outs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def MoE_CombineRowsOp : MoE_BufferFormOp<"combine_rows", [AttrSizedOperandSegments]> {
  let summary = "weighted sums of the rows at some places";
  let description = [{
    Semantics: `y[t] = (w[t,0] * rows[position[t,0]] + w[t,1] * rows[position[t,1]]) + …`
    in f32, unfused, left to right; a place of -1 adds `w * dropped[t]` where
    given, nothing otherwise.

    Lifespan: created by `moe-insert-all-to-all`; lowered to loops.

    Constraints:
    - C1: one result, [T, H] f32.

    Example:
    ```mlir
    %y = moe.combine_rows %rows at %position weighted by %w : (tensor<?x64xbf16>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins MoE_Rows:$rows, MoE_Choices:$position, MoE_Scores:$weight,
                       Optional<MoE_Rows>:$dropped, Variadic<AnyMemRef>:$outs);
  let assemblyFormat = [{
    $rows `at` $position `weighted` `by` $weight (`dropped` $dropped^)? (`into` $outs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // MOE_EXCHANGE_OPS
