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
    runtime's clock. Exact exchanges have one `comm.host_extent` a layer, bounded
    ones none.

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

#endif // MOE_TRANSFORMS_EXCHANGE_PASSES
