// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" --moe-choose-placement | FileCheck %s --check-prefix=CONTIGUOUS
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" --moe-choose-placement="policy=round_robin" | FileCheck %s --check-prefix=ROBIN
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=8" --moe-choose-placement | FileCheck %s --check-prefix=SPARSE
// RUN: moe-opt %s --moe-choose-placement --remarks-filter=moe-plan 2>&1 | FileCheck %s

// CONTIGUOUS: moe.placement @p0 experts 6 over {"ep"} of @mesh {{.*}} policy "contiguous"
// CONTIGUOUS-NEXT: moe.placement @p1 experts 6 over {"ep"} of @mesh slots {{\[\[}}0, 1], [2, 3], [4], [5]] policy "contiguous"
// CONTIGUOUS: moe.use_weight @layers.0.router : tensor
// CONTIGUOUS: moe.use_weight @layers.0.experts.gate placed by @p0
// CONTIGUOUS: moe.use_weight @layers.0.experts.down placed by @p0
// CONTIGUOUS: moe.use_placement @p0 layer 0
// CONTIGUOUS: moe.use_weight @layers.1.experts.up placed by @p1
// CONTIGUOUS: moe.use_placement @p1 layer 1

// ROBIN: moe.placement @p0 {{.*}} slots {{\[\[}}0, 4], [1, 5], [2], [3]] policy "round_robin"

// SPARSE: slots {{\[\[}}0], [1], [2], [3], [4], [5], [], []]

// What was written by hand is kept and costed; a name that is taken is avoided.
// CHECK: remark: [Passed] Placement | {{.*}} | Function=layer 7 | Remark="kept @p9: 5 experts in 5 slots on 2 ranks, at most 4 on a rank; largest load 1.600 of the mean, none is below
// CHECK: remark: [Passed] Placement | {{.*}} | Function=layer 9 | Remark="contiguous: 5 experts in 5 slots on 2 ranks, at most 3 on a rank; largest load 1.200 of the mean, none is below
// CHECK: remark: [Missed] Placement | {{.*}} | Function=layer 9 | Remark="round_robin:
// CHECK: moe.placement @p9 experts 5 over {"ep"} of @mesh slots {{\[\[}}4, 2, 1, 0], [3]]
// CHECK: moe.placement @[[NEW:p9_[0-9]+]] experts 5 over {"ep"} of @mesh slots {{\[\[}}0, 1, 2], [3, 4]]
// CHECK: moe.use_weight @w placed by @p9
// CHECK: moe.use_placement @p9 layer 7
// CHECK: moe.use_weight @w placed by @[[NEW]]
// CHECK: moe.use_placement @[[NEW]] layer 9
module attributes {moe.loads = {"9" = array<f64: 0.2, 0.2, 0.2, 0.3, 0.1>}} {
  comm.mesh @mesh <["ep"=2]>
  moe.weight @w "experts.{e}.weight" : !moe.weights<5x8x8xf32>
  moe.placement @p9 experts 5 over {"ep"} of @mesh slots [[4, 2, 1, 0], [3]]
  func.func private @block(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>, %w: !moe.weights<5x8x8xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<5x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
      moe.yield %o : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
  func.func @model(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %w7 = moe.use_weight @w : !moe.weights<5x8x8xf32>
    %p7 = moe.use_placement @p9 layer 7 : !moe.placement_ref<5 experts>
    %0 = call @block(%x, %expert, %weight, %w7, %p7) : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.weights<5x8x8xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
    %w9 = moe.use_weight @w : !moe.weights<5x8x8xf32>
    %p9 = moe.use_placement layer 9 : !moe.placement_ref<5 experts>
    %1 = call @block(%0, %expert, %weight, %w9, %p9) : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.weights<5x8x8xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
    return %1 : tensor<40x8xf32>
  }
}
