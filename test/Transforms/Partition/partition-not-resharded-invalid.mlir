// RUN: moe-opt %s --split-input-file --verify-diagnostics --moe-partition
//
// A program that comm-propagate-sharding and comm-insert-reshard have not seen.

comm.mesh @mesh <["ep"=4]>
func.func private @callee(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  return %x : tensor<?x3xf32>
}
func.func @operand_of_call(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<?x3xf32> {
  // expected-error@+1 {{expected 'func.call' on a value spread as #comm.sharding<@mesh, [{}, {}]>, but got #comm.sharding<@mesh, [{"ep"}, {}]>; run comm-propagate-sharding and comm-insert-reshard before}}
  %0 = call @callee(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
// -----

comm.mesh @mesh <["ep"=4]>
func.func private @callee(%x: tensor<?x3xf32>) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %0 = comm.reshard %x from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]> {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]} : tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
func.func @result_of_call(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  // expected-error@+1 {{expected 'func.call' on a value spread as #comm.sharding<@mesh, [{"ep"}, {}]>, but got #comm.sharding<@mesh, [{}, {}]>}}
  %0 = call @callee(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
// -----

comm.mesh @mesh <["ep"=4]>
func.func @returned(%x: tensor<?x3xf32>) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  // expected-error@+1 {{expected 'func.return' on a value spread as #comm.sharding<@mesh, [{"ep"}, {}]>, but got #comm.sharding<@mesh, [{}, {}]>}}
  return %x : tensor<?x3xf32>
}
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @operands_differ(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %y: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) -> tensor<?x3xf32> {
  // expected-error@+1 {{expected 'linalg.add' on a value spread as #comm.sharding<@mesh, [{"ep"}, {}]>, but got #comm.sharding<@mesh, [{"dp"}, {}]>}}
  %0 = linalg.add ins(%x, %y : tensor<?x3xf32>, tensor<?x3xf32>) outs(%x : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
// -----

// A sum has one order.
comm.mesh @mesh <["etp"=4]>
func.func @summed_dimension_split(%h: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {"etp"}]>}, %w: tensor<12x5xf32>, %o: tensor<?x5xf32>) -> tensor<?x5xf32> {
  // expected-error@+1 {{expected 'linalg.matmul' on a value spread as #comm.sharding<@mesh, [{}, {}]>, but got #comm.sharding<@mesh, [{}, {"etp"}]>}}
  %0 = linalg.matmul ins(%h, %w : tensor<?x12xf32>, tensor<12x5xf32>) outs(%o : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @reshard_of_other_source(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  // expected-error@+1 {{expected 'comm.reshard' on a value spread as #comm.sharding<@mesh, [{}, {}]>, but got #comm.sharding<@mesh, [{"dp"}, {}]>}}
  %0 = comm.reshard %x to <@mesh, [{"ep"}, {}]> : tensor<?x3xf32>
  return
}
// -----

comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1, 2, 3], [4, 5, 6, 7]]
func.func @tokens_whole(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  // expected-error@+1 {{expected 'moe.experts' to be split over #comm.axes<{"ep"}>, but got #comm.axes<{}>; run comm-propagate-sharding and comm-insert-reshard before}}
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<8 experts>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x6xf32>
  }
  return
}
// -----

comm.mesh @mesh <["ep"=4]>
comm.mesh @other <["ep"=8]>
func.func @other_mesh(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@other, [{"ep"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@other, [{"ep"}, {}]>}) {
  // expected-error@+1 {{expected shardings over mesh 'mesh', but got #comm.sharding<@other, [{"ep"}, {}]>}}
  return %x : tensor<?x3xf32>
}
// -----

// expected-error@+1 {{expected a comm.mesh before partitioning; run the planning passes}}
module {}
// -----

comm.mesh @mesh <["ep"=4]>
func.func private @by_granules(tensor<24x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<24x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) attributes {comm.sharding_granules = array<i64: 4>, comm.sharding_rule = [[0, -1], [0, -1]]}
func.func @split_granules(%x: tensor<24x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<24x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  // expected-error@+1 {{expected 'func.call' on whole granules of 4, but got a split over #comm.axes<{"ep"}>; run comm-propagate-sharding and comm-insert-reshard before}}
  %0 = call @by_granules(%x) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]} : (tensor<24x3xf32>) -> tensor<24x3xf32>
  return %0 : tensor<24x3xf32>
}
