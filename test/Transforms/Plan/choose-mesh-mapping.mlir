// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=dp=2,ep=3" | FileCheck %s --check-prefix=DEFAULT
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=2,etp=2,dp=2" | FileCheck %s --check-prefix=COLUMNS
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=a=2,b=3,c=4 token-axes=b,a expert-axes=b expert-tensor-axes=c tensor-axes=c" | FileCheck %s --check-prefix=ROLES
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4 expert-axes=none" | FileCheck %s --check-prefix=NONE
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" \
// RUN:   | moe-opt --moe-choose-mesh-mapping | FileCheck %s --check-prefix=KEPT
// RUN: moe-opt %s --moe-choose-mesh-mapping | FileCheck %s

// Tokens over every axis, experts over "ep"; what is not tokenwise is untouched.
// DEFAULT: expert_axes = #comm.axes<{"ep"}>{{.*}} token_axes = #comm.axes<{"dp","ep"}>, topology = "default (one uniform tier)"
// DEFAULT: comm.mesh @mesh <["dp"=2, "ep"=3]>{{$}}
// DEFAULT: func.func private @moe_block(%{{[^:]*}}: tensor<?x16xbf16>, %
// DEFAULT: moe.experts {{.*}} over {"ep"} of @mesh :
// DEFAULT: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
// DEFAULT-SAME: -> (tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
// DEFAULT-NOT: comm.result_shardings

// "etp" holds no tokens, it splits the columns of each expert's matrices.
// Rows come back as narrow.
// COLUMNS: moe.experts {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep","dp"}, {"etp"}]>]}
// COLUMNS: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"ep","dp"}, {}]>})
// COLUMNS: moe.use_weight @layers.0.router : tensor<6x16xbf16>
// COLUMNS: moe.use_weight @layers.0.experts.gate {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]}
// COLUMNS: moe.use_weight @layers.1.experts.down {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]}

// Names mean nothing where roles are given, and the plan says what was given.
// ROLES: moe.plan = {expert_axes = #comm.axes<{"b"}>, expert_tensor_axes = #comm.axes<{"c"}>, {{.*}} tensor_axes = #comm.axes<{"c"}>, token_axes = #comm.axes<{"b","a"}>
// ROLES: moe.experts {{.*}} over {"b"} of @mesh
// ROLES: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"b","a"}, {}]>})
// ROLES: moe.use_weight @layers.0.experts.gate {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"c"}]>]}

// NONE: moe.experts {{.*}} over {} of @mesh

// KEPT-COUNT-1: comm.mesh @mesh <["ep"=4]>
// KEPT-NOT: comm.mesh

// A dropped choice returns its input, which is whole: so is what comes back.
// CHECK: moe.use_weight @w {comm.result_shardings
// CHECK: moe.experts {{.*}} dropped weighted_input :
comm.mesh @mesh <["ep"=2, "etp"=4]>
moe.weight @w "experts.{e}.weight" : !moe.weights<5x8x8xf32>
func.func @dropped(%x: tensor<40x8xf32>, %expert: tensor<40x3xi32>, %weight: tensor<40x3xf32>) -> tensor<40x8xf32> {
  %w = moe.use_weight @w : !moe.weights<5x8x8xf32>
  %p = moe.use_placement layer 0 : !moe.placement_ref<5 experts>
  %y = moe.experts %x routed by %expert weighted by %weight placed by %p dropped weighted_input
      : (tensor<40x8xf32>, tensor<40x3xi32>, tensor<40x3xf32>, !moe.placement_ref<5 experts>) -> tensor<40x8xf32> {
  ^bb0(%rows: tensor<?x8xf32>, %offsets: tensor<?xi32>):
    %o = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x8xf32>, !moe.weights<5x8x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
    moe.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<40x8xf32>
}
