// RUN: moe-opt %s --comm-propagate-sharding | FileCheck %s

comm.mesh @mesh <["dp"=2, "ep"=4]>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Arguments decide what follows; a fill and its space follow their consumer.
// CHECK-LABEL: @forward(
func.func @forward(%x: tensor<?x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %w: tensor<5x11xf32>, %v: f32) -> tensor<?x5xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x11xf32>
  // CHECK: tensor.empty({{.*}}) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
  %0 = tensor.empty(%n) : tensor<?x5xf32>
  // CHECK: linalg.fill {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
  %1 = linalg.fill ins(%v : f32) outs(%0 : tensor<?x5xf32>) -> tensor<?x5xf32>
  // CHECK: linalg.matmul {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// Results decide what came before; a summed dimension stays whole.
// CHECK-LABEL: @backward(
// CHECK-SAME: %{{.+}}: tensor<?x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}, %{{.+}}: tensor<5x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %{{.+}}: tensor<?x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {"ep"}]>})
func.func @backward(%x: tensor<?x11xf32>, %w: tensor<5x11xf32>, %out: tensor<?x5xf32>) -> (tensor<?x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {"ep"}]>}) {
  %0 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>})
func.func private @callee(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  return %x : tensor<?x3xf32>
}
// CHECK-LABEL: @through_calls(
// CHECK: call @callee({{.*}}) {comm.result_shardings = [#comm.sharding<@mesh, [{"dp","ep"}, {}]>]}
func.func @through_calls(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) -> tensor<?x3xf32> {
  %0 = call @callee(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

func.func private @declared(tensor<?x3xf32>, tensor<7x3xf32>) -> tensor<?x9xf32> attributes {comm.sharding_rule = [[0, -1], [-1, -1], [0, -1]]}
// A declared function says itself what is one.
// CHECK-LABEL: @through_declared(
// CHECK: call @declared({{.*}}) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
func.func @through_declared(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %w: tensor<7x3xf32>) -> tensor<?x9xf32> {
  %0 = call @declared(%x, %w) : (tensor<?x3xf32>, tensor<7x3xf32>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// What is written wins, whatever its neighbours say.
// CHECK-LABEL: @written_wins(
// CHECK: linalg.exp {comm.result_shardings = [#comm.sharding<@mesh, [{"dp"}, {}]>]}
// CHECK: linalg.log {comm.result_shardings = [#comm.sharding<@mesh, [{"dp"}, {}]>]}
func.func @written_wins(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %out: tensor<?x3xf32>, %out2: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = linalg.exp {comm.result_shardings = [#comm.sharding<@mesh, [{"dp"}, {}]>]} ins(%x : tensor<?x3xf32>) outs(%out : tensor<?x3xf32>) -> tensor<?x3xf32>
  %1 = linalg.log ins(%0 : tensor<?x3xf32>) outs(%out2 : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// A part of an axis is passed on as it is.
// CHECK-LABEL: @sub_axis(
// CHECK: linalg.exp {comm.result_shardings = [#comm.sharding<@mesh, [{"ep":(2)2}, {}]>]}
func.func @sub_axis(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep":(2)2}, {}]>}, %out: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = linalg.exp ins(%x : tensor<?x3xf32>) outs(%out : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// No axis splits two dimensions of one value: the first keeps it.
// CHECK-LABEL: @one_axis_for_two(
// CHECK: linalg.matmul {{.*}} {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
func.func @one_axis_for_two(%x: tensor<?x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %w: tensor<8x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<8x11xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// Nothing written: nothing is split.
// CHECK-LABEL: @untouched(
// CHECK-NOT: #comm.sharding
func.func @untouched(%x: tensor<?x3xf32>, %out: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = linalg.exp ins(%x : tensor<?x3xf32>) outs(%out : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
