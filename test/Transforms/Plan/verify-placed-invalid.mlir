// RUN: moe-opt %s --split-input-file --moe-verify-placed --verify-diagnostics -o /dev/null

// C1
// expected-error @below {{expected a comm.mesh; run moe-choose-mesh-mapping}}
module {}

// -----

// C2
comm.mesh @mesh <["ep"=2]>
func.func @experts_without_axes(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected axes of mesh @mesh; run moe-choose-mesh-mapping}}
  %y = moe.experts %x routed by %expert weighted by %weight : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=2]>
func.func @experts_without_exchange(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected an exchange; run moe-choose-exchange}}
  %y = moe.experts %x routed by %expert weighted by %weight over {"ep"} of @mesh : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C4
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
func.func @experts_without_placement(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected 'placed by' a moe.use_placement}}
  %y = moe.experts %x routed by %expert weighted by %weight over {"ep"} of @mesh exchange @x0 : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C4
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
func.func @layer_without_placement(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected a placement for layer 7; run moe-choose-placement}}
  %p = moe.use_placement layer 7 : !moe.placement_ref<5 experts>
  // expected-note @below {{used here}}
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C5
comm.mesh @mesh <["ep"=2, "dp"=2]>
moe.exchange @x0 flat_exact bound 30
// expected-error @below {{expected a placement over the axes of the experts of layer 0, #comm.axes<{"ep"}>, but got #comm.axes<{"dp"}>}}
moe.placement @p experts 5 over {"dp"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @placement_over_other_axes(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  // expected-note @below {{the experts are here}}
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C6
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
moe.weight @w "experts.{e}.weight" : !moe.weights<6x8x8xf32>
// expected-note @below {{the placement is here}}
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @weights_of_more_experts(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected weights of 5 experts, but got 6}}
  %w = moe.use_weight @w placed by @p : !moe.weights<6x8x8xf32>
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<6x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
    moe.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C7
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
moe.weight @w "experts.{e}.weight" : !moe.weights<5x8x8xf32>
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @weights_placed_nowhere(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  // expected-error @below {{expected weights placed by @p as the experts of layer 0}}
  %w = moe.use_weight @w : !moe.weights<5x8x8xf32>
  // expected-note @below {{their placement is here}}
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<5x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
    moe.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// C8
comm.mesh @mesh <["ep"=2]>
// expected-error @below {{expected 'comm.sharding' over mesh @mesh on result 0 of 'result_without_sharding', which counts tokens}}
func.func @result_without_sharding(%x: tensor<40x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<40x8xf32> {
  return %x : tensor<40x8xf32>
}
