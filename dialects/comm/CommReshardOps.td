// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_RESHARD_OPS
#define COMM_RESHARD_OPS

include "comm/CommMeshOps.td"

def Comm_ReshardOp : Comm_Op<"reshard", [Pure, AllTypesMatch<["source", "result"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Comm_PartitionOpInterface>]> {
  let summary = "the same global value, spread differently";
  let description = [{
    Changes how a value is spread over the mesh, not what it is.

    Semantics: `result = source` as global tensors.

    Lifespan: created by `comm-insert-reshard` (or by the user); removed by
    `moe-partition`, which emits slices and collectives.

    Constraints:
    - C1: each sharding names as many dimensions as the value has.
    - C2: the mesh exists and has the axes, which do not overlap.

    Example:
    ```mlir
    %y = comm.reshard %x from <@mesh, [{"dp"}, {} ]> to <@mesh, [{"dp","ep"}, {} ]> : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, OptionalAttr<Comm_ShardingAttr>:$from,
                       Comm_ShardingAttr:$to);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source (`from` $from^)? `to` $to attr-dict `:` type($source)
  }];
}

def Comm_ReshardedOp : Comm_Op<"resharded", [NoMemoryEffect,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the record of a reshard that has become local";
  let description = [{
    Says which value of this rank was made from which by a `comm.reshard`, so
    that what was emitted for it can be compared with its plan (ReshardPlan).

    Semantics: none; `source` and `value` are this rank's parts of one global
    tensor of type `global`, spread as `from` (without: whole) and as `to`.
    Dynamic extents of `global` are `tokens`.

    Lifespan: created by `moe-partition`; read by `moe-verify-communication`;
    the next canonicalization removes it, since it has neither results nor
    effects.

    Constraints:
    - C1: each sharding names as many dimensions as `global` has.
    - C2: the mesh exists and has the axes, which do not overlap.
    - C3: `source` and `value` are parts of `global`: as many dimensions, the
      same element type.

    Example:
    ```mlir
    comm.resharded %part as %whole from <@mesh, [{"ep"}, {} ]> to <@mesh, [{}, {} ]>
        of tensor<?x64xf32> for %tokens tokens : (tensor<?x64xf32>, tensor<?x64xf32>, index) -> ()
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$value, Index:$tokens,
                       OptionalAttr<Comm_ShardingAttr>:$from, Comm_ShardingAttr:$to,
                       TypeAttrOf<AnyRankedTensor>:$global);
  let assemblyFormat = [{
    $source `as` $value (`from` $from^)? `to` $to `of` $global `for` $tokens `tokens`
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // COMM_RESHARD_OPS
