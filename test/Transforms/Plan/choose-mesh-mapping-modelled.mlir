// What the graph does not hold competes for the fast links too, labelled.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,pp=4,tp=2,ep=4 topology=%inputs/../../docs/examples/eight-nodes.mlir" --remarks-filter=moe-plan 2>&1 | FileCheck %s
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,pp=2,tp=2 step=training" --moe-print-traffic | FileCheck %s --check-prefix=TRAINING
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=a=2,b=2 expert-axes=none tensor-axes=none token-axes=a stage-axes=b" --moe-print-traffic | FileCheck %s --check-prefix=ROLES
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=2 step=both" 2>&1 | FileCheck %s --check-prefix=STEP
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=2 stage-axes=pp" 2>&1 | FileCheck %s --check-prefix=STAGES

// CHECK: remark: [Passed] MeshMapping | {{.*}} | Remark="ib: dp=2 x pp=4, nvlink: tp=2 x ep=4: {{.*}}; dispatch {{.*}}; combine {{.*}}; tensor all-reduce (modelled, not in this graph) {{.*}}; stage send (modelled, not in this graph)
// CHECK: remark: [Missed] MeshMapping

// Two layers of 6 experts of 3 matrices 16 x 24 in bf16, replicated over dp,
// half of them on each stage.
// TRAINING: tensor all-reduce           tp    all_reduce
// TRAINING: stage send                  pp    send
// TRAINING: tensor all-reduce, backward tp    all_reduce
// TRAINING: expert gradients            dp    all_reduce
// TRAINING: dense gradients             dp    all_reduce
// TRAINING: note: 'stage send' is modelled, not in this graph

// ROLES: stage send b send

// STEP: error: expected a step of inference or training, but got 'both'
// STAGES: error: stage-axes: mesh ep=2 has no axis 'pp'
