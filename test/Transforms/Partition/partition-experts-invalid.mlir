// RUN: moe-opt %s --split-input-file --verify-diagnostics --comm-propagate-sharding --comm-insert-reshard --moe-partition

comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1, 2, 3], [4, 5, 6, 7]]
func.func @columns_over_token_axis(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>, %w: !moe.weights<8x12x14xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}, {"ep"}]>}) -> (tensor<?x14xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    // expected-error @below {{expected matrices that are split by columns, over other axes than tokens and experts, but got #comm.sharding<@mesh, [{}, {}, {"ep"}]>}}
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x12xf32>, !moe.weights<8x12x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// -----

comm.mesh @mesh <["ep"=2, "etp"=4]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1, 2, 3], [4, 5, 6, 7]]
func.func @slots_split(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>, %w: !moe.weights<8x12x14xf32> {comm.sharding = #comm.sharding<@mesh, [{"etp"}, {}, {}]>}) -> tensor<?x14xf32> {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    // expected-error @below {{expected matrices that are split by columns, over other axes than tokens and experts, but got #comm.sharding<@mesh, [{"etp"}, {}, {}]>}}
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x12xf32>, !moe.weights<8x12x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// -----

// Rows of the matrix over an axis of their own, or over that of the experts.
comm.mesh @mesh <["ep"=2, "etp"=4]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1, 2, 3], [4, 5, 6, 7]]
moe.weight @w "experts.{e}.weight" : !moe.weights<8x12x14xf32>
func.func @inner_split(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>) -> tensor<?x14xf32> {
  // expected-error @below {{cannot split K (dimension 1) of '!moe.weights<8x12x14xf32>' over #comm.axes<{"etp"}>: each rank would sum a part of K, and adding these sums changes the result's bits; split the columns (dimension 2) instead}}
  %w = moe.use_weight @w placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {"etp"}, {}]>]} : !moe.weights<8x12x14xf32>
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x12xf32>, !moe.weights<8x12x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// -----

// The block's function comes first; the error is where the weight is.
comm.mesh @mesh <["ep"=2, "etp"=4]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1, 2, 3], [4, 5, 6, 7]]
moe.weight @w "experts.{e}.weight" : !moe.weights<8x12x14xf32>
func.func private @block(%x: tensor<?x12xf32>, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>, %w: !moe.weights<8x12x14xf32>, %p: !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x12xf32>, !moe.weights<8x12x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}
func.func @inner_split_over_experts(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>) -> tensor<?x14xf32> {
  // expected-error @below {{cannot split K (dimension 1) of '!moe.weights<8x12x14xf32>' over #comm.axes<{"ep"}>}}
  %w = moe.use_weight @w placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {"ep"}, {}]>]} : !moe.weights<8x12x14xf32>
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %y = call @block(%x, %e, %v, %w, %p) : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.weights<8x12x14xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32>
  return %y : tensor<?x14xf32>
}
