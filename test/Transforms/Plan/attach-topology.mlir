// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="topology=%inputs/Topology/2-nodes-of-4.mlir loads=%inputs/Loads/2-layers.json" | FileCheck %s --check-prefix=BOTH
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%inputs/Loads/domains.csv loads-domain=code loads-model=tiny" | FileCheck %s --check-prefix=CSV
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%inputs/Loads/domains.csv" 2>&1 >/dev/null | FileCheck %s --check-prefix=LACKS
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology | FileCheck %s --check-prefix=NOTHING
// RUN: moe-opt %s --moe-attach-topology="topology=%inputs/Topology/2-nodes-of-4.mlir" | FileCheck %s --check-prefix=SAME
// RUN: moe-opt %s --moe-attach-topology="loads=%inputs/Loads/2-layers.json" | FileCheck %s --check-prefix=ORDER

// BOTH: moe.loads = {"0" = array<f64: 5.000000e-01, 0.08
// BOTH-SAME: "1" = array<f64: 1.000000e-01, 2.000000e-01, 3.000000e-01, 2.000000e-01, 1.000000e-01, 1.000000e-01>}
// BOTH-NEXT: comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]

// What a file does not know stays unknown.
// CSV: moe.loads = {"1" = array<f64: 7.500000e-01, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 2.500000e-01>}

// LACKS: remark: loads '{{.*}}domains.csv' lack layer 0: all experts there are assumed to get the same load

// NOTHING-NOT: moe.loads
// NOTHING-NOT: comm.topology

// SAME-COUNT-1: comm.topology
// SAME-NOT: comm.topology

// As many lists as MoE layers: they are those, in order.
// ORDER: moe.loads = {"3" = array<f64: 5.000000e-01, {{.*}}, "4" = array<f64: 1.000000e-01
comm.topology @here tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
func.func @model(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %p3 = moe.use_placement layer 3 : !moe.placement_ref<6 experts>
  %0 = moe.experts %x routed by %expert weighted by %weight placed by %p3
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<6 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  %p4 = moe.use_placement layer 4 : !moe.placement_ref<6 experts>
  %1 = moe.experts %0 routed by %expert weighted by %weight placed by %p4
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<6 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x8xf32>
  }
  return %1 : tensor<40x8xf32>
}
