// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard --moe-partition | FileCheck %s

comm.mesh @mesh <["dp"=2, "ep"=4]>

// The global token count and one destination a result follow the arguments;
// extents are static where the mesh divides them.
// CHECK-LABEL: func.func private @signature(
// CHECK-SAME: %{{.+}}: tensor<2x3xf32>{{.*}}, %{{.+}}: tensor<?x3xf32>{{.*}}, %{{.+}}: tensor<?x3xf32>{{.*}}, %{{.+}}: i32{{.*}}, %{{.+}}: index{{.*}}, %{{.+}}: tensor<2x3xf32> {bufferization.writable = true{{.*}}}, %{{.+}}: tensor<?x3xf32> {bufferization.writable = true{{.*}}}) -> (tensor<2x3xf32> {{.*}}, tensor<?x3xf32> {{.*}}, i32{{.*}})
// CHECK-SAME: moe.entry
func.func @signature(%a: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %b: tensor<9x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %c: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %d: i32) -> (tensor<8x3xf32>, tensor<9x3xf32>, i32) {
  return %a, %b, %d : tensor<8x3xf32>, tensor<9x3xf32>, i32
}

// The extent of the tokens is that of the whole program; each rank takes its
// share.
// CHECK-LABEL: @token_extent(
// CHECK-SAME: %{{.+}}: tensor<?x3xf32>{{.*}}, %{{.+}}: f32{{.*}}, %[[TOKENS:[a-z0-9]+]]: index
func.func @token_extent(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}, %v: f32) -> tensor<?x5xf32> {
  // CHECK-NOT: tensor.dim
  // CHECK: %[[LOCAL:.+]] = comm.local_extent %[[TOKENS]] over {"dp","ep"} of @mesh
  // CHECK: tensor.empty(%[[LOCAL]]) : tensor<?x5xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3xf32>
  %0 = tensor.empty(%n) : tensor<?x5xf32>
  %1 = linalg.fill ins(%v : f32) outs(%0 : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = call @link(%x, %1) : (tensor<?x3xf32>, tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}
// CHECK-LABEL: func.func private @link(
// CHECK-NOT: moe.entry
func.func private @link(%x: tensor<?x3xf32>, %y: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(t, i, j) -> (t, i)>, affine_map<(t, i, j) -> (t, j)>], iterator_types = ["parallel", "reduction", "parallel"]} ins(%x : tensor<?x3xf32>) outs(%y : tensor<?x5xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %r : tensor<?x5xf32>
}

// A dimension that the sharding does not touch is asked locally.
// CHECK-LABEL: @whole_extent(
// CHECK: %[[N:.+]] = tensor.dim
// CHECK: return %[[N]]
func.func @whole_extent(%x: tensor<?x3xf32>) -> index {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3xf32>
  return %n : index
}

// A call hands on the tokens and a destination.
// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: tensor<2x3xf32>, %{{.+}}: index, %{{.+}}: tensor<2x3xf32> {bufferization.writable = true}) -> tensor<2x3xf32>
func.func private @callee(%x: tensor<8x3xf32>) -> tensor<8x3xf32> {
  return %x : tensor<8x3xf32>
}
// CHECK-LABEL: @call(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf32>{{.*}}, %[[TOKENS:.+]]: index{{.*}}, %[[OUT:.+]]: tensor<2x3xf32>
// CHECK: %[[SPACE:.+]] = tensor.empty() : tensor<2x3xf32>
// CHECK: %[[R:.+]] = call @callee(%[[X]], %[[TOKENS]], %[[SPACE]]) {moe.layer = 7 : i64}
// CHECK: %[[D:.+]] = bufferization.materialize_in_destination %[[R]] in %[[OUT]]
// CHECK: return %[[D]]
func.func @call(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<8x3xf32> {
  %0 = call @callee(%x) {moe.layer = 7 : i64} : (tensor<8x3xf32>) -> tensor<8x3xf32>
  return %0 : tensor<8x3xf32>
}

// A declared function is local too; it reads its arguments and fills its
// destination.
// CHECK: func.func private @declared(tensor<2x3xf32> {bufferization.access = "read"}, index, tensor<2x3xf32> {bufferization.access = "write"}) -> (tensor<2x3xf32> {comm.varies_over = #comm.axes<{"ep"}>})
// CHECK-NOT: comm.sharding_rule
func.func private @declared(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = [[0, -1], [0, -1]]}
// CHECK-LABEL: @call_declared(
// CHECK: call @declared({{.*}}) : (tensor<2x3xf32>, index, tensor<2x3xf32>) -> tensor<2x3xf32>
func.func @call_declared(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<8x3xf32> {
  %0 = call @declared(%x) : (tensor<8x3xf32>) -> tensor<8x3xf32>
  return %0 : tensor<8x3xf32>
}

// CHECK-LABEL: @constant(
// CHECK: arith.constant dense<2.500000e+00> : tensor<2x3xf32>
func.func @constant() -> (tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %0 = arith.constant dense<2.5> : tensor<8x3xf32>
  return %0 : tensor<8x3xf32>
}
