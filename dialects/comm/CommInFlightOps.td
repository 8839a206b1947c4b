// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_IN_FLIGHT_OPS
#define COMM_IN_FLIGHT_OPS

include "comm/CommCollectiveOps.td"

def Comm_StartOp : Comm_Op<"start", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<Comm_CollectiveOpInterface>,
    DeclareOpInterfaceMethods<Comm_UniformityOpInterface>]> {
  let summary = "begins a collective";
  let description = [{
    Begins the collective `kind`; its data may move from now until the wait.

    Semantics: as the collective. The ticket must be waited for exactly once on
    every path, and the returned destination is used by that `comm.wait` only:
    `comm-verify-in-flight` checks both. `offsets` are those of the
    collective, in order.

    Lifespan: created by `moe-overlap-exchange`; lowered to the runtime.

    Constraints:
    - C1: the mesh exists and has the axes.
    - C2: the kind has as many offsets: all_to_all_v 2, all_gather_v 1, others 0.
    - C3: a reduction is given exactly with reduce_scatter and all_reduce.

    Example:
    ```mlir
    %d, %t = comm.start all_to_all_v %rows by %send, %receive into %space over {"ep"} of @mesh
        : (tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>) -> (tensor<?x64xf32>, !comm.pending)
    %r = comm.wait %t reads %rows, %send, %receive into %d
        : (!comm.pending, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Comm_CollectiveKindAttr:$kind, Comm_Buffer:$source,
                       Variadic<Comm_Offsets>:$offsets, Comm_Buffer:$destination,
                       OptionalAttr<Comm_ReductionKindAttr>:$reduction,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let results = (outs Variadic<AnyRankedTensor>:$results, Comm_PendingType:$pending);
  let assemblyFormat = [{
    `` $kind (`with` `` $reduction^)? $source (`by` $offsets^)? `into` $destination
    `over` custom<Axes>($axes) `of` $mesh attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Comm_WaitOp : Comm_Op<"wait", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<Comm_UniformityOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "completes a collective";
  let description = [{
    Holds what is in flight as read operands, so that no pass writes to it
    between start and wait.

    Semantics: returns the destination, now filled.

    Lifespan: created by `moe-overlap-exchange`; lowered to the runtime.

    Constraints:
    - C1: the ticket, the reads and the destination are those of one
      `comm.start` (where branches or loops carry the ticket,
      `comm-verify-in-flight` checks it).

    Example: see `comm.start`.
  }];
  let arguments = (ins Comm_PendingType:$pending, Variadic<Comm_Buffer>:$reads,
                       Comm_Buffer:$destination);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $pending (`reads` $reads^)? `into` $destination attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestinationMutable(); }
  }];
}

#endif // COMM_IN_FLIGHT_OPS
