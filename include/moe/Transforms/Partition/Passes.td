// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TRANSFORMS_PARTITION_PASSES
#define MOE_TRANSFORMS_PARTITION_PASSES

include "mlir/Pass/PassBase.td"

def PropagateShardingPass : Pass<"comm-propagate-sharding", "::mlir::ModuleOp"> {
  let summary = "Decide how every value is spread over the mesh";
  let description = [{
    Purpose: from the shardings that are written on function arguments and
    results and on operations, find one for every other value.

    Before: a planned module. Every operation on tensors has a sharding rule;
    one without is an error that names it.

    After: every value whose part is not the whole carries its sharding, as
    `comm.result_shardings` on its operation, `comm.argument_shardings` on the
    operation whose block argument it is, `comm.sharding` on its function.

    How: a fixpoint, forward and backward, through calls and into regions.
    Dimensions stay undecided until something decides them, so that fills and
    temporaries follow their consumers. What is written wins a conflict; then
    the first operand that is decided. What is still undecided is whole.

    Before and after, for `%0 = tensor.empty(%n) : tensor<?x64xf32>` whose user
    splits its rows over "ep":
    ```mlir
    %0 = tensor.empty(%n) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {} ]>]} : tensor<?x64xf32>
    ```

    Leaves to later passes: conflicts, which `comm-insert-reshard` makes
    explicit.
  }];
}

def InsertReshardPass : Pass<"comm-insert-reshard", "::mlir::ModuleOp"> {
  let summary = "Make every change of sharding an operation";
  let description = [{
    Purpose: where an operation needs a value spread differently than it is,
    insert `comm.reshard`.

    Before: `comm-propagate-sharding` has run.

    After: every operation's operands and results agree with its sharding rule.

    Before and after, for a matrix product whose rows arrive split by columns:
    ```mlir
    %h1 = comm.reshard %h from <@mesh, [{}, {"etp"} ]> to <@mesh, [{}, {} ]> : tensor<?x32xf32>
    ```

    Leaves to later passes: how a reshard communicates (`moe-partition`).
  }];
  let dependentDialects = ["::mlir::comm::CommDialect"];
}

def PartitionPass : Pass<"moe-partition", "::mlir::ModuleOp"> {
  let summary = "Turn the global program into the program of every rank";
  let description = [{
    Purpose: one program for all ranks, on local shapes.

    Before: `comm-insert-reshard` has run; every `moe.experts` has axes,
    placement and exchange.

    After: no shardings and no `comm.reshard`; `moe.experts` has become
    `moe.dispatch_layout`, `moe.dispatch`, its body and `moe.combine`. Functions
    take `%tokens : index`, the global token count, and one destination for each
    result, after their own arguments. Extents are static where the mesh divides
    them, dynamic elsewhere, never padded. A function that nobody calls has
    `moe.layers`: what it did for each layer of the model before.

    Before and after:
    ```mlir
    func.func @f(%x: tensor<?x64xf32>) -> tensor<?x64xf32>
    func.func @f(%x: tensor<?x64xf32>, %tokens: index, %out: tensor<?x64xf32>) -> tensor<?x64xf32>
    ```

    Leaves to later passes: how rows travel (`moe-insert-all-to-all`).
  }];
  let dependentDialects = ["::mlir::comm::CommDialect", "::mlir::moe::MoEDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def ExpandExpertsPass : Pass<"moe-expand-experts", "::mlir::ModuleOp"> {
  let summary = "Write experts as loops on one device, without dispatch";
  let description = [{
    Purpose: the meaning of `moe.experts` by another road, as an oracle: no
    layout, no permutation, no exchange.

    Before: a model-level or planned module.

    After: every `moe.experts` is a loop over experts that gathers the rows of
    one expert, runs the body on them and puts the results at (token, choice),
    then an ordered weighted sum. Functions have the signature that
    `moe-partition` gives them.

    Before and after: see `moe.experts` for the semantics.

    Leaves to later passes: bufferization and code generation.
  }];
  let dependentDialects = ["::mlir::comm::CommDialect", "::mlir::moe::MoEDialect",
    "::mlir::scf::SCFDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

#endif // MOE_TRANSFORMS_PARTITION_PASSES
