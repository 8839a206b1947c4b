// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_COLLECTIVE_OPS
#define COMM_COLLECTIVE_OPS

include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "comm/CommMeshOps.td"

// What the runtime moves are bytes.
def Comm_Element : Type<CPred<"$_self.isIntOrFloat() && $_self.getIntOrFloatBitWidth() % 8 == 0">,
                        "integer or float of whole bytes">;
def Comm_Buffer : AnyTypeOf<[RankedTensorOf<[Comm_Element]>, MemRefOf<[Comm_Element]>]>;
def Comm_Offsets : AnyTypeOf<[1DTensorOf<[I32]>, MemRefRankOf<[I32], [1]>]>;

// A collective in destination style: on tensors it returns the destination, on
// buffers nothing.
class Comm_CollectiveOp<string mnemonic, list<Trait> traits = []>
    : Comm_Op<mnemonic, !listconcat([
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<SymbolUserOpInterface>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<Comm_CollectiveOpInterface>,
        DeclareOpInterfaceMethods<Comm_UniformityOpInterface>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestinationMutable(); }
  }];
  let hasVerifier = 1;
}

def Comm_AllToAllVOp : Comm_CollectiveOp<"all_to_all_v"> {
  let summary = "ragged rows from every rank to every rank";
  let description = [{
    Each rank sends part q of its source to rank q of the group.

    Semantics: with n ranks, on rank p, for each q:
    `destination[receive_offsets[q] + i] = source_of_q[send_offsets_of_q[p] + i]`.

    Lifespan: created by `moe-insert-all-to-all` and `moe-partition`; may be
    split by `moe-overlap-exchange`; lowered to the runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.
    - C3: static offsets have length n + 1.

    Example:
    ```mlir
    %r = comm.all_to_all_v %rows by %send into %space by %receive over {"ep"} of @mesh
        : (tensor<?x64xbf16>, tensor<?xi32>, tensor<?x64xbf16>, tensor<?xi32>) -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Comm_Buffer:$source, Comm_Offsets:$send_offsets,
                       Comm_Buffer:$destination, Comm_Offsets:$receive_offsets,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let assemblyFormat = [{
    $source `by` $send_offsets `into` $destination `by` $receive_offsets
    `over` custom<Axes>($axes) `of` $mesh attr-dict `:` functional-type(operands, results)
  }];
}

class Comm_EqualCollectiveOp<string mnemonic> : Comm_CollectiveOp<mnemonic> {
  let arguments = (ins Comm_Buffer:$source, Comm_Buffer:$destination,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let assemblyFormat = [{
    $source `into` $destination `over` custom<Axes>($axes) `of` $mesh attr-dict
    `:` functional-type(operands, results)
  }];
}

def Comm_AllToAllOp : Comm_EqualCollectiveOp<"all_to_all"> {
  let summary = "equal parts from every rank to every rank";
  let description = [{
    Semantics: dimension 0 of both is n equal parts; on rank p:
    `destination[q] = source_of_q[p]`.

    Lifespan: created by `moe-insert-all-to-all` (counts); lowered to the
    runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.
    - C3: a static dimension 0 is divisible by the group's size.

    Example:
    ```mlir
    %r = comm.all_to_all %counts into %space over {"ep"} of @mesh
        : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
    ```
  }];
}

def Comm_AllGatherOp : Comm_EqualCollectiveOp<"all_gather"> {
  let summary = "every rank's equal part on every rank";
  let description = [{
    Semantics: `destination[q] = source_of_q`, parts stacked along dimension 0.

    Lifespan: created by `moe-partition` for reshards; lowered to the runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.
    - C3: where both are static, dimension 0 of the destination is n times the
      source's.

    Example:
    ```mlir
    %r = comm.all_gather %part into %space over {"etp"} of @mesh
        : (tensor<1x?x32xf32>, tensor<2x?x32xf32>) -> tensor<2x?x32xf32>
    ```
  }];
}

def Comm_AllGatherVOp : Comm_CollectiveOp<"all_gather_v"> {
  let summary = "every rank's ragged part on every rank";
  let description = [{
    Semantics: `destination[offsets[q] + i] = source_of_q[i]` for
    `i < offsets[q + 1] - offsets[q]`.

    Lifespan: created by `moe-partition` for reshards of tokens and for counts;
    lowered to the runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.
    - C3: static offsets have length n + 1.

    Example:
    ```mlir
    %r = comm.all_gather_v %part into %space by %offsets over {"dp"} of @mesh
        : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Comm_Buffer:$source, Comm_Buffer:$destination, Comm_Offsets:$offsets,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let assemblyFormat = [{
    $source `into` $destination `by` $offsets
    `over` custom<Axes>($axes) `of` $mesh attr-dict `:` functional-type(operands, results)
  }];
}

class Comm_ReducingCollectiveOp<string mnemonic> : Comm_CollectiveOp<mnemonic> {
  let arguments = (ins Comm_ReductionKindAttr:$reduction, Comm_Buffer:$source,
                       Comm_Buffer:$destination,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let assemblyFormat = [{
    `` $reduction $source `into` $destination `over` custom<Axes>($axes) `of` $mesh attr-dict
    `:` functional-type(operands, results)
  }];
}

def Comm_ReduceScatterOp : Comm_ReducingCollectiveOp<"reduce_scatter"> {
  let summary = "the reduction of all ranks' parts, one part a rank";
  let description = [{
    Semantics: `destination = reduce over q, in rank order, of source_of_q[p]`,
    accumulated in f32 for floats and rounded once.

    Lifespan: created under `allow-reassociation` only; lowered to the runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.
    - C3: where both are static, dimension 0 of the source is n times the
      destination's.

    Example:
    ```mlir
    %r = comm.reduce_scatter sum %parts into %space over {"etp"} of @mesh
        : (tensor<8x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
    ```
  }];
}

def Comm_AllReduceOp : Comm_ReducingCollectiveOp<"all_reduce"> {
  let summary = "the reduction of all ranks' values on every rank";
  let description = [{
    Semantics: `destination = reduce over q, in rank order, of source_of_q`,
    accumulated in f32 for floats and rounded once.

    Lifespan: created under `allow-reassociation` only; lowered to the runtime.

    Constraints:
    - C1: source and destination have the same element type and row shape.
    - C2: the mesh exists and has the axes.

    Example:
    ```mlir
    %r = comm.all_reduce sum %x into %space over {"tp"} of @mesh
        : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
    ```
  }];
}

def Comm_BarrierOp : Comm_Op<"barrier", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "waits until every rank of the group is here";
  let description = [{
    Semantics: no rank of the group leaves before all have entered.

    Lifespan: written by the user; lowered to the runtime.

    Constraints:
    - C1: the mesh exists and has the axes.

    Example:
    ```mlir
    comm.barrier over {"ep"} of @mesh
    ```
  }];
  let arguments = (ins Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let assemblyFormat = "`over` custom<Axes>($axes) `of` $mesh attr-dict";
}

#endif // COMM_COLLECTIVE_OPS
