// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-extract-layer --moe-plan-pipeline="mesh=dp=2,ep=2,etp=2" --comm-propagate-sharding --comm-insert-reshard --moe-partition --moe-verify-partitioned -o /dev/null
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-extract-layer --moe-plan-pipeline="mesh=dp=2,ep=2" --moe-verify-partitioned -o /dev/null 2>&1 | FileCheck %s --check-prefix=PLANNED
// RUN: moe-opt %s --split-input-file --moe-verify-partitioned --verify-diagnostics -o /dev/null

// PLANNED: error: expected

// C1
comm.mesh @mesh <["ep"=2]>
func.func @experts_left(%x: tensor<?x8xf32>, %expert: tensor<?x3xi32>, %weight: tensor<?x3xf32>, %tokens: index, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expected no 'moe.experts' after partitioning}}
  %y = moe.experts %x routed by %expert weighted by %weight : (tensor<?x8xf32>, tensor<?x3xi32>, tensor<?x3xf32>) -> tensor<?x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// -----

// C2
comm.mesh @mesh <["ep"=2]>
func.func @reshard_left(%x: tensor<?x8xf32>, %tokens: index, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expected no 'comm.reshard' after partitioning}}
  %y = comm.reshard %x to <@mesh, [{"ep"}, {}]> : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=2]>
func.func @decision_left(%x: tensor<?x8xf32>, %n: index, %tokens: index, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expected no 'comm.result_shardings' on a local program}}
  %y = tensor.empty(%n) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]} : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=2]>
// expected-error @below {{expected no 'comm.sharding' on argument 0 of 'argument_sharding_left', a local function}}
func.func @argument_sharding_left(%x: tensor<?x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %tokens: index, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  return %x : tensor<?x8xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=2]>
// expected-error @below {{expected no 'comm.sharding' on result 0 of 'result_sharding_left', a local function}}
func.func @result_sharding_left(%x: tensor<?x8xf32>, %tokens: index, %out: tensor<?x8xf32>) -> (tensor<?x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  return %x : tensor<?x8xf32>
}

// -----

// C4
// expected-error @below {{expected 'no_destination' to end in the token count, of type 'index', and a destination for each of its 1 results}}
func.func @no_destination(%x: tensor<?x8xf32>, %tokens: index) -> tensor<?x8xf32> {
  return %x : tensor<?x8xf32>
}

// -----

// C5
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @layout_of_other_sizes(%expert: tensor<?x3xi32>, %tokens: index) {
  %c0 = arith.constant 0 : index
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  // expected-error @below {{expected a layout of 2 ranks x 3 slots, but got 2 x 2}}
  %l = moe.dispatch_layout %expert placed by %p from_token %c0 over {"ep"} of @mesh exchange @x0
      : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> !moe.layout<2 ranks x 2 slots>
  return
}
