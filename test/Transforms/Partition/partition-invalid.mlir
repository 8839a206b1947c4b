// RUN: moe-opt %s --split-input-file --verify-diagnostics --comm-propagate-sharding --comm-insert-reshard --moe-partition

comm.mesh @mesh <["ep"=4]>
func.func @capacity_by_score(%e: tensor<?x2xi32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %s: tensor<?xf32>) -> tensor<?x2xi32> {
  // expected-error @below {{cannot partition order best_score: it needs the priorities of all ranks' tokens}}
  %k = moe.limit_capacity %e priority %s group <all> capacity <count = 3> order best_score experts 8 : (tensor<?x2xi32>, tensor<?xf32>) -> tensor<?x2xi32>
  return %k : tensor<?x2xi32>
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @inner_indivisible(%x: tensor<?x6xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) -> (tensor<?x6xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {"ep"}]>}) {
  // expected-error @below {{expected dimension 1 of 'tensor<?x6xf32>' to be divisible into 4 parts}}
  return %x : tensor<?x6xf32>
}

// -----

comm.mesh @mesh <["ep"=4]>
moe.weight @w "w" : tensor<6x16xf32>
func.func @weight_indivisible() -> tensor<6x16xf32> {
  // expected-error @below {{expected weights that its sharding divides, but got 'tensor<6x16xf32>' over #comm.sharding<@mesh, [{"ep"}, {}]>}}
  %w = moe.use_weight @w {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]} : tensor<6x16xf32>
  return %w : tensor<6x16xf32>
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @global_index(%x: tensor<?x3xindex> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<?x3xindex> {
  // expected-error @below {{cannot partition 'linalg.generic': its body reads global indices}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%x : tensor<?x3xindex>) {
  ^bb0(%a: index):
    %i = linalg.index 0 : index
    linalg.yield %i : index
  } -> tensor<?x3xindex>
  return %0 : tensor<?x3xindex>
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @constant_of_many_values() -> (tensor<4xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}) {
  // expected-error @below {{cannot partition a constant tensor that is not one value of a static part}}
  %0 = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @extent_of_any_dimension(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %i: index) -> index {
  // expected-error @below {{cannot partition tensor.dim of an index that is not constant}}
  %0 = tensor.dim %x, %i : tensor<?x3xf32>
  return %0 : index
}

// -----

comm.mesh @mesh <["ep"=4]>
// expected-error @below {{cannot partition a function of several blocks}}
func.func @several_blocks() {
  cf.br ^bb1
^bb1:
  return
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @not_planned(%x: tensor<?x3xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) -> tensor<?x3xf32> {
  // expected-error @below {{expected axes, placement and exchange before partitioning; run the planning passes}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<?x3xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x3xf32> {
  ^bb0(%rows: tensor<?x3xf32>, %o: tensor<?xi32>):
    moe.yield %rows : tensor<?x3xf32>
  }
  return %y : tensor<?x3xf32>
}

// -----

comm.mesh @mesh <["ep"=4]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4, 5], [6, 7]]
func.func @weights_on_input(%x: tensor<?x3xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  // expected-error @below {{cannot lower weights that are applied to the input}}
  %y = moe.experts %x routed by %e weighted by %w placed by %p over {"ep"} of @mesh exchange @x0 weighted input : (tensor<?x3xf32>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<8 experts>) -> tensor<?x3xf32> {
  ^bb0(%rows: tensor<?x3xf32>, %o: tensor<?xi32>):
    moe.yield %rows : tensor<?x3xf32>
  }
  return %y : tensor<?x3xf32>
}
