// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=dp=2,ep=4" --moe-choose-placement --moe-choose-exchange --remarks-filter=moe-plan 2>&1 | FileCheck %s --check-prefix=EXACT
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=dp=2,ep=4" --moe-choose-placement --moe-choose-exchange="form=auto" | FileCheck %s --check-prefix=AUTO
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=1" --moe-choose-placement --moe-choose-exchange="form=flat_bounded bound=7" | FileCheck %s --check-prefix=BOUND
// RUN: moe-opt %s --moe-choose-exchange --remarks-filter=moe-plan 2>&1 | FileCheck %s

// 48 tokens in a group, each at most twice on a rank of two experts.
// EXACT: remark: [Passed] Exchange | {{.*}}Function=layer 1 | Remark="flat exact: 22.01 us for dispatch and combine, allows 96 rows (3.00 KiB) a rank"
// EXACT: remark: [Missed] Exchange | {{.*}}Function=layer 1 | Remark="flat bounded: 12.01 us for dispatch and combine, reserves 96 rows (3.00 KiB) a rank"
// EXACT: moe.placement @p1
// EXACT-NEXT: moe.exchange @x0 flat_exact bound 96
// EXACT: moe.experts {{.*}} exchange @x0

// Without a wait of the host it is cheaper.
// AUTO: moe.exchange @x0 flat_bounded bound 96
// BOUND: moe.exchange @x0 flat_bounded bound 7

// Layers that differ get blocks of their own, as few as possible: 0 and 2 share.
// CHECK: remark: [Passed] Exchange | {{.*}}Function=layer 1 | Remark="kept @hand, flat bounded: {{.*}} reserves 33 rows
// CHECK: moe.exchange @hand flat_bounded bound 33
// CHECK: moe.exchange @x0 flat_exact bound 120
// CHECK-LABEL: func.func private @block(
// CHECK: moe.experts {{.*}} exchange @x0
// CHECK-LABEL: func.func private @block_hand(
// CHECK: moe.experts {{.*}} exchange @hand
// CHECK-LABEL: func.func private @outer(
// CHECK: call @block(
// CHECK-LABEL: func.func private @outer_hand(
// CHECK: call @block_hand(
// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @model(
// CHECK: call @outer({{.*}}moe.layer = 0
// CHECK: call @outer_hand({{.*}}moe.layer = 1
// CHECK: call @outer({{.*}}moe.layer = 2
comm.mesh @mesh <["ep"=2]>
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
moe.exchange @hand flat_bounded bound 33
func.func private @block(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
func.func private @outer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  %y = call @block(%x, %expert, %weight, %p) : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
func.func @model(%x: tensor<40x8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  %0 = call @outer(%x, %expert, %weight, %p) {moe.layer = 0 : i64} : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
  %1 = call @outer(%0, %expert, %weight, %p) {moe.layer = 1 : i64, moe.exchange = @hand} : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
  %2 = call @outer(%1, %expert, %weight, %p) {moe.layer = 2 : i64} : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
  return %2 : tensor<40x8xf32>
}
