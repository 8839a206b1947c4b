// RUN: moe-opt %s --comm-propagate-sharding | FileCheck %s

comm.mesh @mesh <["ep"=4, "etp"=2]>
moe.exchange @x0 flat_exact bound 64
moe.weight @up "up.{e}" : !moe.weights<8x12x10xf32>
moe.weight @down "down.{e}" : !moe.weights<8x10x14xf32>
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4, 5], [6, 7]]

// Routing is split by token; inside the experts' region rows are whole and
// columns follow the weights.
// CHECK-LABEL: @experts(
func.func @experts(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %z: tensor<?x8xf32>) -> tensor<?x14xf32> {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %up = moe.use_weight @up placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<8x12x10xf32>
  %down = moe.use_weight @down placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<8x10x14xf32>
  // CHECK: moe.score {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
  %s = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: moe.select {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>, #comm.sharding<@mesh, [{"ep"}, {}]>]}
  %e, %v = moe.select top_k 3 %s : (tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  // CHECK: moe.experts {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {"etp"}]>]}
  // CHECK-NOT: comm.argument_shardings
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    // CHECK: moe.grouped_matmul {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{}, {"etp"}]>]} {{.*}} -> tensor<?x10xf32>
    %h = moe.grouped_matmul %rows by %up at %o : (tensor<?x12xf32>, !moe.weights<8x12x10xf32>, tensor<?xi32>) -> tensor<?x10xf32>
    // CHECK: moe.grouped_matmul {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{}, {"etp"}]>]} {{.*}} -> tensor<?x14xf32>
    %d = moe.grouped_matmul %h by %down at %o : (tensor<?x10xf32>, !moe.weights<8x10x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// One random number a token is split like the tokens.
// CHECK-LABEL: @random(
// CHECK-SAME: tensor<?xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}
func.func @random(%s: tensor<?x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %u: tensor<?xf32>) -> tensor<?x2xi32> {
  %e, %v = moe.select top_k 2 %s second random random %u : (tensor<?x8xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %e : tensor<?x2xi32>
}

// A selection bias is of the experts: whole on every rank.
// CHECK-LABEL: @bias(
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<8xf32>)
func.func @bias(%s: tensor<?x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %b: tensor<8xf32>) -> tensor<?x2xi32> {
  %e, %v = moe.select top_k 2 %s biased by %b : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %e : tensor<?x2xi32>
}
