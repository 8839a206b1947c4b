// RUN: moe-opt %s --split-input-file --moe-choose-mesh-mapping="mesh=ep=4,dp=2" --remarks-filter=moe-plan 2>&1 | FileCheck %s

// Experts belong on the fast tier, so neighbours on "dp" sit on different nodes.
// CHECK: remark: [Passed] MeshMapping | Category:moe-plan | Function=mesh | Remark="ib: dp=2, nvlink: ep=4: [[COST:[0-9.]+]] us; dispatch {{.*}}; combine
// CHECK: remark: [Missed] MeshMapping | Category:moe-plan | Function=mesh | Remark="ib: ep:(1)2, nvlink: ep:(2)2 x dp=2
// CHECK: comm.topology @cluster
// CHECK-NEXT: comm.mesh @mesh <["ep"=4, "dp"=2]> on @cluster order [0, 4, 1, 5, 2, 6, 3, 7]
comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}

// -----

// A mesh that is there gets an order only where it has none.
// CHECK: comm.mesh @grid <["ep"=4, "dp"=2]> on @cluster order [7, 6, 5, 4, 3, 2, 1, 0]
// CHECK: func.func @mesh_with_order(%{{.*}}: tensor<40x8xf32> {comm.sharding = #comm.sharding<@grid, [{"ep","dp"}, {}]>}, %{{.*}}: tensor<5xf32>)
comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
comm.mesh @grid <["ep"=4, "dp"=2]> on @cluster order [7, 6, 5, 4, 3, 2, 1, 0]
func.func @mesh_with_order(%x: tensor<40x8xf32>, %gamma: tensor<5xf32>) -> tensor<40x8xf32> {
  return %x : tensor<40x8xf32>
}
