// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_BOUND_OPS
#define COMM_BOUND_OPS

include "comm/CommCollectiveOps.td"

def Comm_HostExtentOp : Comm_Op<"host_extent",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "the total of some offsets, known to the host";
  let description = [{
    The only operation that synchronises with the host, so that syncs can be
    counted in the IR.

    Semantics: `offsets[last]`. More than `bound` ends the program on all ranks
    with an error that names layer and rank.

    Lifespan: created by `moe-insert-all-to-all` for exact exchanges; lowered to
    the runtime.

    Constraints:
    - C1: `bound` is from 1 to 2147483647.

    Example:
    ```mlir
    %n = comm.host_extent %offsets bound(4096) : tensor<?xi32>
    ```
  }];
  let arguments = (ins Comm_Offsets:$offsets, I64Attr:$bound);
  let results = (outs Index:$result);
  let assemblyFormat = "$offsets `bound` `(` $bound `)` attr-dict `:` type($offsets)";
  let hasVerifier = 1;
}

def Comm_CheckBoundOp : Comm_Op<"check_bound", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "ends the program when counts exceed a bound";
  let description = [{
    Guards a bounded exchange without telling the host anything.

    Semantics: returns the counts where their sum is at most `bound`; otherwise
    ends the program on all ranks with an error that names layer and rank, and
    returns zeros, so that what still runs stays inside its buffers.

    Lifespan: created by `moe-insert-all-to-all` for bounded exchanges; lowered
    to the runtime.

    Constraints:
    - C1: `bound` is from 1 to 2147483647.

    Example:
    ```mlir
    %c = comm.check_bound %counts bound(4096) : (tensor<4x2xi32>) -> tensor<4x2xi32>
    ```
  }];
  let arguments = (ins Comm_Buffer:$counts, I64Attr:$bound);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = "$counts `bound` `(` $bound `)` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getCountsMutable(); }
  }];
}

def Comm_FaultWordsOp : Comm_Op<"fault_words",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "where a kernel reports what exceeds a bound";
  let description = [{
    Takes the place of a collective's host side where the host is not told what
    happens: a kernel writes the words, the runtime reads them later.

    Semantics: `words` are three words of the device: 0, or the number of the
    collective and one; the count; the bound. `number` is the collective's.

    Lifespan: created by `convert-moe-to-gpu` for `comm.check_bound`; lowered to
    the runtime.

    Constraints: none.

    Example:
    ```mlir
    %words, %number = comm.fault_words : memref<3xi64>, i64
    ```
  }];
  let results = (outs MemRefRankOf<[I64], [1]>:$words, I64:$number);
  let assemblyFormat = "attr-dict `:` type($words) `,` type($number)";
}

#endif // COMM_BOUND_OPS
