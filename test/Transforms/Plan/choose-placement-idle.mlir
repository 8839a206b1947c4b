// By time a replica may be of no use. Such a slot is not written, nor is the
// table of an expert that one rank serves alone.
// RUN: moe-opt %s --moe-choose-placement="policy=joint replicas=3 objective=time" | FileCheck %s
// CHECK: moe.placement @p0 experts 4 over {"ep"} of @mesh slots {{.*}} replicas [
// CHECK-NOT: {{: \[on [0-9]+ from 0\]}}
// CHECK: policy "joint"
module attributes {moe.loads = {"0" = array<f64: 1., 8., 1., 1.>}} {
  comm.mesh @mesh <["ep"=4]>
  moe.weight @w "experts.{e}.weight" : !moe.weights<4x8x8xf32>
  func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %p = moe.use_placement layer 0 : !moe.placement_ref<4 experts>
    %w = moe.use_weight @w : !moe.weights<4x8x8xf32>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<4 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<4x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
      moe.yield %o : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
}
