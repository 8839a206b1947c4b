// Solvers behind the policies: replicas, shares, objectives, memory.
// RUN: moe-opt %s --moe-choose-placement="policy=eplb replicas=1" | FileCheck %s --check-prefix=EPLB
// RUN: moe-opt %s --moe-choose-placement="policy=joint replicas=1 objective=load" | FileCheck %s --check-prefix=JOINT
// RUN: moe-opt %s --moe-choose-placement="policy=exhaustive objective=load" | FileCheck %s --check-prefix=EXACT
// RUN: moe-opt %s --moe-choose-placement="policy=joint replicas=1 objective=load" --remarks-filter=moe-plan 2>&1 | FileCheck %s --check-prefix=REMARKS
// RUN: moe-opt %s --moe-choose-placement="policy=contiguous replicas=1" | FileCheck %s --check-prefix=EMPTY
// RUN: moe-opt %s --moe-choose-placement="policy=joint replicas=1 memory-gib=0.01" | FileCheck %s --check-prefix=FITS
// RUN: not moe-opt %s --moe-choose-placement="policy=joint memory-gib=0.0000000001" 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: not moe-opt %s --moe-choose-placement="policy=eplb" 2>&1 | FileCheck %s --check-prefix=UNEVEN
// RUN: moe-opt %s --moe-choose-placement="policy=joint replicas=1 objective=load" | moe-opt --moe-choose-placement="policy=round_robin" --remarks-filter=moe-plan 2>&1 | FileCheck %s --check-prefix=KEPT

// EPLB: moe.placement @p0 experts 5 over {"ep"} of @mesh slots {{\[\[}}{{.*}}]] {{.*}}policy "eplb"
// JOINT: moe.placement @p0 experts 5 over {"ep"} of @mesh slots {{\[\[}}0, 1, 2], [0, 3, 4]] replicas [
// JOINT-NEXT: 0: [on 0 from 0, on 1 from 0 class 51]
// JOINT-NEXT: ] policy "joint"
// EXACT: moe.placement @p0 {{.*}} policy "exhaustive"

// REMARKS: remark: [Passed] Placement | Category:moe-plan | Function=layer 0 | Remark="joint: 5 experts in 6 slots on 2 ranks, at most 3 on a rank; largest load 1.002 of the mean, none is below 1.000 (mean{{.*}}), gap 0.2 %; {{.*}} a step: dispatch and combine {{.*}} (slowest link: default {{.*}}), experts {{.*}}; none is below
// REMARKS: remark: [Missed] Placement | {{.*}} | Remark="contiguous: 5 experts in 5 slots on 2 ranks{{.*}} largest load 1.{{[1-9]}}
// REMARKS: remark: [Missed] Placement | {{.*}} | Remark="round_robin:
// REMARKS: remark: [Missed] Placement | {{.*}} | Remark="eplb:

// Slots that hold nothing are not written.
// EMPTY: slots {{\[\[}}0, 1, 2], [3, 4]] policy "contiguous"

// FITS: slots
// MEMORY: error: 'moe.use_placement' op layer 0: {{.*}}experts
// UNEVEN: error: 'moe.use_placement' op layer 0: {{.*}}eplb{{.*}}
// KEPT: [Passed] Placement | {{.*}} | Remark="kept @p0: 5 experts in 6 slots on 2 ranks, at most 3 on a rank; largest load 1.002 of the mean
// KEPT-NOT: [Missed]
// KEPT: policy "joint"
module attributes {moe.loads = {"0" = array<f64: 0.5, 0.2, 0.1, 0.1, 0.1>}} {
  comm.mesh @mesh <["ep"=2]>
  moe.weight @w "experts.{e}.weight" : !moe.weights<5x8x8xf32>
  func.func @layer(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
    %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
    %w = moe.use_weight @w : !moe.weights<5x8x8xf32>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %p over {"ep"} of @mesh
        : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
    ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
      %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<5x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
      moe.yield %o : tensor<?x8xf32>
    }
    return %y : tensor<40x8xf32>
  }
}
