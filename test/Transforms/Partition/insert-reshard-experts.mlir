// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard | FileCheck %s

comm.mesh @mesh <["dp"=3, "ep"=4, "etp"=2]>
moe.exchange @x0 flat_exact bound 64
moe.weight @up "up.{e}" : !moe.weights<8x12x10xf32>
moe.weight @down "down.{e}" : !moe.weights<8x10x14xf32>
moe.placement @p0 experts 8 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4, 5], [6, 7]]

// The tensor axis of the experts: gate and up by columns, then h is gathered,
// as the second product sums over it; the result keeps its columns.
// CHECK-LABEL: @tensor_axis(
func.func @tensor_axis(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>) -> tensor<?x14xf32> {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  %up = moe.use_weight @up placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<8x12x10xf32>
  %down = moe.use_weight @down placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<8x10x14xf32>
  // CHECK: moe.experts
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    // CHECK: %[[H:.+]] = moe.grouped_matmul
    // CHECK: %[[WHOLE:.+]] = comm.reshard %[[H]] from <@mesh, [{}, {"etp"}]> to <@mesh, [{}, {}]> : tensor<?x10xf32>
    // CHECK: %[[D:.+]] = moe.grouped_matmul %[[WHOLE]]
    // CHECK: moe.yield %[[D]]
    %h = moe.grouped_matmul %rows by %up at %o : (tensor<?x12xf32>, !moe.weights<8x12x10xf32>, tensor<?xi32>) -> tensor<?x10xf32>
    %d = moe.grouped_matmul %h by %down at %o : (tensor<?x10xf32>, !moe.weights<8x10x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  // CHECK: return
  return %y : tensor<?x14xf32>
}

// Experts work on tokens that are split over their axes, whatever came before.
// CHECK-LABEL: @required_axes(
// CHECK-SAME: %[[X:.+]]: tensor<?x12xf32> {
func.func @required_axes(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>, %w: !moe.weights<8x12x12xf32>) -> (tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  // CHECK: %[[P:.+]] = moe.use_placement
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<8 experts>
  // CHECK: %[[R:.+]] = comm.reshard %[[X]] from <@mesh, [{"dp"}, {}]> to <@mesh, [{"dp","ep"}, {}]>
  // CHECK: %[[Y:.+]] = moe.experts %[[R]]
  // CHECK-SAME: {comm.result_shardings = [#comm.sharding<@mesh, [{"dp","ep"}, {}]>]}
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<8 experts>) -> tensor<?x12xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x12xf32>, !moe.weights<8x12x12xf32>, tensor<?xi32>) -> tensor<?x12xf32>
    moe.yield %d : tensor<?x12xf32>
  }
  // CHECK: comm.reshard %[[Y]] from <@mesh, [{"dp","ep"}, {}]> to <@mesh, [{"dp"}, {}]>
  return %y : tensor<?x12xf32>
}

