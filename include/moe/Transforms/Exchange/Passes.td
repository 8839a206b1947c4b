// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TRANSFORMS_EXCHANGE_PASSES
#define MOE_TRANSFORMS_EXCHANGE_PASSES

include "mlir/Pass/PassBase.td"

def InsertAllToAllPass : Pass<"moe-insert-all-to-all", "::mlir::ModuleOp"> {
  let summary = "Turn dispatch and combine into permutations and collectives";
  let description = [{
    Purpose: lower `moe.dispatch_layout`, `moe.dispatch` and `moe.combine` by
    walking the phases of the ExchangePlan, one emitter a phase.

    Before: a partitioned module.

    After: no `moe.layout` value is left; `comm` collectives, `moe.assign_slots`,
    `moe.permute_rows` and their like instead, with `moe.phase` marks for the
    runtime's clock, and `moe.enter_layer` before each call of a numbered layer.
    A program that was written as a local one gets `moe.layers`, too.
    Exact exchanges have one `comm.host_extent` a layer, bounded ones none.

    Before and after:
    ```mlir
    %rows, %offsets = moe.dispatch %x by %l : …
    ```
    becomes
    ```mlir
    %sent = moe.spread_rows %x to %position : …
    %arrived = comm.all_to_all_v %sent by %send into %space by %receive over {"ep"} of @mesh : …
    %rows = moe.permute_rows %arrived to %q up_to %offsets : …
    ```

    Leaves to later passes: splitting collectives into start and wait
    (`moe-overlap-exchange`).
  }];
  let dependentDialects = ["::mlir::comm::CommDialect", "::mlir::moe::MoEDialect",
    "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def OverlapExchangePass : Pass<"moe-overlap-exchange", "::mlir::ModuleOp"> {
  let summary = "Split exchanges into start and wait, and work while rows travel";
  let description = [{
    Purpose: split each `comm.all_to_all_v` into `comm.start` and `comm.wait`,
    and move work that does not depend on it between them.

    Before: a communicating module.

    After: the wait stands right before the first use of what arrives; what
    follows the exchange in its block and does not need it, such as the shared
    expert, stands between start and wait. An exchange with nothing to move
    stays whole.

    Before and after:
    ```mlir
    %r = comm.all_to_all_v %a by %s into %d by %o over {"ep"} of @mesh : …
    %shared = linalg.matmul …
    ```
    becomes
    ```mlir
    %f, %t = comm.start all_to_all_v %a by %s, %o into %d over {"ep"} of @mesh : …
    %shared = linalg.matmul …
    %r = comm.wait %t reads %a, %s, %o into %f : …
    ```

    Leaves to later passes: where the data moves in between (the transport).
  }];
  let dependentDialects = ["::mlir::comm::CommDialect", "::mlir::moe::MoEDialect"];
}

def VerifyUniformPass : Pass<"comm-verify-uniform", "::mlir::ModuleOp"> {
  let summary = "Check that ranks come to their collectives together";
  let description = [{
    Purpose: exclude the programs of several ranks that hang or mix up data
    because ranks do different things. Whatever decides whether and how often a
    collective runs must be *uniform* over its group: equal on ranks that differ
    only in coordinates on the group's axes. What varies is followed through
    functions, calls, branches and loops of any dialect, from `comm.rank` and
    its like, from placed and sharded weights, from arguments as their
    `comm.varies_over` or `comm.sharding` says, and through exchanges; gathers
    and reductions make values equal again. A buffer holds all that is ever
    written to it by any of its names, and what decides whether it is written.
    See docs/Rationale/Uniformity.md.

    Before and after: a communicating module with one mesh, on tensors or on
    buffers. The pass changes nothing.

    Constraints:
    - C1: no branch, loop or call around a collective, a barrier or a
      `comm.wait` is decided by a value that varies within its group.
    - C2: these operations are in functions, branches and loops only, and not in
      parallel ones, so that all ranks have them in one order; and a function
      that has them, or calls one, is called by its name only.
    - C3: what collectives of equal parts send and receive has equal extents
      within the group, and the offsets of a `comm.all_gather_v` are equal.
    - C4: on tensors, a function's result varies over its `comm.varies_over` at
      most, and nothing goes into it that was never written.
    - C5: what is in flight keeps C1 to C5 of `comm-verify-in-flight`.
    - C6: on tensors, what is cut at `comm.local_offset` is equal on all ranks
      over its axes.

    Example: refused (C1), since only some ranks would take part:
    ```mlir
    %r = comm.rank over {"ep"} of @mesh
    %first = arith.cmpi eq, %r, %c0 : index
    scf.if %first {
      %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : …
    }
    ```

    Left to others: that the exchanges are those that were planned
    (`moe-verify-communication`).
  }];
}

def VerifyInFlightPass : Pass<"comm-verify-in-flight", "::mlir::ModuleOp"> {
  let summary = "Check that each start has its wait, and nothing comes between";
  let description = [{
    Purpose: exclude the programs that wait twice or never for what they have
    started, and those that change or read what is in flight. Tickets are
    followed along every edge of control flow, through branches and loops of any
    dialect. On buffers, what two names have in common is found through views,
    casts, branches, loops and calls: by allocations, by the arguments of
    functions, which are taken to be buffers of their own (C6), and by the names
    of globals, by which functions reach what they are not given.

    Before and after: a local program, on tensors or, as bufferization and
    deallocation leave it, on buffers. The pass changes nothing.

    Constraints:
    - C1: on every path that control can take from a `comm.start`, there is
      exactly one `comm.wait` for its ticket.
    - C2: the wait reads the source and the offsets of the start and has its
      destination, by whatever name they are carried.
    - C3: on tensors, the destination, from its start on, is used by that wait
      only, or carried together with its ticket.
    - C4: a ticket stays in its function; nothing but waits, branches and loops
      uses it.
    - C5: on buffers, nothing between start and wait writes or frees what the
      start reads, or touches its destination; and no collective's destination
      overlaps with what it reads.
    - C6: a function that has something in flight, or calls one that has, is
      called with buffers of which none that it writes overlaps with another, or
      with a global that it reaches.

    Example: refused (C5), since the source may change before it has left:
    ```mlir
    %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
    %part = memref.subview %x[4, 0] [4, 3] [1, 1] : …
    linalg.fill ins(%zero : f32) outs(%part : …)
    comm.wait %t reads %x into %y : …
    ```

    Left to others: that all ranks start and wait together
    (`comm-verify-uniform`).
  }];
}

def PrintUniformityPass : Pass<"comm-print-uniformity", "::mlir::ModuleOp"> {
  let summary = "Print over which axes each value differs between ranks";
  let description = [{
    Purpose: show what `comm-verify-uniform` decides by: for each argument and
    result the axes that it depends on at most, and those of its extents where
    they are dynamic.

    Before and after: a local program with one mesh. The pass changes nothing.

    Example:
    ```
    @layer
      %arg0 varies over {"ep"}, extents over {"ep"}
      %0 varies over {"ep"} (comm.rank)
      %1 is uniform (comm.all_reduce)
    ```

    Left to others: what follows from it (`comm-verify-uniform`).
  }];
  let options = [
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "File to write, or - for standard output, where the module is then "
           "not printed">
  ];
}

def VerifyCommunicationPass : Pass<"moe-verify-communication", "::mlir::ModuleOp"> {
  let summary = "Check that what was emitted is what was planned";
  let description = [{
    Purpose: find again, in the emitted operations, each layer's exchange as its
    ExchangePlan has it: phase by phase, over the axes of the placement, with
    the counts, types and bounds that the plan says; each change of sharding as
    its ReshardPlan has it, step by step; and nothing besides. Then follow each
    entry along all its paths: what it does for the layers of the model is what
    its `moe.layers` records, in that order.

    Before and after: a communicating module, as `moe-insert-all-to-all` and
    `moe-overlap-exchange` leave it; canonicalized, it lacks the records of
    reshards (`comm.resharded`). `moe-partition` writes `moe.layers` before it
    changes anything, `moe-insert-all-to-all` where there is none. The pass
    changes nothing.

    Constraints:
    - C1: there is no `moe.dispatch_layout`, `moe.dispatch` or `moe.combine`.
    - C2: a `moe.assign_slots` names its `moe.exchange`, and its placements are
      known and over the same axes.
    - C3: counts of each rank and slot are exchanged once, over the axes of the
      placement, and checked against the bound; the host is asked for their sum
      once or never, as the form of the exchange says.
    - C4: rows that are spread travel once, over these axes, by the offsets of
      what is sent and received, into space for what arrives, and are brought
      into slot order.
    - C5: rows that are summed were taken from slot order and have travelled back
      the same way.
    - C6: there are no other extents and bounds, and offsets serve nothing else.
    - C7: the value of a `comm.resharded` is made from its source by the steps of
      its ReshardPlan, in their order, each over the axes of its dimension and
      into space of its own for all that comes, by the offsets of all rows.
    - C8: the counts of all ranks that `moe.limit_capacity` takes are over the
      axes of its rank and its first token.
    - C9: there are no other collectives.
    - C10: weights that rows meet in slot order are placed as these rows are, on
      every way through the calls.

    Example: refused (C4), since the counts were exchanged over another group:
    ```mlir
    %r = comm.all_to_all_v %rows by %send into %space by %receive over {"dp"} of @mesh : …
    ```

    Left to others: that the ranks come to the collectives together
    (`comm-verify-uniform`).
  }];
}

#endif // MOE_TRANSFORMS_EXCHANGE_PASSES
