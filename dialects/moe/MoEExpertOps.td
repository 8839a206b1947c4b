// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_EXPERT_OPS
#define MOE_EXPERT_OPS

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "moe/MoERoutingOps.td"

def MoE_Rows : AnyTypeOf<[2DTensorOf<[F32, BF16, F16]>, MemRefRankOf<[F32, BF16, F16], [2]>]>;
def MoE_RowOffsets : AnyTypeOf<[1DTensorOf<[I32]>, MemRefRankOf<[I32], [1]>]>;

def MoE_ExpertsOp : MoE_Op<"experts", [Pure, SingleBlock,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "each token through its experts";
  let description = [{
    The region says what an expert computes, over ragged rows: rows
    `offsets[s] .. offsets[s + 1]` belong to slot s.

    Semantics: with r_j = region(x[t]) of expert[t, j], rounded to the region's
    row type: `y[t] = (w[t,0] * r_0 + w[t,1] * r_1) + …` in f32, unfused, left
    to right over the choices. A choice without an expert (-1) adds nothing, or
    `w * x[t]` with `dropped weighted_input`. With `weighted input` rows are
    `w * x[t]` and the sum has no weights.

    Lifespan: created by the importer; becomes `moe.dispatch_layout`,
    `moe.dispatch`, its body and `moe.combine` in `moe-partition`, or loops in
    `moe-expand-experts`.

    Constraints:
    - C1: expert and weight are [T, K]; x is [T, H]; the result is [T, H'] f32.
    - C2: the region takes rows [?, H] of x's element type and offsets `?xi32`.
    - C3: the region yields rows [?, H'].
    - C4: axes, mesh and exchange, where given, exist.
    - C5: the region works row by row: its operations keep the rows in dimension
      0, neither sum over them nor mix them with rows of outside, read no single
      row, and it yields such rows.
    - C6: products in the region are at its offsets.

    Example:
    ```mlir
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p : (tensor<?x64xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<8 experts>) -> tensor<?x64xf32> {
    ^bb0(%rows: tensor<?x64xbf16>, %offsets: tensor<?xi32>):
      %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x64xbf16>, !moe.weights<8x64x64xbf16>, tensor<?xi32>) -> tensor<?x64xbf16>
      moe.yield %o : tensor<?x64xbf16>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, 2DTensorOf<[I32]>:$expert, MoE_Scores:$weight,
      Optional<MoE_PlacementRefType>:$placement,
      OptionalAttr<Comm_AxisListAttr>:$axes, OptionalAttr<FlatSymbolRefAttr>:$mesh,
      OptionalAttr<FlatSymbolRefAttr>:$exchange,
      DefaultValuedAttr<MoE_WeightSideAttr, "WeightSide::Output">:$weighted,
      DefaultValuedAttr<MoE_DroppedReturnAttr, "DroppedReturn::Zero">:$dropped);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $x `routed` `by` $expert `weighted` `by` $weight (`placed` `by` $placement^)?
    (`over` custom<OptionalAxes>($axes)^)? (`of` $mesh^)? (`exchange` $exchange^)?
    (`weighted` `` $weighted^)? (`dropped` `` $dropped^)?
    attr-dict `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def MoE_YieldOp : MoE_Op<"yield", [Pure, Terminator, ReturnLike,
    ParentOneOf<["ExpertsOp", "GroupedMatmulOp"]>]> {
  let summary = "the result of a region";
  let description = [{
    Semantics: ends the region of `moe.experts` with its rows, or the epilogue
    of `moe.grouped_matmul` with one element.

    Lifespan: as its parent.

    Constraints: none of its own.

    Example: see `moe.experts`.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def MoE_GroupedMatmulOp : MoE_BufferFormOp<"grouped_matmul", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "each row by the matrix of its slot";
  let description = [{
    Semantics: for row r of slot s, column n and matrix i:
    `a_i = sum_k rows[r, k] * weights_i[s][k, n]` in f32, in an order that
    depends on nothing but k; `result[r, n] = epilogue(a_0, a_1, …)`, without an
    epilogue a_0 rounded to the result's element type. Rows beyond
    `offsets[last]` are not written.

    Lifespan: created by the importer; `moe-fuse-epilogue` merges elementwise
    consumers into the epilogue; lowered to a kernel.

    Constraints:
    - C1: the rows' columns are the matrices' inner size; the result has as
      many rows, and the matrices' outer size.
    - C2: all matrices have one shape; more than one needs an epilogue.
    - C3: the epilogue takes one f32 a matrix and yields the result's element.
    - C4: rows and matrices have one element type.
    - C5: static offsets have one entry a slot and one more.

    Example:
    ```mlir
    %g = moe.grouped_matmul %rows by %wg at %offsets : (tensor<?x64xbf16>, !moe.weights<8x64x48xbf16>, tensor<?xi32>) -> tensor<?x48xf32>
    ```
  }];
  let arguments = (ins MoE_Rows:$rows, Variadic<MoE_WeightsType>:$weights,
      MoE_RowOffsets:$offsets, Variadic<AnyMemRef>:$outs);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $rows `by` $weights `at` $offsets (`into` $outs^)? attr-dict
    `:` functional-type(operands, results) (`epilogue` $epilogue^)?
  }];
  let hasVerifier = 1;
}

def MoE_GroupedOuterProductOp : MoE_BufferFormOp<"grouped_outer_product", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "the sum over each slot's rows of their outer products";
  let description = [{
    What the gradient of a slot's matrix is: of `moe.grouped_matmul` of `left`, if
    `right` is the gradient of its result.

    Semantics: `result[s, k, n] = sum_r left[r, k] * right[r, n]` over the rows r
    of slot s, `offsets[s] .. offsets[s + 1]`, in f32, unfused, from 0 in the
    order of the rows; 0 for a slot without rows. With a placement that shares
    out experts in their order and replicates none, rows of an expert are in the
    order of tokens, whatever the mesh, and so are the sums.

    Lifespan: written by hand in a planned program; its slots are split over the
    axes of the exchange that brought the rows. Lowered to loops.

    Constraints:
    - C1: one f32 result, [slots, K, N] with left's K and right's N columns.
    - C2: left and right have as many rows.
    - C3: `slots` is there exactly where the number of slots is dynamic.

    Example:
    ```mlir
    %dw = moe.grouped_outer_product %h with %dy at %offsets : (tensor<?x48xf32>, tensor<?x64xf32>, tensor<?xi32>) -> tensor<8x48x64xf32>
    ```
  }];
  let arguments = (ins MoE_Rows:$left, MoE_Rows:$right, MoE_RowOffsets:$offsets,
      Optional<Index>:$slots, Variadic<AnyMemRef>:$outs);
  let assemblyFormat = [{
    $left `with` $right `at` $offsets (`slots` $slots^)? (`into` $outs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // MOE_EXPERT_OPS
