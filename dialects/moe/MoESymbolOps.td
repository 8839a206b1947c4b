// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_SYMBOL_OPS
#define MOE_SYMBOL_OPS

include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "comm/CommAttributes.td"
include "comm/CommInterfaces.td"
include "moe/MoEAttributes.td"
include "moe/MoEInterfaces.td"
include "moe/MoETypes.td"

class MoE_Op<string mnemonic, list<Trait> traits = []> : Op<MoE_Dialect, mnemonic, traits>;

def MoE_WeightOp : MoE_Op<"weight", [Symbol]> {
  let summary = "weights of a checkpoint";
  let description = [{
    Names tensors of a checkpoint. `{e}` in the pattern stands for the expert's
    number; without it the symbol is one tensor.

    Semantics: for `!moe.weights<E x K x N>`, expert e is the tensor
    `pattern[{e} := e]`, stored `[N, K]` (`out_by_in`, the default) or `[K, N]`.

    Lifespan: created by the importer; read by the loader; removed when the
    program is lowered to its target.

    Constraints:
    - C1: `!moe.weights` has `{e}` in its pattern, a tensor does not.
    - C2: tensors have static shapes.

    Example:
    ```mlir
    moe.weight @l0.gate "model.layers.0.mlp.experts.{e}.gate_proj.weight" : !moe.weights<8x64x48xbf16>
    moe.weight @l0.router "model.layers.0.mlp.gate.weight" : tensor<8x64xbf16>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$pattern, TypeAttr:$type,
      DefaultValuedAttr<MoE_WeightLayoutAttr, "WeightLayout::OutByIn">:$layout,
      OptionalAttr<StrAttr>:$quantization);
  let assemblyFormat = [{
    $sym_name $pattern (`stored` `` $layout^)? (`quantized` $quantization^)? attr-dict `:` $type
  }];
  let hasVerifier = 1;
}

def MoE_PlacementOp : MoE_Op<"placement", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "which expert lives in which slot of which rank";
  let description = [{
    `slots` has one list a rank of the group over `axes`; entry s is the expert
    in that rank's slot s, -1 where it is empty. Ranks may have different
    numbers of slots. Equal in all groups over `axes`. An expert with several
    slots is replicated; `replicas` may say which replica serves which tokens.

    Semantics: the token with global index t that source rank r holds finds
    expert e on the rank that the last entry of its table at or before
    (r, t mod 64) names. Without a table: in the only slot, else in turn, by
    (r + t mod 64), in the replicas that are nearest to r: one on r itself, else
    those whose path over the topology is shortest (inner tiers before outer
    ones, wide paths before narrow ones, the worst of all groups; without a
    topology all are equally near).

    `policy` is a note of who chose the slots. It decides nothing and stays when
    slots are edited; reports believe it only where that is cheap to check.

    Lifespan: written by the user or by `moe-choose-placement`; removed when the
    program is lowered to its target.

    Constraints:
    - C1: one list a rank of the group.
    - C2: entries are -1 or experts.
    - C3: every expert has a slot.
    - C4: no expert has two slots on one rank.
    - C5: the mesh exists and has the axes.
    - C6: the tables' experts ascend, and each has several slots.
    - C7: a table names ranks that host its expert.
    - C8: the entries of a table begin at source ranks of the group.

    Example:
    ```mlir
    moe.placement @p0 experts 5 over {"ep"} of @mesh slots [[0, 1], [2, 3, 0], [4]] replicas [
      0: [on 0 from 0, on 1 from 1 class 24]
    ] policy "joint"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$experts, Comm_AxisListAttr:$axes,
      FlatSymbolRefAttr:$mesh, TypedArrayAttrBase<DenseI64ArrayAttr, "slots by rank">:$slots,
      OptionalAttr<TypedArrayAttrBase<MoE_ReplicaTableAttr, "replica tables">>:$replicas,
      OptionalAttr<StrAttr>:$policy);
  let assemblyFormat = [{
    $sym_name `experts` $experts `over` custom<Axes>($axes) `of` $mesh `slots` custom<SlotLists>($slots)
    (`replicas` custom<ReplicaTables>($replicas)^)? (`policy` $policy^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The largest number of slots of a rank.
    int64_t getLocalSlots();
    /// The experts in the slots of `rank`.
    ::llvm::ArrayRef<int64_t> getSlotsOfRank(int64_t rank);
  }];
}

def MoE_ExchangeOp : MoE_Op<"exchange", [Symbol]> {
  let summary = "the form of a layer's dispatch and combine";
  let description = [{
    Semantics: `flat_exact` asks the host for the number of arriving rows;
    `flat_bounded` reserves `bound` rows and asks nothing.

    Lifespan: written by the user or by `moe-choose-exchange`; removed when the
    program is lowered to its target.

    Constraints:
    - C1: `bound` is from 1 to 2147483647.

    Example:
    ```mlir
    moe.exchange @x0 flat_exact bound 4096
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, MoE_ExchangeFormAttr:$form, I64Attr:$bound);
  let assemblyFormat = "$sym_name `` $form `bound` $bound attr-dict";
  let hasVerifier = 1;
}

def MoE_UseWeightOp : MoE_Op<"use_weight", [Pure,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Comm_RankDependentOpInterface>,
    DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "a handle to weights";
  let description = [{
    Semantics: the tensor or the matrices that `weight` names; after
    partitioning this rank's slots and columns of them.

    Lifespan: created by the importer; lowered to a load from the frame.

    Constraints:
    - C1: the symbol is a `moe.weight`.
    - C2: the result has the extents of the symbol, or is a part of them with
      `sharded`; a placement decides the slots, and a matrix `[N, K]` may be used
      as `!moe.weights<1 x K x N>`.
    - C3: `placement`, where given, is a `moe.placement`.
    - C4: `sharded` is a sharding of what the symbol names.

    Example:
    ```mlir
    %w = moe.use_weight @l0.gate placed by @p0 : !moe.weights<8x64x48xbf16>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, OptionalAttr<FlatSymbolRefAttr>:$placement,
      OptionalAttr<Comm_ShardingAttr>:$sharding);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $weight (`placed` `by` $placement^)? (`sharded` $sharding^)? attr-dict `:` type($result)
  }];
}

def MoE_UsePlacementOp : MoE_Op<"use_placement", [Pure,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Comm_RankDependentOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "a handle to a placement";
  let description = [{
    Semantics: the tables of the placement; without a symbol, the one that
    `moe-choose-placement` will choose for `layer`.

    Lifespan: created by the importer; lowered to a load from the frame.

    Constraints:
    - C1: the symbol, where given, is a `moe.placement` of as many experts.

    Example:
    ```mlir
    %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
    ```
  }];
  let arguments = (ins OptionalAttr<FlatSymbolRefAttr>:$placement, I64Attr:$layer);
  let results = (outs MoE_PlacementRefType:$result);
  let assemblyFormat = "($placement^)? `layer` $layer attr-dict `:` qualified(type($result))";
}

#endif // MOE_SYMBOL_OPS
