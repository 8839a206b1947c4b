// RUN: split-file %s %t
// RUN: not moe-opt %t/layer.mlir --moe-choose-exchange="form=padded" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not moe-opt %t/layer.mlir --moe-choose-exchange="bound=-1" 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: not moe-opt %t/layer.mlir --moe-choose-exchange 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not moe-opt %t/symbol.mlir --moe-choose-exchange 2>&1 | FileCheck %s --check-prefix=SYMBOL
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=2" --moe-choose-exchange 2>&1 | FileCheck %s --check-prefix=UNPLACED

// FORM: error: expected an exchange form of flat_exact, flat_bounded or auto, but got 'padded'
// BOUND: error: expected a bound from 0 to 2147483647, but got -1
// ROWS: error: 'moe.experts' op expected at most 2147483647 rows on a rank, but the worst case is 3000000000; set the option 'bound'
// SYMBOL: error: 'moe.experts' op expected a moe.exchange named @missing
// UNPLACED: error: 'moe.experts' op expected axes and a placement; run moe-choose-mesh-mapping and moe-choose-placement

//--- layer.mlir
module attributes {moe.max_tokens = 1000000000 : i64} {
  comm.mesh @mesh <["ep"=1]>
  moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2, 3, 4]]
  func.func @layer(%x: tensor<?x8xf32>, %expert: tensor<?x3xi32>, %weight: tensor<?x3xf32>) -> tensor<?x8xf32> {
    %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<?x8xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<5 experts>) -> tensor<?x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      moe.yield %rows : tensor<?x8xf32>
    }
    return %y : tensor<?x8xf32>
  }
}
//--- symbol.mlir
comm.mesh @mesh <["ep"=1]>
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2, 3, 4]]
func.func private @block(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  %y = call @block(%x, %expert, %weight, %p) {moe.exchange = @missing} : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
