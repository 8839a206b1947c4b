// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-expose-routing | FileCheck %s --check-prefix=EXPOSE
// RUN: moe-opt %s --moe-inject-routing | FileCheck %s --check-prefix=INJECT
// RUN: moe-opt %s --moe-inject-routing --moe-expose-routing | FileCheck %s --check-prefix=BOTH

// EXPOSE: func.func private @moe_block({{.*}}) -> (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xbf16>)
// EXPOSE: %[[S:.*]]:2 = moe.select
// EXPOSE: %[[W:.*]] = moe.weigh
// EXPOSE: return %{{.*}}, %[[S]]#0, %[[W]] :
// EXPOSE: func.func @layer(%{{[^)]*}}) -> (tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
// EXPOSE-SAME: tensor<?x2xi32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>, moe.routing = "expert"},
// EXPOSE-SAME: tensor<?x2xbf16> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>, moe.routing = "weight"})
// EXPOSE: %[[Y:.*]]:3 = call @moe_block({{.*}}) {moe.layer = 3 : i64}
// EXPOSE: return %[[Y]]#0, %[[Y]]#1, %[[Y]]#2

// INJECT: func.func private @moe_block({{.*}}, %[[E:[a-z0-9]+]]: tensor<?x2xi32>, %[[W:[a-z0-9]+]]: tensor<?x2xbf16>) -> tensor<?x64xf32>
// INJECT-NOT: moe.select
// INJECT-NOT: moe.score
// INJECT: moe.experts %{{.*}} routed by %[[E]] weighted by %[[W]]
// INJECT: func.func @layer(%{{.*}}: tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
// INJECT-SAME: %[[E:[a-z0-9]+]]: tensor<?x2xi32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>, moe.routing = "expert"},
// INJECT-SAME: %[[W:[a-z0-9]+]]: tensor<?x2xbf16> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>, moe.routing = "weight"})
// INJECT: call @moe_block({{.*}}, %[[E]], %[[W]]) {moe.layer = 3 : i64}

// BOTH: func.func private @moe_block({{.*}}, %[[E:[a-z0-9]+]]: tensor<?x2xi32>, %[[W:[a-z0-9]+]]: tensor<?x2xbf16>)
// BOTH: return %{{.*}}, %[[E]], %[[W]]
comm.mesh @mesh <["ep"=2]>
moe.weight @w "block.{e}.weight" : !moe.weights<4x64x64xf32>
func.func private @moe_block(%x: tensor<?x64xf32>, %w: !moe.weights<4x64x64xf32>, %z: tensor<?x4xf32>) -> tensor<?x64xf32> {
  %c = moe.score softmax %z : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %e, %s = moe.select top_k 2 %c : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %v = moe.weigh sum %s : (tensor<?x2xf32>) -> tensor<?x2xbf16>
  %y = moe.experts %x routed by %e weighted by %v
      : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xbf16>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    %o = moe.grouped_matmul %rows by %w at %offsets
        : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    moe.yield %o : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}
func.func @layer(%x: tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %z: tensor<?x4xf32>)
    -> (tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %w = moe.use_weight @w : !moe.weights<4x64x64xf32>
  %y = call @moe_block(%x, %w, %z) {moe.layer = 3 : i64} : (tensor<?x64xf32>, !moe.weights<4x64x64xf32>, tensor<?x4xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
