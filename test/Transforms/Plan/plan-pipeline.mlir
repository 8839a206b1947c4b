// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4 topology=%inputs/Topology/2-nodes-of-4.mlir placement=round_robin exchange=flat_bounded bound=50 token-axes=dp,ep" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: moe-opt %t.mlir --moe-plan-pipeline="mesh=dp=2,ep=4" | FileCheck %s
// RUN: moe-opt %t.mlir --moe-plan-pipeline | FileCheck %s
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --pass-pipeline="builtin.module(moe-plan-pipeline{mesh=dp=2,ep=4 topology=%inputs/Topology/2-nodes-of-4.mlir placement=round_robin exchange=flat_bounded bound=50 token-axes=dp,ep})" | FileCheck %s
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline 2>&1 | FileCheck %s --check-prefix=ABSENT

// A plan that is there is kept.
// CHECK: moe.plan = {bound = 50 : i64, exchange = "flat_bounded", expert_axes = #comm.axes<{"ep"}>, mesh = "dp=2,ep=4", placement = "round_robin", token_axes = #comm.axes<{"dp","ep"}>, topology = "cluster"}
// CHECK: comm.topology @cluster
// CHECK-NEXT: comm.mesh @mesh <["dp"=2, "ep"=4]> on @cluster order [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: moe.placement @p0 {{.*}} policy "round_robin"
// CHECK-NEXT: moe.placement @p1 {{.*}} policy "round_robin"
// CHECK-NEXT: moe.exchange @x0 flat_bounded bound 50
// CHECK-NOT: moe.exchange @
// CHECK: moe.experts {{.*}} over {"ep"} of @mesh exchange @x0
// CHECK: func.func @model({{.*}} [{"dp","ep"}, {}]>

// ABSENT: error: expected a mesh: {{.*}} the option 'mesh'
