// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=dp=2,ep=3" | FileCheck %s --check-prefix=DEFAULT
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=2,etp=2,dp=2" | FileCheck %s --check-prefix=COLUMNS
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=a=2,b=3,c=4 token-axes=b,a expert-axes=b expert-tensor-axes=c" | FileCheck %s --check-prefix=ROLES
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4 expert-axes=none" | FileCheck %s --check-prefix=NONE
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" \
// RUN:   | moe-opt --moe-choose-mesh-mapping | FileCheck %s --check-prefix=KEPT

// Tokens over every axis, experts over "ep"; what is not tokenwise is untouched.
// DEFAULT: topology = "default (one uniform tier)"
// DEFAULT: comm.mesh @mesh <["dp"=2, "ep"=3]>{{$}}
// DEFAULT: func.func private @moe_block(%{{[^:]*}}: tensor<?x16xbf16>, %
// DEFAULT: moe.experts {{.*}} over {"ep"} of @mesh :
// DEFAULT: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
// DEFAULT-SAME: -> (tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
// DEFAULT-NOT: comm.result_shardings

// "etp" holds no tokens, it splits the columns of each expert's matrices.
// COLUMNS: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"ep","dp"}, {}]>})
// COLUMNS: moe.use_weight @layers.0.router : tensor<6x16xbf16>
// COLUMNS: moe.use_weight @layers.0.experts.gate {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]}
// COLUMNS: moe.use_weight @layers.1.experts.down {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]}

// Names mean nothing where roles are given.
// ROLES: moe.experts {{.*}} over {"b"} of @mesh
// ROLES: func.func @model(%{{.*}}: tensor<?x16xbf16> {comm.sharding = #comm.sharding<@mesh, [{"b","a"}, {}]>})
// ROLES: moe.use_weight @layers.0.experts.gate {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"c"}]>]}

// NONE: moe.experts {{.*}} over {} of @mesh

// KEPT-COUNT-1: comm.mesh @mesh <["ep"=4]>
// KEPT-NOT: comm.mesh
