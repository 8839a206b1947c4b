// RUN: split-file %s %t
// RUN: not moe-opt %t/other.mlir --moe-choose-placement="objective=bytes" 2>&1 | FileCheck %s --check-prefix=OBJECTIVE
// RUN: not moe-opt %t/other.mlir --moe-choose-placement="replicas=-1" 2>&1 | FileCheck %s --check-prefix=REPLICAS
// RUN: not moe-opt %t/sources.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=SOURCES
// RUN: not moe-opt %t/elsewhere.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=ELSEWHERE
// RUN: not moe-opt %t/devices.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=DEVICES
// RUN: not moe-opt %t/other.mlir --moe-choose-placement="policy=best" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not moe-opt %t/other.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not moe-opt %t/loads.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=LOADS
// RUN: not moe-opt %t/axes.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=AXES
// RUN: not moe-opt %t/handle.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=HANDLE
// RUN: not moe-opt %t/argument.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=ARGUMENT
// RUN: not moe-opt %t/recursion.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=RECURSION
// RUN: not moe-opt %t/self-recursion.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=ITSELF
// RUN: not moe-opt %t/self-recursion.mlir --moe-extract-layer 2>&1 | FileCheck %s --check-prefix=ITSELF
// ITSELF: self-recursion.mlir:3:8: error: expected no recursion, but got a call of 'h' inside itself
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-placement 2>&1 | FileCheck %s --check-prefix=MESH

// OBJECTIVE: {{^}}error: expected an objective of load, time or auto, but got 'bytes'
// REPLICAS: {{^}}error: expected 0 to 1048576 replicas, but got -1
// UNKNOWN: {{^}}error: expected a placement policy of contiguous, round_robin, eplb, joint or exhaustive, but got 'best'
// SOURCES: sources.mlir:4:10: error: 'moe.use_placement' op layer 0: expected loads of 2 source ranks, but got 3
// ELSEWHERE: elsewhere.mlir:3:3: error: 'moe.placement' op expected slots of 2 ranks, those of the experts of layer 0, but got 3
// DEVICES: devices.mlir:2:1: error: 'comm.mesh' op expected the product of the axes to be the device count of the topology, but got 2 and 8
// OTHER: error: 'moe.use_weight' op expected weights placed by @p0 as their experts are, but got @hand
// OTHER: note: the experts' placement
// LOADS: error: 'moe.use_placement' op layer 0: expected loads of 5 experts, but got 2
// AXES: error: 'moe.experts' op expected axes; run moe-choose-mesh-mapping before
// HANDLE: error: 'moe.experts' op expected 'placed by' a moe.use_placement
// ARGUMENT: error: 'moe.experts' op expected its placement to come from moe.use_placement
// RECURSION: error: expected no recursion, but got a call of 'f' inside itself
// MESH: error: expected a comm.mesh; run moe-choose-mesh-mapping with its option 'mesh'

//--- other.mlir
comm.mesh @mesh <["ep"=2]>
moe.weight @w "experts.{e}.weight" : !moe.weights<5x8x8xf32>
moe.placement @hand experts 5 over {"ep"} of @mesh slots [[4, 2, 1, 0], [3]]
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
  %w = moe.use_weight @w placed by @hand : !moe.weights<5x8x8xf32>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<5x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
    moe.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
//--- loads.mlir
module attributes {moe.loads = {"0" = array<f64: 0.5, 0.5>}} {
  comm.mesh @mesh <["ep"=2]>
  func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      moe.yield %rows : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
}
//--- axes.mlir
comm.mesh @mesh <["ep"=2]>
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
//--- handle.mlir
comm.mesh @mesh <["ep"=2]>
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %y = moe.experts %x routed by %expert weighted by %weight over {"ep"} of @mesh
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
//--- argument.mlir
comm.mesh @mesh <["ep"=2]>
func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
//--- self-recursion.mlir
comm.mesh @mesh <["ep"=2]>
func.func @h(%x: tensor<40x8xf32>) -> tensor<40x8xf32> {
  %y = call @h(%x) : (tensor<40x8xf32>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
//--- recursion.mlir
comm.mesh @mesh <["ep"=2]>
func.func private @f(%x: tensor<40x8xf32>) -> tensor<40x8xf32> {
  %y = call @g(%x) : (tensor<40x8xf32>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
func.func private @g(%x: tensor<40x8xf32>) -> tensor<40x8xf32> {
  %y = call @f(%x) : (tensor<40x8xf32>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
func.func @model(%x: tensor<40x8xf32>) -> tensor<40x8xf32> {
  %y = call @f(%x) : (tensor<40x8xf32>) -> tensor<40x8xf32>
  return %y : tensor<40x8xf32>
}
//--- sources.mlir
module attributes {moe.loads = {"0" = [array<f64: 1., 1., 1., 1., 1.>, array<f64: 1., 1., 1., 1., 1.>, array<f64: 1., 1., 1., 1., 1.>]}} {
  comm.mesh @mesh <["ep"=2]>
  func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      moe.yield %rows : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
}
//--- elsewhere.mlir
module {
  comm.mesh @mesh <["ep"=2, "dp"=3]>
  moe.placement @hand experts 5 over {"dp"} of @mesh slots [[0, 1, 2], [3], [4]]
  func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %p = moe.use_placement @hand layer 0 : !moe.placement_ref<5 experts>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      moe.yield %rows : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
}
//--- devices.mlir
comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
comm.mesh @mesh <["ep"=2]> on @cluster
