// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-extract-layer=layer=encoder.1 | FileCheck %s
// RUN: moe-opt %s --moe-extract-layer=layer=encoder.1 --moe-discard-plan | FileCheck %s --check-prefix=DISCARD

// What was planned stays, also for a model whose layers have names.

// CHECK: comm.topology @cluster
// CHECK: comm.mesh @mesh
// CHECK-NOT: moe.placement @p0
// CHECK: moe.placement @p1
// CHECK: moe.exchange @x1
// CHECK-NOT: moe.exchange
// CHECK: func.func private @moe_block
// CHECK: func.func @layer(%{{[a-z0-9]+}}: tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>},
// CHECK-SAME: -> (tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
// CHECK-SAME: moe.layer = "encoder.1"
// CHECK: moe.use_weight @w1 placed by @p1 {comm.result_shardings = {{.*}}"etp"{{.*}}}
// CHECK: moe.use_placement @p1 layer 1
// CHECK: call @moe_block({{.*}}) {moe.layer = "encoder.1"}

// DISCARD-NOT: comm.topology
// DISCARD-NOT: comm.mesh
// DISCARD-NOT: moe.placement @
// DISCARD-NOT: comm.sharding
// DISCARD: moe.experts %{{.*}} routed by %{{.*}} weighted by %{{.*}} placed by %{{[0-9a-z]+}} :
// DISCARD: func.func @layer(%{{[a-z0-9]+}}: tensor<?x64xf32>, %{{[a-z0-9]+}}: tensor<?x1xi32>, %{{[a-z0-9]+}}: tensor<?x1xf32>) -> tensor<?x64xf32>
// DISCARD: moe.use_weight @w1 : !moe.weights
// DISCARD: moe.use_placement layer 1
module attributes {moe.plan = {mesh = "dp=1,ep=2,etp=2"}} {
  comm.topology @cluster tiers [node: 4 x 50.0 GB/s 5.0 us]
  comm.mesh @mesh <["dp"=1, "ep"=2, "etp"=2]> on @cluster
  moe.weight @w0 "encoder.block.0.{e}.weight" : !moe.weights<4x64x64xf32>
  moe.weight @w1 "encoder.block.1.{e}.weight" : !moe.weights<4x64x64xf32>
  moe.placement @p0 experts 4 over {"ep"} of @mesh slots [[0, 1], [2, 3]]
  moe.placement @p1 experts 4 over {"ep"} of @mesh slots [[3, 2], [1, 0]]
  moe.exchange @x0 flat_exact bound 64
  moe.exchange @x1 flat_bounded bound 64

  func.func private @moe_block(%x: tensor<?x64xf32>, %w: !moe.weights<4x64x64xf32>,
      %p: !moe.placement_ref<4 experts>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32>
      attributes {moe.role = "moe_block"} {
    %y = moe.experts %x routed by %e weighted by %s placed by %p over {"ep"} of @mesh exchange @x1
        : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>, !moe.placement_ref<4 experts>) -> tensor<?x64xf32> {
    ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
      %o = moe.grouped_matmul %rows by %w at %offsets
          : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
      moe.yield %o : tensor<?x64xf32>
    }
    return %y : tensor<?x64xf32>
  }

  func.func private @encoder(%x: tensor<?x64xf32>, %w0: !moe.weights<4x64x64xf32>, %p0: !moe.placement_ref<4 experts>,
      %w1: !moe.weights<4x64x64xf32>, %p1: !moe.placement_ref<4 experts>,
      %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32> {
    %x0 = call @moe_block(%x, %w0, %p0, %e, %s) {moe.layer = "encoder.0"}
        : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, !moe.placement_ref<4 experts>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
    %x1 = call @moe_block(%x0, %w1, %p1, %e, %s) {moe.layer = "encoder.1"}
        : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, !moe.placement_ref<4 experts>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
    return %x1 : tensor<?x64xf32>
  }

  func.func @model(%x: tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>},
      %e: tensor<?x1xi32>, %s: tensor<?x1xf32>)
      -> (tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) attributes {moe.role = "model"} {
    %w0 = moe.use_weight @w0 placed by @p0 : !moe.weights<4x64x64xf32>
    %w1 = moe.use_weight @w1 placed by @p1 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<4x64x64xf32>
    %p0 = moe.use_placement @p0 layer 0 : !moe.placement_ref<4 experts>
    %p1 = moe.use_placement @p1 layer 1 : !moe.placement_ref<4 experts>
    %y = call @encoder(%x, %w0, %p0, %w1, %p1, %e, %s)
        : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, !moe.placement_ref<4 experts>, !moe.weights<4x64x64xf32>,
           !moe.placement_ref<4 experts>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
