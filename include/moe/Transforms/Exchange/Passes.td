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

def VerifyCommunicationPass : Pass<"moe-verify-communication", "::mlir::ModuleOp"> {
  let summary = "Check what is in flight on every path";
  let description = [{
    Purpose: what a collective that is split into `comm.start` and `comm.wait`
    needs and no operation can check by itself. A ticket may be carried by
    branches and loops of any dialect (`scf.for`, `scf.while`, `scf.if`,
    `cf.br` …), as operand, block argument or result.

    Before and after: a communicating module, on tensors. The pass changes
    nothing.

    Constraints:
    - C1: there is no `moe.dispatch_layout`, `moe.dispatch` or `moe.combine`.
    - C2: on every path that control can take from a `comm.start`, there is
      exactly one `comm.wait` for its ticket.
    - C3: the wait reads the source and the offsets of the start and has its
      destination, by whatever name they are carried.
    - C4: the destination, from its start on, is used by that wait only, or
      carried together with its ticket.
    - C5: a ticket stays in its function; nothing but waits, branches and loops
      uses it.

    Example: a wait in one branch only is refused (C2):
    ```mlir
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : …
    scf.if %c {
      %r = comm.wait %t reads %x into %d : …
    }
    ```

    Left to others: that what is sent is what was planned, which the counters
    of a run show (`moe-run --stats`).
  }];
}

#endif // MOE_TRANSFORMS_EXCHANGE_PASSES
