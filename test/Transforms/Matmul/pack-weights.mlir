// RUN: moe-opt %s --moe-pack-weights | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
moe.weight @router "router" : tensor<5x11xf32>

// The handle becomes one packed matrix on its way through calls.
// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[X:.+]]: tensor<?x11xf32>, %[[W:.+]]: !moe.weights<1x11x5xf32>
func.func private @block(%x: tensor<?x11xf32>, %w: tensor<5x11xf32>) -> tensor<?x5xf32> {
  // CHECK: linalg.fill
  // CHECK: %[[T:.+]] = tensor.dim %[[X]]
  // CHECK: %[[N:.+]] = arith.index_cast %[[T]] : index to i32
  // CHECK: %[[BOUNDS:.+]] = tensor.from_elements %{{.+}}, %[[N]] : tensor<2xi32>
  // CHECK: %[[O:.+]] = tensor.cast %[[BOUNDS]]
  // CHECK: moe.grouped_matmul %[[X]] by %[[W]] at %[[O]] : {{.*}} -> tensor<?x5xf32>
  // CHECK-NOT: linalg.matmul
  // CHECK: return
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x11xf32>
  %0 = tensor.empty(%n) : tensor<?x5xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}
// CHECK-LABEL: @entry(
// CHECK: %[[W:.+]] = moe.use_weight @router : !moe.weights<1x11x5xf32>
// CHECK: call @block(%{{.+}}, %[[W]]) : (tensor<?x11xf32>, !moe.weights<1x11x5xf32>)
func.func @entry(%x: tensor<?x11xf32>) -> tensor<?x5xf32> {
  %w = moe.use_weight @router : tensor<5x11xf32>
  %0 = call @block(%x, %w) : (tensor<?x11xf32>, tensor<5x11xf32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// Its rows may be split: the matrix of a rank is its part.
// CHECK-LABEL: @sharded(
// CHECK: moe.use_weight @router sharded <@mesh, [{"ep"}, {}]> : !moe.weights<1x11x1xf32>
func.func @sharded(%x: tensor<?x11xf32>, %out: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w = moe.use_weight @router sharded <@mesh, [{"ep"}, {}]> : tensor<1x11xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x1xf32>) -> tensor<?x1xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<1x11xf32>) outs(%1 : tensor<?x1xf32>) -> tensor<?x1xf32>
  return %2 : tensor<?x1xf32>
}
comm.mesh @mesh <["ep"=5]>
