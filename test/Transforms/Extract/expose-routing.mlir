// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-expose-routing | FileCheck %s
// Two layers share a block, a third has one of its own: results are in the order
// in which they run.

// CHECK: func.func private @shared({{.*}}) -> (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>)
func.func private @shared(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32> {
  %y = moe.experts %x routed by %e weighted by %s
      : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}

// CHECK: func.func private @dense(%{{.*}}: tensor<?x64xf32>) -> tensor<?x64xf32>
func.func private @dense(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  return %x : tensor<?x64xf32>
}

// CHECK: func.func @forward({{.*}}) -> (tensor<?x64xf32>,
// CHECK-SAME: tensor<?x1xi32> {moe.routing = "expert"}, tensor<?x1xf32> {moe.routing = "weight"},
// CHECK-SAME: tensor<?x3xi32> {moe.routing = "expert"}, tensor<?x3xf32> {moe.routing = "weight"},
// CHECK-SAME: tensor<?x1xi32> {moe.routing = "expert"}, tensor<?x1xf32> {moe.routing = "weight"})
func.func @forward(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>, %e3: tensor<?x3xi32>, %s3: tensor<?x3xf32>) -> tensor<?x64xf32> {
  // CHECK: %[[A:.*]]:3 = call @shared({{.*}}) {moe.layer = 4 : i64}
  %a = call @shared(%x, %e, %s) {moe.layer = 4 : i64} : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
  // CHECK: %[[B:.*]] = moe.experts %[[A]]#0 routed by %[[E:.*]] weighted by %[[S:.*]] :
  %b = moe.experts %a routed by %e3 weighted by %s3
      : (tensor<?x64xf32>, tensor<?x3xi32>, tensor<?x3xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  // CHECK: %[[C:.*]] = call @dense(%[[B]])
  %c = call @dense(%b) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: %[[D:.*]]:3 = call @shared(%[[C]],
  %d = call @shared(%c, %e, %s) : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
  // CHECK: return %[[D]]#0, %[[A]]#1, %[[A]]#2, %[[E]], %[[S]], %[[D]]#1, %[[D]]#2
  return %d : tensor<?x64xf32>
}
