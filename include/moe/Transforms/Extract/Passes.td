// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_EXTRACT_PASSES
#define MOE_EXTRACT_PASSES

include "mlir/Pass/PassBase.td"

def ExtractLayerPass : Pass<"moe-extract-layer", "ModuleOp"> {
  let summary = "Keep one MoE layer of a model, as a function of its own";
  let description = [{
    Purpose: run the MoE block of one layer without the rest of the model.

    Before: a public function with `moe.role = "model"` whose calls with
    `moe.layer` lead, through any number of functions, to one call of a function
    with the role `moe_block` (or `dense_block`).
    After: the public function `@layer`, with the role `layer`, makes the
    handles that the block of that layer gets and calls the block. What it does
    not need is gone; meshes and the topology stay. On a planned module the
    tokens keep the sharding that the model's first argument and result have.

    ```mlir
    func.func @model(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "model"} {
      %w1 = moe.use_weight @layers.1.up : !moe.weights<8x64x64xf32>
      …
      %x2 = call @decoder_layer(%x1, %n1, %w1, %p1) {moe.layer = 1 : i64} : …
    ```
    becomes
    ```mlir
    func.func @layer(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.layer = 1 : i64, moe.role = "layer"} {
      %w1 = moe.use_weight @layers.1.up : !moe.weights<8x64x64xf32>
      %p1 = moe.use_placement layer 1 : !moe.placement_ref<8 experts>
      %y = call @moe_block(%x, %w1, %p1) {moe.layer = 1 : i64} : …
      return %y : tensor<?x64xf32>
    }
    ```

    Left to later passes: everything else.
  }];
  let options = [
    Option<"layer", "layer", "std::string", /*default=*/"",
           "The model's number of the layer (3), or its name (encoder.1); "
           "without it, the first MoE layer">
  ];
  let dependentDialects = ["func::FuncDialect"];
}

def ExposeRoutingPass : Pass<"moe-expose-routing", "ModuleOp"> {
  let summary = "Return the routing beside the output";
  let description = [{
    Purpose: who runs a program wants to see which experts its tokens went to.

    Before: layers of experts, each reached once on its way through the calls from
    a function that nobody calls: not inside loops or conditions.
    After: every function on these ways returns `expert` and `weight` of each
    `moe.experts` that it leads to after its other results, in the order in which
    the layers run; those of the outermost functions carry `moe.routing =
    "expert"` and `"weight"` and, on a planned module, the sharding of the first
    result's tokens.

    ```mlir
    func.func @two_layers(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
    ```
    becomes
    ```mlir
    func.func @two_layers(%x: tensor<?x64xf32>) -> (tensor<?x64xf32>,
        tensor<?x2xi32> {moe.routing = "expert"}, tensor<?x2xf32> {moe.routing = "weight"},
        tensor<?x4xi32> {moe.routing = "expert"}, tensor<?x4xf32> {moe.routing = "weight"}) {
    ```

    Left to later passes: everything else.
  }];
  let dependentDialects = ["func::FuncDialect"];
}

def InjectRoutingPass : Pass<"moe-inject-routing", "ModuleOp"> {
  let summary = "Take the routing as an argument instead of computing it";
  let description = [{
    Purpose: compare experts given the routing, whatever the router's last bit.

    Before: one `moe.experts`, reached from a public function by calls of which
    each function has one.
    After: `expert` and `weight` of the `moe.experts` come from two more
    arguments of the public function, marked `moe.routing` and sharded as the
    first argument's tokens; operations that only computed them are gone.

    ```mlir
    %y = moe.experts %x routed by %e weighted by %w … (computed from %x)
    ```
    becomes
    ```mlir
    func.func @layer(%x: tensor<?x64xf32>, %e: tensor<?x2xi32> {moe.routing = "expert"},
        %w: tensor<?x2xf32> {moe.routing = "weight"}) -> tensor<?x64xf32> {
    ```

    Left to later passes: handles that nobody reads any more.
  }];
  let dependentDialects = ["func::FuncDialect"];
}

def DiscardPlanPass : Pass<"moe-discard-plan", "ModuleOp"> {
  let summary = "Forget every decision of the planning pipeline";
  let description = [{
    Purpose: plan a planned module again, for another mesh.

    Before: a model or a layer, planned or not.
    After: no topology, mesh, placement or exchange; no sharding on arguments,
    results, operations or handles; `moe.experts` without axes. What was
    written by hand goes, too.

    Example: `%p = moe.use_placement @p3 layer 3` becomes
    `%p = moe.use_placement layer 3`.

    Left to later passes: planning.
  }];
  let dependentDialects = ["func::FuncDialect"];
}

#endif // MOE_EXTRACT_PASSES
